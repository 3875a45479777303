internal import ArgumentParser
internal import FlistTools
internal import ProgramSupport
internal import Support

/// `flist bench read`: reads in a mount.
struct BenchReadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read",
        abstract: "Measures reads of a file, or of all files of a mount.",
        discussion: """
            First in sequence, every file from its beginning to its end with reads of 1 MiB,
            once, or until the time is up; then by chance, 4 KiB somewhere in any file.
            --concurrency says how many threads read at once, a run for each number. A tree
            of any file system will do, so that two can be compared. The first run fills
            caches that the next ones find full.

              flist bench read /mnt
              flist bench read --pattern random --concurrency 1,16 --size 64KiB /mnt/usr/lib
            """)

    @Argument(help: ArgumentHelp("A directory or a file.", valueName: "target|file"), completion: .file())
    var target: String

    enum Pattern: String, ExpressibleByArgument, CaseIterable {
        case both, sequential, random
    }

    @Option(help: "How to read.")
    var pattern = Pattern.both

    @Option(help: ArgumentHelp("Threads that read, a run for each number.", valueName: "n,..."))
    var concurrency = ConcurrencyList(1)

    @Option(help: "Bytes of one read: 1MiB in sequence, 4KiB by chance.", transform: SizeArgument.parse)
    var size: ByteCount?

    @OptionGroup var limit: BenchLimitOptions

    @Flag(name: .shortAndLong, help: "No progress.")
    var quiet = false

    @OptionGroup var json: JSONOption

    func validate() throws {
        if let size, !(1...(1 << 30)).contains(size.bytes) { throw ValidationError("--size must be 1 to 1GiB") }
        guard concurrency.numbers.allSatisfy({ $0 <= 1024 }) else {
            throw ValidationError("--concurrency is threads here, 1024 at most")
        }
    }

    func run() throws {
        let bench = try ReadBench(target)
        var report = BenchReport("reads", unit: "reads")
        for pattern in pattern == .both ? [Pattern.sequential, .random] : [pattern] {
            let isRandom = pattern == .random
            let size = self.size?.bytes ?? (isRandom ? 4 << 10 : 1 << 20)
            for concurrency in concurrency.numbers {
                let progress = BenchProgress()
                let bar = BenchReport.progress(
                    "\(pattern.rawValue) \(concurrency)", quiet: quiet, progress, unit: "reads")
                defer { bar.stop() }
                let figures = try bench.run(
                    isRandom ? .random : .sequential, size: Int(size), concurrency: concurrency, limit: limit.limit,
                    progress: progress)
                bar.stop()
                report.add(
                    "\(pattern.rawValue), \(ByteCount(size)), \(concurrency) at once",
                    [
                        ("pattern", .string(pattern.rawValue)), ("size", .unsigned(size)),
                        ("concurrency", .integer(Int64(concurrency))),
                    ], figures)
            }
        }
        let part = bench.isPart ? " (the first ones; there are more)" : ""
        try report.print(
            json: json.isOn,
            [
                ("target", .string(target)), ("files", .integer(Int64(bench.fileCount))),
                ("bytes", .unsigned(bench.bytes)), ("all_files", .bool(!bench.isPart)),
            ], "\(target): \(bench.fileCount) files\(part), \(ByteCount(bench.bytes))")
    }
}
