internal import ArgumentParser
internal import BlockCache
internal import FlistContent
internal import FlistImage
internal import FlistTools
internal import ProgramSupport
internal import Support

/// `flist prefetch`: fills the cache.
struct PrefetchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prefetch",
        abstract: "Fills the cache with a flist's contents, all or some.",
        discussion: """
            A PATH is a file, or a directory with all that is below it; without one
            everything is fetched. Instead of a flist the directory may be named on which
            it is mounted: then the cache is that of the mount, which has the contents at
            once. What the cache has already is passed over. Contents that cannot be had
            are counted, and the status is 1.

              flist prefetch debian.fl
              flist prefetch /mnt /usr/bin /etc/passwd
            """)

    @Argument(
        help: ArgumentHelp("A path or an http(s) URL, or where it is mounted.", valueName: "flist|target"),
        completion: .file(extensions: ["fl", "flist"]))
    var flist: String

    @Argument(help: "What to fetch, by its path in the flist.")
    var paths: [String] = []

    @OptionGroup var cache: CacheOptions
    @OptionGroup var stores: StoreOptions
    @OptionGroup var patience: PatienceOptions

    @Flag(name: .shortAndLong, help: "No progress and no summary.")
    var quiet = false

    @OptionGroup var json: JSONOption

    func run() throws {
        let open = try open()
        defer { open.close() }
        var tree = PrefetchTree(open.index)
        for path in paths.isEmpty ? ["/"] : paths {
            guard let entry = open.index.resolve(path: Array(path.utf8), followingLast: true) else {
                throw FlistError(.notFound, "\(path): not in \(flist)")
            }
            tree.add(entry)
        }
        let prefetcher = Prefetcher(open.content)
        let progress = TerminalProgress("prefetch", quiet: quiet) { [bytes = tree.bytes] in
            let progress = prefetcher.progress
            return TerminalProgress.Figures(
                done: progress.presentBytes + progress.fetchedBytes, total: bytes,
                note: "\(progress.fetched) blocks fetched" + (progress.failed > 0 ? ", \(progress.failed) failed" : ""))
        }
        defer { progress.stop() }
        prefetcher.run(tree.spans)
        progress.stop()
        try report(prefetcher.progress, tree, open)
    }

    private func open() throws -> OpenFlist {
        ProgramLog.startComplaining()
        guard let mounted = MountedFlist(flist) else {
            return try OpenFlist(flist, options: FlistOpening.options(cache, stores, patience))
        }
        var options = try FlistOpening.options(cache, stores, patience)
        if cache.folder == nil {
            guard let folder = mounted.cache else {
                throw FlistError(.unsupported, "\(flist): the mount keeps no cache that could be filled")
            }
            options.cacheFolder = folder
        }
        let open = try OpenFlist(mounted.source, options: options)
        guard "\(open.index.summary.flistHash)" == mounted.hash else {
            open.close()
            throw FlistError(
                .busy, "\(flist): \(mounted.source) has changed since it was mounted; name the flist that is meant")
        }
        return open
    }

    private func report(_ progress: Prefetcher.Progress, _ tree: PrefetchTree, _ open: OpenFlist) throws {
        if json.isOn {
            JSONValue.object([
                ("files", .integer(Int64(tree.files.count))), ("bytes", .unsigned(tree.bytes)),
                ("present_blocks", .integer(Int64(progress.present))),
                ("present_bytes", .unsigned(progress.presentBytes)),
                ("fetched_blocks", .integer(Int64(progress.fetched))),
                ("fetched_bytes", .unsigned(progress.fetchedBytes)),
                ("failed", .integer(Int64(progress.failed))),
            ]).print()
        } else if !quiet {
            Output.line(
                "\(flist): \(tree.files.count) files, \(ByteCount(tree.bytes)): \(ByteCount(progress.fetchedBytes)) fetched,"
                    + " \(ByteCount(progress.presentBytes)) were there")
        }
        guard let complaint = complaint(progress, open) else { return }
        Terminal.complain("\(flist): \(complaint)")
        throw Failed()
    }

    /// What is not as it should be, in one line.
    private func complaint(_ progress: Prefetcher.Progress, _ open: OpenFlist) -> String? {
        if progress.isCacheFull {
            let folder = open.cache?.folder ?? ""
            return "the cache \(folder) takes no more; make room on its disk or raise --cache-size"
        }
        guard let failure = progress.failure else { return nil }
        let first = "\(PathText.escaped(open.index.path(of: failure.inode))): \(failure.reason)"
        let ending = progress.hasGivenUp ? "gave up after \(progress.failed) blocks" : "\(progress.failed) blocks"
        return "\(ending) could not be fetched, the first of \(first)"
    }
}
