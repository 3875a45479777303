internal import ArgumentParser
internal import BlockStore
internal import FlistContent
internal import FlistTools
internal import ProgramSupport

/// `flist bench fetch`: how fast the stores are.
struct BenchFetchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Measures how fast the blocks of a flist come from its stores.",
        discussion: """
            Fetches the flist's blocks by chance, again and again, with as many under way
            as --concurrency says, one run for each number; nothing is kept. Each run is
            made twice: decoded, as a mount gets them, verified and plain; and stored,
            the bytes of the first store that has them, as they are. With --store the
            blocks are fetched from there first.

              flist bench fetch debian.fl
              flist bench fetch --concurrency 1,64 --count 1000 --store zdb://a:9900/web debian.fl
            """)

    enum Form: String, ExpressibleByArgument, CaseIterable {
        case both, decoded, stored
    }

    @OptionGroup var flist: FlistArgument

    @Option(help: ArgumentHelp("Blocks under way at once, a run for each number.", valueName: "n,..."))
    var concurrency = ConcurrencyList(1, 4, 16, 64)

    @Option(help: "What to fetch.")
    var form = Form.both

    @OptionGroup var limit: BenchLimitOptions
    @OptionGroup var stores: StoreOptions
    @OptionGroup var patience: PatienceOptions

    @Flag(name: .shortAndLong, help: "No progress.")
    var quiet = false

    @OptionGroup var json: JSONOption

    func run() throws {
        let open = try OpenFlist(flist.flist, options: FlistOpening.options(nil, stores, patience))
        defer { open.close() }
        let bench = FetchBench(open.index, open.fetcher, open.router)
        var report = BenchReport("under way", unit: "blocks")
        for form in form == .both ? [Form.decoded, .stored] : [form] {
            for concurrency in concurrency.numbers {
                let progress = BenchProgress()
                let bar = BenchReport.progress(
                    "\(form.rawValue) \(concurrency)", quiet: quiet, progress, unit: "blocks")
                defer { bar.stop() }
                let figures = try bench.run(
                    form == .stored ? .stored : .decoded, concurrency: concurrency, limit: limit.limit,
                    progress: progress)
                bar.stop()
                report.add(
                    "\(concurrency) \(form.rawValue)",
                    [("form", .string(form.rawValue)), ("concurrency", .integer(Int64(concurrency)))], figures)
            }
        }
        let stores = open.router.stores.map(\.address)
        try report.print(
            json: json.isOn,
            [
                ("flist", .string(flist.flist)), ("blocks", .integer(Int64(bench.blocks.count))),
                ("stores", .array(stores.map { .string($0) })),
            ], "\(flist.flist): \(bench.blocks.count) different blocks in \(stores.joined(separator: ", "))")
    }
}
