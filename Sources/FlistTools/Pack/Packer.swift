internal import BlockCodec
internal import BlockStore
internal import FlistImage
internal import CLinux
internal import Glibc
public import Support
internal import Synchronization

/// Makes a flist of a directory or a tar file, and writes its blocks to stores.
///
/// A thread looks through the source, one per core reads, hashes, compresses and encrypts, others write to the stores.
/// Blocks that occur again are stored once. Memory is bounded by about 64 MiB, 9 MiB for each core, or three blocks where those
/// are larger, and what names and block hashes take.
/// What a base has is not read, or at least not stored, again.
/// The flist appears when every block is stored, and not at all after an error. Equal trees give equal flists.
public final class Packer: Sendable {
    private let options: PackOptions
    private let journal: PackJournal
    private let shared = Mutex<PackShared?>(nil)

    /// - Parameter tell: Gets what a person should know, at once, on any thread.
    public init(_ options: PackOptions, tell: @escaping @Sendable (PackNotice) -> Void) {
        self.options = options
        journal = PackJournal(source: options.source, tell: tell)
    }

    /// How far it is. Thread-safe.
    public var progress: PackProgress { shared.withLock { $0 }?.progress ?? PackProgress() }

    /// Packs, once; blocks until done.
    ///
    /// Entries that cannot be read are told, counted in the summary as `failed`, and left out, as tar does.
    /// - Throws: When the source as a whole cannot be read, a store does not take a block, or the flist cannot be
    ///   written; there is no flist then, and one that was there is as it was.
    public func run() throws(FlistError) -> PackSummary {
        let start = Deadline.now
        try check()
        let router = try BlockRouter(RouteTable(routes: options.stores))
        defer { router.close() }
        let cores = options.jobs > 0 ? options.jobs : Processors.count
        let table = BlockTable()
        try table.add(options.base, in: router)
        let ending = PackEnding()
        let uploads = try UploadQueue(router) { ending.give(up: $0) }
        let shared = PackShared(options, table, uploads: uploads, journal: journal)
        ending.shared.withLock { $0 = shared }
        self.shared.withLock { $0 = shared }
        defer { ending.shared.withLock { $0 = nil } }
        let tree = try pack(shared, threads: cores)
        if let error = journal.current.fatal { throw error }
        guard let tree else { throw FlistError(.io, "packing \(options.source) was given up") }
        var summary = try write(tree, shared.table.all)
        let counts = journal.current
        summary.changed = counts.changed
        summary.vanished = counts.vanished
        summary.failed = counts.failed
        summary.excluded = counts.excluded
        summary.duration = .nanoseconds(Int64(clamping: Deadline.now.nanoseconds - start.nanoseconds))
        return summary
    }

    private func check() throws(FlistError) {
        guard !options.stores.isEmpty else {
            throw FlistError(.usage, "cannot pack \(options.source): no store is named for the blocks")
        }
        guard (4096...(64 << 20)).contains(options.blockSize) else {
            throw FlistError(.usage, "blocks of \(options.blockSize) bytes cannot be made, only of 4KiB to 64MiB")
        }
        try options.base?.check(for: options)
        guard options.format == .zstd || options.blockSize == 512 << 10 else {
            throw FlistError(.usage, "rfs reads blocks of 512KiB alone, not of \(options.blockSize) bytes")
        }
        // Better told now than after an hour.
        let slash = options.output.lastIndex(of: "/")
        let folder = slash.map { $0 == options.output.startIndex ? "/" : String(options.output[..<$0]) } ?? "."
        guard access(folder, W_OK | X_OK) == 0 else {
            throw FlistError("cannot write \(options.output): its folder", errno: .current)
        }
        // So is this: every id needs a store.
        for byte in UInt8.min...UInt8.max {
            guard options.stores.contains(where: { $0.takes(firstByte: byte) }) else {
                throw FlistError(
                    .usage, "no store takes the blocks whose ids begin with \(Hex.encode([byte])); name one")
            }
        }
    }

    /// Runs the threads; the tree when the source was looked through to its end.
    private func pack(_ shared: PackShared, threads: Int) throws(FlistError) -> PackTree? {
        var workers: [WorkerThread] = []
        defer {
            shared.queue.close()
            for worker in workers { worker.join() }
            shared.uploads.finish()
        }
        do throws(FlistError) {
            for number in 0..<threads {
                workers.append(
                    try WorkerThread("pack-\(number)") {
                        var worker = PackWorker(shared)
                        worker.run()
                    })
            }
            return try scan(shared)
        } catch {
            shared.give(up: error)
            throw error
        }
    }

    private func scan(_ shared: PackShared) throws(FlistError) -> PackTree? {
        var status = stat()
        guard stat(options.source, &status) == 0 else {
            throw FlistError("cannot read \(options.source)", errno: .current)
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            var scanner = try DirectoryScanner(options, own: own(), shared)
            return scanner.scan()
        }
        var scanner = try TarScanner(options, shared)
        return try scanner.scan()
    }

    /// What this packing writes, which is not to be packed.
    private func own() -> Set<DirectoryScanner.Own> {
        let folders = options.stores.filter { $0.url.scheme == .dir }.map(\.url.path)
        var own: Set<DirectoryScanner.Own> = []
        for path in folders + [options.output] {
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            own.insert(DirectoryScanner.Own(device: UInt64(status.st_dev), number: UInt64(status.st_ino)))
        }
        return own
    }

    private func write(_ tree: PackTree, _ blocks: [BlockTable.Block]) throws(FlistError) -> PackSummary {
        let writer = try FlistWriter(
            options.output, kind: options.kind, blockSize: options.blockSize)
        for route in options.stores {
            let url = options.keepPasswords ? route.url.withPassword : route.url.withoutPassword
            try writer.addRoute(
                ImageRoute(start: route.range.first.first ?? 0, end: route.range.last.first ?? 255, url: url))
        }
        if !options.profile.isEmpty { try writer.addProfile(options.profile) }
        var emitter = PackEmitter(tree, blocks, to: writer)
        let summary = try emitter.write()
        try writer.finish()
        tell(writer.losses)
        return summary
    }

    private func tell(_ losses: FlistWriter.Losses) {
        var parts: [String] = []
        if losses.hardLinks > 0 { parts.append("\(losses.hardLinks) hard links (they become files of their own)") }
        if losses.xattrs > 0 { parts.append("\(losses.xattrs) extended attributes") }
        if losses.names > 0 { parts.append("\(losses.names) names that are not UTF-8 (they are changed)") }
        if losses.nanoseconds > 0 { parts.append("fractions of seconds of \(losses.nanoseconds) entries") }
        guard !parts.isEmpty else { return }
        journal.warn("\(options.output): the rfs format cannot hold \(parts.joined(separator: ", "))")
    }
}

/// Lets the upload threads end what is made after them.
private final class PackEnding: Sendable {
    let shared = Mutex<PackShared?>(nil)

    func give(up error: FlistError) { shared.withLock { $0 }?.give(up: error) }
}

extension StoreRoute {
    fileprivate func takes(firstByte byte: UInt8) -> Bool {
        guard let first = range.first.first, let last = range.last.first else { return false }
        return first <= byte && byte <= last
    }
}
