internal import ArgumentParser

/// Reads time limits for options.
public enum TimeoutArgument {
    /// Seconds, with a fraction if need be: from a tenth of a second to an hour.
    public static func parse(_ text: String) throws -> Duration {
        guard let timeout = duration(text) else {
            throw ValidationError("'\(text)' is no time limit; write seconds from 0.1 to 3600, as in 10 or 0.5.")
        }
        return timeout
    }

    /// The same; nil for anything else.
    public static func duration(_ text: String) -> Duration? {
        guard let seconds = Double(text), (0.1...3600).contains(seconds) else { return nil }
        return .milliseconds(Int64(seconds * 1000))
    }
}
