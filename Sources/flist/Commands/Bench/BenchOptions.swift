internal import ArgumentParser
internal import FlistTools

/// When a run ends.
struct BenchLimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("End each run after so many seconds: 5, unless --count is given.", valueName: "seconds"),
        transform: parseSeconds)
    var duration: Duration?

    @Option(help: ArgumentHelp("End each run after so many of them.", valueName: "n"))
    var count: Int?

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    }

    var limit: BenchLimit {
        BenchLimit(duration: duration ?? (count == nil ? .seconds(5) : nil), count: count)
    }

    static func parseSeconds(_ text: String) throws -> Duration {
        guard let seconds = Double(text), seconds > 0, seconds <= 86400 else {
            throw ValidationError("'\(text)' is no time in seconds, as in 5 or 0.5, up to a day")
        }
        return .seconds(seconds)
    }
}

/// Numbers with commas between, each for a run of its own.
struct ConcurrencyList: ExpressibleByArgument, CustomStringConvertible {
    let numbers: [Int]

    init(_ numbers: Int...) { self.numbers = numbers }

    init?(argument: String) {
        let words = argument.split(separator: ",", omittingEmptySubsequences: false)
        numbers = words.compactMap { Int($0) }.filter { (1...65536).contains($0) }
        guard numbers.count == words.count else { return nil }
    }

    var description: String { numbers.map(String.init).joined(separator: ",") }
    var defaultValueDescription: String { description }
}
