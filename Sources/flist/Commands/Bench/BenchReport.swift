internal import FlistTools
internal import ProgramSupport
internal import Support

/// What runs of a benchmark gave, as a table or as JSON.
struct BenchReport {
    private var table: TextTable
    private var runs: [JSONValue] = []
    private var failures: [String] = []

    /// - Parameters:
    ///   - label: heads the first column, which says what a run is.
    ///   - unit: what is counted: blocks, reads, entries.
    init(_ label: String, unit: String) {
        table = TextTable(label, " \(unit)", " \(unit)/s", " MB/s", " p50", " p90", " p99", " longest")
    }

    mutating func add(_ label: String, _ members: [(key: String, value: JSONValue)], _ figures: BenchFigures) {
        let latencies = figures.latencies
        let shown = [latencies.percentile(50), latencies.percentile(90), latencies.percentile(99), latencies.maximum]
        table.add(
            label, "\(figures.count)", Self.rounded(figures.countPerSecond),
            figures.bytes > 0 ? Self.rounded(figures.bytesPerSecond / 1e6) : "-", Self.text(shown[0]),
            Self.text(shown[1]), Self.text(shown[2]), Self.text(shown[3]))
        let names = ["p50", "p90", "p99", "max"]
        runs.append(
            .object(
                members + [
                    ("count", .unsigned(figures.count)), ("bytes", .unsigned(figures.bytes)),
                    ("failed", .unsigned(figures.failed)), ("seconds", .number(figures.elapsed / .seconds(1))),
                    ("per_second", .number(figures.countPerSecond)),
                    ("bytes_per_second", .number(figures.bytesPerSecond)),
                    (
                        "latency_seconds",
                        .object(zip(names, shown).map { (key: $0, value: .number($1 / .seconds(1))) })
                    ),
                ]))
        if figures.failed > 0 {
            failures.append("\(figures.failed) failed, the first of them: \(figures.failure ?? "for no reason known")")
        }
    }

    /// Prints all runs, and complains of what failed; then the status is 1.
    func print(json: Bool, _ facts: [(key: String, value: JSONValue)], _ title: String) throws {
        if json {
            JSONValue.object(facts + [("runs", .array(runs))]).print()
        } else {
            Output.line(title)
            for line in table.lines { Output.line(line) }
        }
        guard !failures.isEmpty else { return }
        for failure in failures { Terminal.complain(failure) }
        throw Failed()
    }

    /// A whole number from a hundred on, one decimal below.
    static func rounded(_ value: Double) -> String {
        guard value < 100 else { return String(Int(min(value, 1e15).rounded())) }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// `12.3 us`, `4.5 ms`, `1.2 s`.
    static func text(_ time: Duration) -> String {
        let seconds = time / .seconds(1)
        if seconds < 1e-3 { return "\(rounded(seconds * 1e6)) us" }
        return seconds < 1 ? "\(rounded(seconds * 1e3)) ms" : "\(rounded(seconds)) s"
    }

    /// A bar for a run that ends by time or by count.
    static func progress(_ verb: String, quiet: Bool, _ progress: BenchProgress, unit: String) -> TerminalProgress {
        TerminalProgress(verb, quiet: quiet) {
            TerminalProgress.Figures(done: progress.bytes, total: nil, note: "\(progress.count) \(unit)")
        }
    }
}
