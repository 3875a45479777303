internal import ArgumentParser
internal import FlistTools
internal import ProgramSupport

/// `flist bench walk`: listing a mount.
struct BenchWalkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "walk",
        abstract: "Measures readdir(3) and lstat(2) over a mount.",
        discussion: """
            Goes through the tree as find(1) with a test of sizes does, several times; the
            first time fills the kernel's caches. The times are those of lstat(2). A tree
            of any file system will do.

              flist bench walk /mnt
            """)

    @Argument(help: "A directory.", completion: .directory)
    var target: String

    @Option(help: ArgumentHelp("How often.", valueName: "n"))
    var rounds = 3

    @Flag(name: .shortAndLong, help: "No progress.")
    var quiet = false

    @OptionGroup var json: JSONOption

    func validate() throws {
        guard (1...100_000).contains(rounds) else { throw ValidationError("--rounds must be 1 to 100000") }
    }

    func run() throws {
        var report = BenchReport("round", unit: "entries")
        for round in 1...rounds {
            let progress = BenchProgress()
            let bar = BenchReport.progress("round \(round)", quiet: quiet, progress, unit: "entries")
            defer { bar.stop() }
            let figures = try WalkBench.run(target, progress: progress)
            bar.stop()
            report.add("\(round)", [("round", .integer(Int64(round)))], figures)
        }
        try report.print(json: json.isOn, [("target", .string(target))], target)
    }
}
