internal import ArgumentParser
internal import FUSESession
internal import FlistTools
internal import Glibc
internal import ProgramSupport
internal import Support

/// `flist bench mount`: the way to the first `ls`.
struct BenchMountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "Measures mounting, the first listing and unmounting.",
        discussion: """
            Mounts the flist at a folder of its own with `flist mount`, lists the root with
            the facts of every entry, and unmounts: with a new cache each time, where the
            index has to be built, and again with a cache that has it. The times are those
            of the caller: mount until the command has returned. No store is asked.

              flist bench mount debian.fl
            """)

    @OptionGroup var flist: FlistArgument

    @Option(help: ArgumentHelp("How often each.", valueName: "n"))
    var count = 5

    @Option(
        help: ArgumentHelp("A folder for the caches and the mount, removed at the end.", valueName: "dir"),
        completion: .directory)
    var work = "/var/tmp"

    @OptionGroup var stores: StoreOptions
    @OptionGroup var json: JSONOption

    func validate() throws {
        guard (1...10_000).contains(count) else { throw ValidationError("--count must be 1 to 10000") }
    }

    func run() throws {
        // Whoever ends it has the folder removed all the same, after the round.
        let isEnding = Monitor(false)
        try ProgramSignals().handle(ending: { isEnding.withLock { $0 = true } })
        let rounds = try MountRounds(flist: flist.flist, stores: stores, work: work)
        defer { rounds.finish() }
        var report = BenchReport("step", unit: "times")
        for isFirst in [true, false] {
            var steps = [BenchFigures](repeating: BenchFigures(), count: 3)
            for _ in 0..<count {
                guard !isEnding.withLock({ $0 }) else { throw Failed(status: 130) }
                try rounds.run(newCache: isFirst, &steps)
            }
            for (name, figures) in zip(["mount", "ls", "umount"], steps) {
                report.add(
                    "\(name), \(isFirst ? "new cache" : "index there")",
                    [("step", .string(name)), ("new_cache", .bool(isFirst))], figures)
            }
        }
        try report.print(json: json.isOn, [("flist", .string(flist.flist))], flist.flist)
    }
}

/// Mounts and unmounts in a folder of its own.
private final class MountRounds {
    private let program: HelperProgram
    private let arguments: [String]
    private let folder: String
    private var caches = 0

    private var target: String { "\(folder)/mount" }

    init(flist: String, stores: StoreOptions, work: String) throws {
        guard let program = HelperProgram(named: "self/exe", alsoIn: ["/proc"]) else {
            throw FlistError(.notFound, "cannot find this program by /proc/self/exe; mount /proc")
        }
        self.program = program
        var template = Array("\(work)/flist-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw FlistError("cannot make a folder in \(work)", errno: .current) }
        folder = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? work }
        arguments =
            stores.stores.flatMap { ["--store", $0] } + (stores.router.map { ["--router", $0] } ?? [])
            + ["-o", "noprofile", flist, "\(folder)/mount"]
        try makeFolder(target)
    }

    /// Adds the times of mount, ls and umount to `steps`.
    func run(newCache: Bool, _ steps: inout [BenchFigures]) throws {
        if newCache || caches == 0 { caches += 1 }
        var start = Deadline.now
        let end = try program.run(["mount", "--cache", "\(folder)/cache-\(caches)"] + arguments)
        guard end.status == 0 else { throw FlistError(.io, String(end.complaint.drop { $0 != " " }.dropFirst())) }
        steps[0].note(since: start)
        start = .now
        do throws(FlistError) {
            defer { steps[1].note(since: start) }
            _ = try WalkBench.run(target, descends: false)
        } catch {
            try? unmount(target, lazy: true)
            throw error
        }
        start = .now
        try unmount(target, lazy: false)
        steps[2].note(since: start)
    }

    /// Removes everything; never what is mounted.
    func finish() {
        guard (try? MountTable.current().find(target: target)) == nil else {
            return Terminal.complain("\(target) is still mounted: flist umount it, and remove \(folder)")
        }
        guard let remove = HelperProgram(named: "rm", alsoIn: ["/bin"]) else { return }
        // The process of the last mount may still be putting its cache away.
        for _ in 0..<50 {
            if let end = try? remove.run(["-rf", "--one-file-system", folder]), end.status == 0 { return }
            usleep(20_000)
        }
        Terminal.complain("cannot remove \(folder)")
    }

    private func makeFolder(_ path: String) throws(FlistError) {
        do throws(Errno) {
            try Folder.make(path, mode: 0o700, parents: false)
        } catch {
            throw FlistError("cannot make \(path)", errno: error)
        }
    }
}
