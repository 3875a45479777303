internal import ArgumentParser
internal import BlockStore
internal import FlistTools
internal import Glibc
internal import Support
internal import ProgramSupport

/// `flist pack`: makes a flist of a directory or a tar file.
struct PackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack",
        abstract: "Makes a flist of a directory or a tar file.",
        discussion: """
            Blocks go to the stores, names into OUT.fl, which appears when all is stored.
            Hard links, xattrs (access control lists and file capabilities among them),
            holes, devices, fifos and sockets are kept; so are names that are not UTF-8.
            --codec snappy makes files that rfs reads, which hold none of that but special
            files.

            A file that changes while it is read is read again and, when it changes once
            more, packed as it was read; one that goes away is left out: a line tells of
            each, and the status is 0. An entry that cannot be read is told and left out
            too, and the status is 1, as tar does; --ignore-failed-read makes it 0.

            A pattern of --exclude without a slash names entries at any depth, one with a
            slash paths from SOURCE on; a slash at its end means directories alone. * and
            ? stop at slashes, ** does not.

            --base OLD.fl makes packing a changed tree again quick: a file that has its
            path, type, size and time of last change (mtime, to the nanosecond) in OLD.fl
            is not read, its blocks are taken from there, if the stores have them all.
            What else is known of it is that of today. --base-check ctime also asks for the
            same ctime, which cannot be set at will, but is a new one in each copy of a
            tree. Contents that are read and turn up in OLD.fl, such as renamed files, are
            not stored again. Codec and block size must be those of OLD.fl. In flists of
            rfs times are whole seconds: there a file must have been left alone for an hour
            before OLD.fl was written, and one from a URL does not tell when that was.

              flist pack -s dir:///srv/blocks /usr/share/doc
              flist pack -m web.fl -s 00-7f=zdb://a:9900/web -s 80-ff=zdb://b:9900/web --exclude '*.o' web.tar.zst
            """)

    @Option(
        name: [.customShort("m"), .customLong("meta")],
        help: ArgumentHelp("The flist to write; by default SOURCE's name with .fl, here.", valueName: "out.fl"),
        completion: .file(extensions: ["fl"]))
    var output: String?

    @Option(
        name: [.customShort("s"), .customLong("store")],
        help: ArgumentHelp(
            "A store for the blocks. Given again, each takes the ids of its range; in an overlap both do.",
            valueName: "[xx-yy=]url"))
    var stores: [String] = []

    @Option(help: ArgumentHelp("How blocks are compressed: zstd, or snappy for rfs."))
    var codec = Codec.zstd

    @Option(help: ArgumentHelp("Zstandard's level, 1 (fast) to 19 (small).", valueName: "n"))
    var level: Int32 = 3

    @Option(help: ArgumentHelp("Threads that compress; by default one per core.", valueName: "n"))
    var jobs: Int?

    @Option(
        name: .customLong("block-size"),
        help: ArgumentHelp("Plain bytes in a block (zstd only).", valueName: "size"), transform: SizeArgument.parse)
    var blockSize = ByteCount(512 << 10)

    @Option(
        help: ArgumentHelp(
            "An earlier flist, path or http(s) URL: what has not changed is not read.", valueName: "old.fl"),
        completion: .file(extensions: ["fl"]))
    var base: String?

    @Option(
        name: .customLong("base-check"),
        help: ArgumentHelp("The time that must be the same, beside path, type and size: mtime or ctime."))
    var baseCheck = BaseCheck.mtime

    @Option(help: ArgumentHelp("Leave out what matches. May be given again.", valueName: "glob"))
    var exclude: [String] = []

    @Flag(name: .customLong("one-file-system"), help: "Leave out what is mounted inside SOURCE.")
    var oneFileSystem = false

    @Option(
        help: ArgumentHelp(
            "A profile, of flist profile export: what it names is fetched first where OUT.fl is mounted.",
            valueName: "file"),
        completion: .file())
    var profile: String?

    @Flag(
        name: .customLong("no-strip-password"),
        help: "Record passwords and tokens of stores in the flist, for all its readers to see.")
    var keepPasswords = false

    @Flag(name: .customLong("ignore-failed-read"), help: "Status 0 although entries could not be read.")
    var ignoreFailedRead = false

    @Flag(name: .shortAndLong, help: "No progress and no summary.")
    var quiet = false

    @OptionGroup var json: JSONOption

    @Argument(help: "A directory, or a tar file compressed or not.", completion: .file())
    var source: String

    enum Codec: String, ExpressibleByArgument, CaseIterable {
        case zstd, snappy
    }

    enum BaseCheck: String, ExpressibleByArgument, CaseIterable {
        case mtime, ctime
    }

    func validate() throws {
        guard !stores.isEmpty else {
            throw ValidationError("no store for the blocks: name one with -s, such as -s dir:///srv/blocks")
        }
        guard (1...19).contains(level) else { throw ValidationError("--level \(level) is not between 1 and 19") }
        if let jobs, !(1...1024).contains(jobs) { throw ValidationError("--jobs \(jobs) is not between 1 and 1024") }
    }

    func run() throws {
        let options = try options()
        let packer = Packer(options) { notice in
            switch notice {
            case .warning(let text), .failure(let text): Terminal.complain(text)
            }
        }
        let progress = TerminalProgress("pack", quiet: quiet) {
            let progress = packer.progress
            return TerminalProgress.Figures(
                done: progress.bytes, total: nil,
                note: "\(progress.entries) entries, \(ByteCount(progress.storedBytes)) stored")
        }
        defer { progress.stop() }
        let summary = try packer.run()
        progress.stop()
        report(summary, options)
        if !options.keepPasswords { options.stores.forEach(StrippedSecrets.tell) }
        if summary.failed > 0 {
            Terminal.complain("\(options.output): \(summary.failed) entries could not be read and are not in it")
            if !ignoreFailedRead { throw Failed() }
        }
    }

    private func options() throws -> PackOptions {
        var options = PackOptions(source: source, output: try output ?? defaultOutput())
        options.format = codec == .zstd ? .zstd : .rfs
        options.level = level
        options.jobs = jobs ?? 0
        guard let size = Int(exactly: blockSize.bytes) else { throw ValidationError("--block-size is too large") }
        options.blockSize = size
        options.base = try base.map { try PackBase($0, time: baseCheck == .mtime ? .modification : .statusChange) }
        options.excludes = try exclude.map { try ExcludePattern(parsing: $0) }
        options.oneFileSystem = oneFileSystem
        options.stores = try stores.map { try StoreRoute(parsing: $0) }
        options.keepPasswords = keepPasswords
        options.profile = try profile.map(ProfileFile.read) ?? []
        return options
    }

    /// The source's own name, here; of `.` and `..` the folder's.
    private func defaultOutput() throws -> String {
        guard let resolved = realpath(source, nil) else {
            throw FlistError("cannot read \(source)", errno: .current)
        }
        defer { free(resolved) }
        let name = String(cString: resolved).split(separator: "/").last.map(String.init) ?? "root"
        return name + ".fl"
    }

    private func report(_ summary: PackSummary, _ options: PackOptions) {
        let duration = summary.duration.components
        let seconds = Double(duration.seconds) + Double(duration.attoseconds) / 1e18
        if json.isOn { return json(summary, options, seconds).print() }
        if quiet { return }
        let repeated = summary.bytes > 0 ? 1 - Double(summary.distinctBytes) / Double(summary.bytes) : 0
        let ratio = Double(summary.newBytes) / Double(max(1, summary.storedBytes))
        Output.line("\(options.output): \(summary.entries) entries, \(ByteCount(summary.bytes))")
        Output.line(
            "  \(summary.distinctBlocks) of \(summary.blocks) blocks are different; \(Self.tenths(repeated * 100)) % of"
                + " the bytes are repeated or holes")
        if base != nil {
            Output.line(
                "  \(summary.baseFiles) of \(summary.files) files taken from the base,"
                    + " \(ByteCount(summary.baseBytes)) not read")
        }
        Output.line(
            "  \(ByteCount(summary.storedBytes)) stored"
                + (summary.storedBytes > 0 ? ", \(Self.tenths(ratio)) times smaller" : "")
                + ", in \(Self.tenths(seconds)) s")
    }

    private func json(_ summary: PackSummary, _ options: PackOptions, _ seconds: Double) -> JSONValue {
        .object([
            ("flist", .string(options.output)), ("entries", .integer(Int64(summary.entries))),
            ("files", .integer(Int64(summary.files))), ("hard_links", .integer(Int64(summary.hardLinks))),
            ("bytes", .unsigned(summary.bytes)), ("blocks", .integer(Int64(summary.blocks))),
            ("holes", .integer(Int64(summary.holes))), ("distinct_blocks", .integer(Int64(summary.distinctBlocks))),
            ("distinct_bytes", .unsigned(summary.distinctBytes)), ("stored_bytes", .unsigned(summary.storedBytes)),
            ("new_bytes", .unsigned(summary.newBytes)), ("base_files", .integer(Int64(summary.baseFiles))),
            ("base_bytes", .unsigned(summary.baseBytes)),
            ("changed", .integer(Int64(summary.changed))), ("vanished", .integer(Int64(summary.vanished))),
            ("failed", .integer(Int64(summary.failed))), ("excluded", .integer(Int64(summary.excluded))),
            ("seconds", .number(seconds)),
        ])
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
