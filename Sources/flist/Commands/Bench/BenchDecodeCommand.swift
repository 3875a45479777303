internal import ArgumentParser
internal import FlistContent
internal import FlistTools
internal import ProgramSupport
internal import Support

/// `flist bench decode`: how fast this machine's processors are.
struct BenchDecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Measures how fast this machine decodes the blocks of a flist.",
        discussion: """
            Brings all blocks into memory, and then verifies, decrypts and decompresses
            them on all cores; only that is measured. With --write each different content
            is written to a file in a folder as well, and removed afterwards. No mount
            can give a tree faster than that.

              flist bench decode debian.fl
              flist bench decode --write /var/tmp/new debian.fl
            """)

    @OptionGroup var flist: FlistArgument

    @Option(
        help: ArgumentHelp("Write what is decoded to this folder: a new or an empty one.", valueName: "dir"),
        completion: .directory)
    var write: String?

    @Option(help: ArgumentHelp("Threads: one for each core.", valueName: "n"))
    var threads: Int = Processors.count

    @Option(help: ArgumentHelp("The most memory for blocks.", valueName: "size"), transform: SizeArgument.parse)
    var memory = ByteCount(1 << 30)

    @OptionGroup var stores: StoreOptions
    @OptionGroup var patience: PatienceOptions

    @Flag(name: .shortAndLong, help: "No progress.")
    var quiet = false

    @OptionGroup var json: JSONOption

    func validate() throws {
        guard (1...1024).contains(threads) else { throw ValidationError("--threads must be 1 to 1024") }
    }

    func run() throws {
        if let write, !Folder.names(in: write).isEmpty {
            throw FlistError(.exists, "\(write) is not empty; name a new folder")
        }
        let open = try OpenFlist(flist.flist, options: FlistOpening.options(nil, stores, patience))
        defer { open.close() }
        let bench = DecodeBench(open.index)
        let loading = BenchProgress()
        let loadingBar = BenchReport.progress("load", quiet: quiet, loading, unit: "blocks")
        defer { loadingBar.stop() }
        try bench.load(from: open.router, budget: memory.bytes, progress: loading)
        loadingBar.stop()
        let progress = BenchProgress()
        let bar = BenchReport.progress("decode", quiet: quiet, progress, unit: "contents")
        defer { bar.stop() }
        defer { if let write { bench.removeFiles(in: write) } }
        let figures = try bench.run(threads: threads, into: write, progress: progress)
        bar.stop()
        var report = BenchReport("threads", unit: "contents")
        report.add("\(threads)", [("threads", .integer(Int64(threads)))], figures)
        try report.print(
            json: json.isOn,
            [
                ("flist", .string(flist.flist)), ("blocks", .unsigned(loading.count)),
                ("stored_bytes", .unsigned(loading.bytes)), ("written", .bool(write != nil)),
            ], "\(flist.flist): \(loading.count) different blocks, \(ByteCount(loading.bytes)) stored")
    }
}
