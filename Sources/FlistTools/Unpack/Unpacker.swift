internal import BlockCodec
internal import BlockStore
public import FlistImage
internal import CLinux
internal import Glibc
public import Support
internal import Synchronization

/// Makes the tree of a flist in a folder: owners, permissions, times, links, special files, xattrs, holes.
///
/// Entries are made by one thread relative to open folders, never through a symlink; contents are fetched with many
/// blocks under way and written by others. An entry that cannot be made is told and counted, and the rest goes on; a
/// file of which a block is missing is removed, so that no file has wrong contents.
public final class Unpacker: Sendable {
    /// Threads that write to files: the fetcher's must not wait for a disk. Whoever adds bounds how many jobs wait.
    typealias Writers = WorkQueue<@Sendable () -> Void>

    /// Blocks under way at once, fetched or waiting to be written.
    private static let blockLimit = 1024
    private static let byteLimit = 128 << 20
    /// Files that are open at once.
    private static let fileLimit = 256

    let index: TreeIndex
    let options: UnpackOptions
    let attributeWriter: AttributeWriter
    private let supply: BlockSupply
    private let tell: @Sendable (String) -> Void
    private let blocks = FlightLimit(count: blockLimit, bytes: byteLimit)
    private let files = FlightLimit(count: fileLimit, bytes: .max)
    private let state: Mutex<State>

    private struct State {
        var progress = BlockProgress()
        var failed = 0
        /// Files whose contents could not be had: all their names go.
        var lost: Set<InodeNumber> = []
    }

    /// - Parameter tell: Gets a line for each entry that fails, at once, on any thread.
    public init(
        _ index: TreeIndex, _ supply: BlockSupply, options: UnpackOptions, tell: @escaping @Sendable (String) -> Void
    ) {
        self.index = index
        self.supply = supply
        self.options = options
        self.tell = tell
        attributeWriter = AttributeWriter(index: index, keepOwners: options.keepOwners)
        var progress = BlockProgress()
        progress.totalBytes = index.summary.storedPlainSize
        state = Mutex(State(progress: progress))
    }

    /// How far it is. Thread-safe.
    public var progress: BlockProgress { state.withLock { $0.progress } }

    /// Unpacks into a folder, which is made if it is missing and must be empty otherwise; once. Blocks until done.
    ///
    /// - Throws: When the folder cannot be used. What concerns single entries is told and counted.
    public func run(into path: String) throws(FlistError) -> UnpackSummary {
        let start = Deadline.now
        let top = try openTop(path)
        let writers = try Writers("unpack", threads: Processors.count) { $0() }
        var walk = UnpackWalk(self, top: top, writers: writers)
        walk.run()
        blocks.drain()
        files.drain()
        writers.finish()
        walk.removeNames(of: state.withLock { $0.lost })
        var summary = UnpackSummary()
        state.withLock { state in
            summary.entries = state.progress.items
            summary.bytes = state.progress.bytes
            summary.failed = state.failed
        }
        summary.duration = .nanoseconds(Int64(clamping: Deadline.now.nanoseconds - start.nanoseconds))
        return summary
    }

    private func openTop(_ path: String) throws(FlistError) -> TargetFolder {
        do throws(Errno) {
            if mkdir(path, 0o700) != 0, errno != EEXIST { throw Errno.current }
            let top = TargetFolder(try FileDescriptor(path, O_RDONLY | O_DIRECTORY))
            if options.force { return top }
            if try top.isEmpty() { return top }
        } catch {
            throw FlistError("cannot unpack into \(path)", errno: error)
        }
        throw FlistError(
            .exists, "cannot unpack into \(path): it is not empty; name another folder, or use --force to write into it"
        )
    }

    // MARK: What the walk and the writers report

    func made() { state.withLock { $0.progress.items += 1 } }

    func failed(_ number: InodeNumber, _ why: String) {
        state.withLock { $0.failed += 1 }
        tell("\(PathText.escaped(index.path(of: number))): \(why)")
    }

    func failed(_ number: InodeNumber, _ error: AttributeError) {
        failed(number, "cannot set \(error.what): \(error.errno)")
    }

    // MARK: Contents

    /// Starts to fill a file. Waits while too much is under way.
    func fill(
        _ file: UnpackFile, _ contents: TreeIndexBlocks?, in folder: TargetFolder, name: [UInt8], _ writers: Writers
    ) {
        files.enter(0)
        let size = contents?.size ?? 0
        if size > 0, ftruncate(file.descriptor.number, off_t(clamping: size)) != 0 {
            _ = file.end(failure: "cannot make it \(size) bytes long: \(Errno.current)")
        } else {
            _ = file.end()
        }
        if let contents {
            for position in 0..<contents.count {
                guard let reference = contents[position] else { continue }
                if file.hasFailed {
                    end(file, in: folder, name: name)
                    continue
                }
                let offset = UInt64(position) * UInt64(contents.blockSize)
                blocks.enter(reference.plainLength)
                supply.fetch(reference, file.attributes.number, position) { [self] result in
                    writers.add { [self] in
                        let failure = write(result, to: file, at: offset)
                        blocks.leave(reference.plainLength)
                        end(file, in: folder, name: name, failure: failure)
                    }
                }
            }
        }
        end(file, in: folder, name: name)
    }

    /// Why it failed, if it did.
    private func write(_ result: Result<BlockBuffer, FetchError>, to file: UnpackFile, at offset: UInt64) -> String? {
        switch result {
        case .failure(let error): return error.description
        case .success(let block):
            do throws(Errno) {
                try file.descriptor.write(block.bytes, at: offset)
            } catch {
                return "cannot write it: \(error)"
            }
            state.withLock { $0.progress.bytes += UInt64(block.count) }
            return nil
        }
    }

    /// Ends a part of a file; the last one completes it.
    private func end(_ file: UnpackFile, in folder: TargetFolder, name: [UInt8], failure: String? = nil) {
        guard let outcome = file.end(failure: failure) else { return }
        defer { files.leave(0) }
        switch outcome {
        case .success:
            made()
            do throws(AttributeError) {
                try attributeWriter.apply(file.number, file.attributes, to: file.descriptor.number)
            } catch {
                failed(file.number, error)
            }
        case .failure(let failure):
            state.withLock { _ = $0.lost.insert(file.attributes.number) }
            failed(file.number, failure.reason)
            // A folder that may not be written to any more keeps the names: they show nothing then, and nothing wrong.
            do throws(Errno) { try folder.remove(name) } catch { ftruncate(file.descriptor.number, 0) }
        }
    }
}
