public import Logging
internal import Support

/// What was logged, a line each.
public final class LogLines: Sendable {
    private let lines = Monitor<[String]>([])

    public init() {}

    public var all: [String] { lines.withLock { $0 } }

    /// Waits for a line with this in it; false after twenty seconds.
    public func wait(for text: String) -> Bool {
        lines.wait(until: .after(.seconds(20))) { $0.contains { $0.contains(text) } ? true : nil } ?? false
    }

    /// Logs from the level `info` on.
    public var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            var line = "\(event.level) \(event.message)"
            for (key, value) in (event.metadata ?? [:]).sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
            lines.lines.withLock { $0.append(line) }
            lines.lines.broadcast()
        }
    }
}
