internal import BlockCodec
internal import BlockStore
internal import Glibc
internal import Logging
internal import Support

/// Takes a flist off the network: into its file, through the hash, with a line to the log now and then.
final class FlistSink: HTTPSink {
    private let file: FileDescriptor
    private var hasher: MD5?
    private(set) var count: UInt64 = 0

    private let shown: String
    private let interval: Duration
    private let logger: Logger
    private var nextLine: Deadline

    init(_ file: borrowing FileDescriptor, shown: String, interval: Duration, logger: Logger) throws(Errno) {
        self.file = try file.duplicate()
        self.shown = shown
        self.interval = interval
        self.logger = logger
        nextLine = .after(interval)
        try restart()
    }

    func restart() throws(Errno) {
        let number = file.number
        _ = try systemCall { ftruncate(number, 0) }
        count = 0
        guard let hasher = MD5() else { throw .notSupported }
        self.hasher = consume hasher
    }

    func append(_ bytes: UnsafeRawBufferPointer, total: UInt64?) throws(Errno) {
        try file.write(bytes, at: count)
        hasher?.update(bytes)
        count += UInt64(bytes.count)
        guard nextLine.hasPassed else { return }
        nextLine = .after(interval)
        let whole = total.map { " of \(ByteCount($0))" } ?? ""
        logger.info("fetching \(shown): \(ByteCount(count))\(whole)")
    }

    /// The hash of all bytes. `restart` before anything else is appended.
    func finish() -> Digest? { hasher.take()?.finalize() }
}
