public import Support

/// A read that waits for its bytes without holding a thread; answered once, by whoever comes first.
///
/// Further answers are ignored. When the reader is interrupted it is answered EINTR at once. Dropped, it answers
/// EIO. Thread-safe.
public final class ParkedReply: Sendable {
    private let parking: Parking

    /// Takes over the reply, in the file system's method.
    ///
    /// `onInterrupt` runs on any thread after EINTR was answered, if nobody answered before; it must not block.
    /// The kernel tells of interrupts only for reads that it waits for itself (direct I/O, and single pages); readers
    /// of the page cache that are killed leave at once, and the read goes on for others.
    public init(_ reply: consuming DataReply, onInterrupt: (@Sendable () -> Void)? = nil) {
        parking = Parking(reply, onInterrupt)
    }

    deinit { fail(.io) }

    /// Whether it is answered.
    public var isAnswered: Bool { parking.isAnswered }

    /// Answers with bytes, which are copied to the reader before this returns; false if it was answered before.
    @discardableResult
    public func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let reply = parking.take() else { return false }
        reply.send(bytes)
        return true
    }

    /// Answers with an error; false if it was answered before.
    @discardableResult
    public func fail(_ error: Errno) -> Bool {
        guard let reply = parking.take() else { return false }
        reply.fail(error)
        return true
    }
}
