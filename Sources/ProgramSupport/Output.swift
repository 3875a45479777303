internal import Glibc
internal import Support
internal import Synchronization

/// Standard output: buffered, of bytes; nothing but the answer goes there. Thread-safe.
public enum Output {
    private struct State {
        var pending: [UInt8] = []
        var failure: Errno?
    }

    private static let state = Mutex(State())
    /// Beyond this the buffer is written.
    private static let limit = 64 << 10

    /// Adds text as it is.
    public static func write(_ text: String) { write(bytes: Array(text.utf8)) }

    /// Adds text and the end of a line.
    public static func line(_ text: String) { write(bytes: Array(text.utf8) + [UInt8(ascii: "\n")]) }

    /// Adds bytes as they are; writes when enough have come together.
    public static func write(bytes: [UInt8]) {
        state.withLock { state in
            state.pending.append(contentsOf: bytes)
            if state.pending.count >= limit { flush(&state) }
        }
    }

    /// Writes at once, without a copy: contents of files.
    public static func write(raw: UnsafeRawBufferPointer) {
        state.withLock { state in
            flush(&state)
            write(raw, &state)
        }
    }

    /// True once the reader has gone or the disk is full: no use in going on.
    public static var hasFailed: Bool { state.withLock { $0.failure != nil } }

    /// Writes what is pending; tells of a failure on stderr, unless the reader has just gone away, and answers whether
    /// all was written.
    public static func finish() -> Bool {
        let failure = state.withLock { state in
            flush(&state)
            return state.failure
        }
        guard let failure else { return true }
        // `flist ls | head` is no failure of anybody's.
        if failure.rawValue == EPIPE { return true }
        Terminal.complain("cannot write to standard output: \(failure)")
        return false
    }

    private static func flush(_ state: inout State) {
        let bytes = state.pending
        state.pending.removeAll(keepingCapacity: true)
        bytes.withUnsafeBytes { write($0, &state) }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, _ state: inout State) {
        guard state.failure == nil else { return }
        var done = 0
        do throws(Errno) {
            while done < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                done += try systemCall { Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count) }
            }
        } catch {
            state.failure = error
        }
    }
}
