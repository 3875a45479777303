internal import BlockCodec
internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

/// Blocks as files in a folder: `<root>/<first byte>/<id>`, or `<root>/<id>` in old ones; names in lower-case hex.
///
/// The folder is made by the first write, never by a read. A write makes a file of another name in the same folder
/// and renames it, so that readers see whole blocks only; it is not synced, since blocks can be made again and a
/// block that a crash cut short is noticed by its hash.
final class DirStore: BlockStore {
    /// Reads of a disk gain from a few at once.
    private static let maximumThreads = 4
    /// A worker without work goes after this.
    private static let idleTime = Duration.seconds(10)

    private struct State {
        var queue: [StoreRequest] = []
        var head = 0
        var threads = 0
        var idle = 0
        var isClosed = false

        mutating func popFirst() -> StoreRequest? {
            guard head < queue.count else { return nil }
            defer {
                head += 1
                if head == queue.count || head >= 1024 {
                    queue.removeFirst(head)
                    head = 0
                }
            }
            return queue[head]
        }
    }

    let address: String
    private let root: String
    /// Tells the unfinished files of this object from those of others, on other machines too.
    private let mark = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    private let written = Atomic<UInt64>(0)
    private let state = Monitor(State())

    init(_ url: StoreURL) {
        address = url.description
        var root = url.path[...]
        while root.count > 1, root.last == "/" { root.removeLast() }
        self.root = String(root)
    }

    func get(_ requests: [StoreRequest]) {
        let (isClosed, missing) = state.withLock { state -> (Bool, Int) in
            if state.isClosed { return (true, 0) }
            state.queue.append(contentsOf: requests)
            let waiting = state.queue.count - state.head
            let more = min(max(0, waiting - state.idle), Self.maximumThreads - state.threads)
            state.threads += more
            return (false, more)
        }
        if isClosed {
            for request in requests { request.cancel() }
            return
        }
        state.broadcast()
        for _ in 0..<missing { startThread() }
    }

    private func startThread() {
        let (state, root) = (state, root)
        do throws(FlistError) {
            try WorkerThread("store-folder") { Self.work(state, root) }.detach()
        } catch {
            let stranded = state.withLock { state -> [StoreRequest] in
                state.threads -= 1
                guard state.threads == 0 else { return [] }
                defer { (state.queue, state.head) = ([], 0) }
                return Array(state.queue[state.head...])
            }
            for request in stranded { request.complete(.failure(.unreachable(error.description))) }
        }
    }

    private static func work(_ state: Monitor<State>, _ root: String) {
        while true {
            state.withLock { $0.idle += 1 }
            let request = state.wait(until: .after(idleTime)) { state -> StoreRequest?? in
                if let request = state.popFirst() { return .some(request) }
                return state.isClosed ? .some(nil) : nil
            }
            // Nothing may come between "no work" and leaving, or a request would wait for nobody.
            let next = state.withLock { state -> StoreRequest? in
                state.idle -= 1
                if let request, let request { return request }
                if let late = state.popFirst() { return late }
                state.threads -= 1
                return nil
            }
            guard let next else { return }
            guard !next.isFinished else { continue }
            guard !next.deadline.hasPassed else {
                next.complete(.failure(.timedOut))
                continue
            }
            do throws(StoreError) {
                next.complete(.success(try read(next, root)))
            } catch {
                next.complete(.failure(error))
            }
        }
    }

    private static func read(_ request: StoreRequest, _ root: String) throws(StoreError) -> BlockBuffer {
        let name = request.id.description
        let path = "\(root)/\(name.prefix(2))/\(name)"
        let file: FileDescriptor
        do throws(Errno) {
            file = try openFile(path, orElse: "\(root)/\(name)")
        } catch .noEntry {
            throw .missing
        } catch {
            throw .unreachable("cannot open \(path): \(error)")
        }
        do throws(Errno) {
            var status = stat()
            let number = file.number
            _ = try systemCall { fstat(number, &status) }
            guard status.st_mode & S_IFMT == S_IFREG else { throw Errno.invalid }
            guard status.st_size <= request.maximumLength else { throw Errno(rawValue: EFBIG) }
            let length = Int(status.st_size)
            let buffer = BlockBufferPool.shared.buffer(capacity: length)
            buffer.count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.memory[..<length]), at: 0)
            return buffer
        } catch {
            if error.rawValue == EFBIG { throw .tooLarge }
            throw .unreachable("cannot read \(path): \(error)")
        }
    }

    private static func openFile(_ path: String, orElse flat: String) throws(Errno) -> FileDescriptor {
        // Non-blocking: a fifo in the place of a block must not hold the thread.
        do throws(Errno) {
            return try FileDescriptor(path, O_RDONLY | O_NONBLOCK)
        } catch .noEntry {
            return try FileDescriptor(flat, O_RDONLY | O_NONBLOCK)
        }
    }

    func put(_ id: Digest, _ stored: UnsafeRawBufferPointer) throws(StoreError) {
        let name = id.description
        let folder = "\(root)/\(name.prefix(2))"
        let path = "\(folder)/\(name)"
        var status = stat()
        // The name is the hash of the bytes: a file of the right length has them already, unless it rotted.
        if stat(path, &status) == 0, status.st_size == stored.count { return }
        do throws(Errno) {
            let number = written.wrappingAdd(1, ordering: .relaxed).newValue
            let temporary = "\(folder)/.\(name).\(mark).\(number)"
            let file = try Self.make(temporary, in: folder)
            do throws(Errno) {
                try file.write(stored, at: 0)
                _ = try systemCall { rename(temporary, path) }
            } catch {
                unlink(temporary)
                throw error
            }
        } catch {
            throw .refused("cannot write \(path): \(error)")
        }
    }

    private static func make(_ path: String, in folder: String) throws(Errno) -> FileDescriptor {
        let flags = O_WRONLY | O_CREAT | O_EXCL
        do throws(Errno) {
            return try FileDescriptor(path, flags, mode: 0o644)
        } catch .noEntry {
            // Rare: all but the first block of a folder find it.
            try Folder.make(folder, mode: 0o755, parents: true)
            return try FileDescriptor(path, flags, mode: 0o644)
        }
    }

    func contains(_ ids: [Digest]) throws(StoreError) -> [Bool] {
        ids.map { id in
            let name = id.description
            return access("\(root)/\(name.prefix(2))/\(name)", F_OK) == 0 || access("\(root)/\(name)", F_OK) == 0
        }
    }

    func close() {
        let left = state.withLock { state -> [StoreRequest] in
            state.isClosed = true
            defer { (state.queue, state.head) = ([], 0) }
            return Array(state.queue[state.head...])
        }
        state.broadcast()
        for request in left { request.cancel() }
    }

    deinit { close() }
}
