internal import Glibc
public import Support
internal import Synchronization

/// Measures reads of a file, or of the regular files of a tree.
public struct ReadBench: Sendable {
    public enum Pattern: String, Sendable, CaseIterable {
        /// Each file from its beginning to its end, once.
        case sequential
        /// Anywhere in any file: files by chance, each as likely; then a place in it, at a multiple of the read's size.
        case random
    }

    /// More files than this are not kept in mind: the first ones are read.
    public static let fileLimit = 100_000

    struct File: Sendable {
        /// With a zero at its end.
        let path: [CChar]
        let size: Int

        func open() throws(Errno) -> FileDescriptor {
            FileDescriptor(owning: try systemCall { Glibc.open(path, O_RDONLY | O_CLOEXEC) })
        }
    }

    let files: [File]
    /// Bytes of the files.
    public let bytes: UInt64
    /// True when the tree has more files than `fileLimit`.
    public let isPart: Bool

    public var fileCount: Int { files.count }

    /// Finds the files. Blocks.
    ///
    /// - Throws: `notFound` when there is nothing to read.
    public init(_ path: String) throws(FlistError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw FlistError("cannot read \(path)", errno: .current) }
        var files: [File] = []
        var isPart = false
        if status.st_mode & S_IFMT == S_IFREG {
            files = [File(path: Array(path.utf8CString), size: Int(status.st_size))]
        } else {
            try FileWalk.run(path) { entry in
                guard entry.isRegular, entry.status.st_size > 0 else { return true }
                isPart = files.count == Self.fileLimit
                if !isPart { files.append(File(path: entry.path, size: Int(entry.status.st_size))) }
                return !isPart
            }
        }
        files.removeAll { $0.size == 0 }
        guard !files.isEmpty else { throw FlistError(.notFound, "\(path): no file there has bytes to read") }
        self.files = files
        self.isPart = isPart
        bytes = files.reduce(0) { $0 + UInt64($1.size) }
    }

    /// Reads, on `concurrency` threads; blocks until the limit is reached or, in sequence, all files were read.
    ///
    /// - Parameter size: of one read(2), in bytes.
    /// - Throws: when no thread can be started. What cannot be read is counted.
    public func run(
        _ pattern: Pattern, size: Int, concurrency: Int, limit: BenchLimit, progress: BenchProgress = BenchProgress()
    ) throws(FlistError) -> BenchFigures {
        let total = Mutex(BenchFigures())
        let start = Deadline.now
        let turn = Turn(
            next: Atomic(0), left: Atomic(limit.count ?? .max),
            end: limit.duration.map { Deadline.after($0) } ?? .never)
        var workers: [WorkerThread] = []
        for number in 0..<max(1, concurrency) {
            workers.append(
                try WorkerThread("bench-\(number)") {
                    var figures = BenchFigures()
                    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, size), alignment: 4096)
                    defer { memory.deallocate() }
                    switch pattern {
                    case .sequential: readAll(memory, turn, progress, &figures)
                    case .random: readAnywhere(memory, UInt64(number), turn, progress, &figures)
                    }
                    total.withLock { $0.merge(figures) }
                })
        }
        for worker in workers { worker.join() }
        var result = total.withLock { $0 }
        result.elapsed = .nanoseconds(Int64(clamping: Deadline.now.nanoseconds - start.nanoseconds))
        return result
    }

    /// What the threads of a run share.
    private final class Turn: Sendable {
        let next: Atomic<Int>
        let left: Atomic<Int>
        let end: Deadline

        init(next: consuming Atomic<Int>, left: consuming Atomic<Int>, end: Deadline) {
            self.next = next
            self.left = left
            self.end = end
        }

        /// Whether one more read may be made.
        func take() -> Bool { !end.hasPassed && left.subtract(1, ordering: .relaxed).oldValue > 0 }
    }

    private func readAll(
        _ memory: UnsafeMutableRawBufferPointer, _ turn: Turn, _ progress: BenchProgress, _ figures: inout BenchFigures
    ) {
        while true {
            let index = turn.next.add(1, ordering: .relaxed).oldValue
            guard index < files.count else { return }
            let file = files[index]
            do throws(Errno) {
                let descriptor = try file.open()
                var offset: UInt64 = 0
                while offset < UInt64(file.size) {
                    guard turn.take() else { return }
                    let start = Deadline.now
                    let count = try descriptor.readSome(memory, at: offset)
                    if count == 0 { break }
                    figures.succeed(bytes: count, since: start)
                    progress.add(bytes: count)
                    offset += UInt64(count)
                }
            } catch {
                figures.fail("\(FileWalk.shown(file.path)): \(error)")
            }
        }
    }

    private func readAnywhere(
        _ memory: UnsafeMutableRawBufferPointer, _ seed: UInt64, _ turn: Turn, _ progress: BenchProgress,
        _ figures: inout BenchFigures
    ) {
        var generator = RepeatableGenerator(seed: seed)
        while turn.take() {
            let file = files[Int.random(in: 0..<files.count, using: &generator)]
            let place = Int.random(in: 0...((file.size - 1) / memory.count), using: &generator) * memory.count
            do throws(Errno) {
                let descriptor = try file.open()
                let start = Deadline.now
                let count = try descriptor.readSome(memory, at: UInt64(place))
                figures.succeed(bytes: count, since: start)
                progress.add(bytes: count)
            } catch {
                figures.fail("\(FileWalk.shown(file.path)): \(error)")
            }
        }
    }
}

extension FileDescriptor {
    /// One pread(2).
    fileprivate borrowing func readSome(
        _ memory: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(Errno) -> Int {
        let number = number
        return try systemCall { pread(number, memory.baseAddress, memory.count, Int(offset)) }
    }
}
