internal import ArgumentParser
internal import FlistContent
internal import FlistImage
internal import FlistTools
internal import Support
internal import ProgramSupport

/// `flist check`: verifies a flist, and with `--data` every block that it names.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Verifies a flist, and with --data all its blocks.",
        discussion: """
            Without --data the structure is verified: names, types, sizes, links,
            references. With it every different block is fetched from the stores, not from
            the cache, and compared with its hashes. Bad ones are listed with the files
            they belong to, the first twenty here and all of them with --json, and the
            status is 1.

              flist check --data debian.fl
            """)

    @OptionGroup var flist: FlistArgument

    @Flag(help: "Fetch every block and verify it.")
    var data = false

    @Flag(name: .shortAndLong, help: "No progress, and no line when all is well.")
    var quiet = false

    @OptionGroup var stores: StoreOptions
    @OptionGroup var patience: PatienceOptions
    @OptionGroup var json: JSONOption

    func run() throws {
        guard data else {
            // No store is needed for that.
            let summary = try FlistOpening.index(flist).summary
            if json.isOn {
                JSONValue.object([
                    ("flist", .string(flist.flist)), ("good", .bool(true)),
                    ("entries", .integer(Int64(summary.entries))),
                ]).print()
            } else if !quiet {
                Output.line("\(flist.flist): good, \(summary.entries) entries; blocks not checked (--data does)")
            }
            return
        }
        let open = try OpenFlist(flist.flist, options: FlistOpening.options(nil, stores, patience))
        defer { open.close() }
        let checker = FlistChecker(open.index, BlockSupply(open.fetcher, open.router))
        let progress = TerminalProgress("check", quiet: quiet) {
            let progress = checker.progress
            return TerminalProgress.Figures(
                done: progress.bytes, total: progress.totalBytes, note: "\(progress.items) blocks")
        }
        let report = checker.run()
        progress.stop()
        if json.isOn { Self.json(report, flist.flist).print() } else { tell(report) }
        guard report.isGood else { throw Failed() }
    }

    /// A store that is away makes every block of a flist bad: no terminal holds so many lines.
    private static let maximumLines = 20

    private func tell(_ report: FlistChecker.Report) {
        for bad in report.bad.prefix(Self.maximumLines) {
            Terminal.complain("\(flist.flist): \(bad.reason); in \(Self.list(bad.files))")
        }
        tellMore("bad blocks", report.bad.count)
        for path in report.filesWithoutBlocks.prefix(Self.maximumLines) {
            Terminal.complain("\(flist.flist): \(PathText.escaped(path)): has a size but no blocks")
        }
        tellMore("files without blocks", report.filesWithoutBlocks.count)
        let what = "\(report.blocks) different blocks, \(ByteCount(report.bytes))"
        if !report.isGood {
            Terminal.complain("\(flist.flist): \(report.bad.count) of \(what), are bad")
        } else if !quiet {
            Output.line("\(flist.flist): good, \(what)")
        }
    }

    private func tellMore(_ what: String, _ count: Int) {
        guard count > Self.maximumLines else { return }
        Terminal.complain("\(flist.flist): and \(count - Self.maximumLines) more \(what); --json lists all")
    }

    private static func list(_ files: [[UInt8]]) -> String {
        let shown = files.prefix(3).map { PathText.escaped($0) }.joined(separator: ", ")
        return files.count > 3 ? "\(shown) and \(files.count - 3) more" : shown
    }

    private static func json(_ report: FlistChecker.Report, _ flist: String) -> JSONValue {
        let bad = report.bad.map { block in
            JSONValue.object([
                ("id", .string(block.id.description)), ("reason", .string(block.reason)),
                ("files", .array(block.files.map { .object(JSONValue.name("path", $0)) })),
            ])
        }
        return .object([
            ("flist", .string(flist)), ("good", .bool(report.isGood)), ("blocks", .integer(Int64(report.blocks))),
            ("bytes", .unsigned(report.bytes)), ("bad", .array(bad)),
            ("files_without_blocks", .array(report.filesWithoutBlocks.map { .object(JSONValue.name("path", $0)) })),
        ])
    }
}
