internal import CLinux
internal import Glibc
public import Support
internal import Synchronization

/// A unix socket that tells whoever connects how a program is: it writes one answer and closes.
///
/// Only root and the program's own user are answered. At most 16 are at a time, others wait; one that does not read for
/// ten seconds is cut off. One thread serves all. Thread-safe.
public final class ControlSocket: Sendable {
    private let service: ControlService
    private let thread: Mutex<WorkerThread?>
    private let path: String
    /// By which our socket is told from one that another process put in its place.
    private let inode: UInt?

    /// Makes the socket, with mode 0600, and begins to answer. A socket that a dead process left there is replaced.
    ///
    /// - Parameters:
    ///   - path: where; its folder must be there. May be longer than a socket's address, the last component up to 90
    ///     bytes or so.
    ///   - answer: makes the answer for one connection, on the socket's thread; the next one waits meanwhile.
    /// - Throws: `FlistError.Code.busy` when another process answers there, `exists` when something else than a socket is
    ///   there, `usage` for a path that cannot be one.
    public init(path: String, answer: @escaping @Sendable () -> [UInt8]) throws(FlistError) {
        let listener = try ControlSocket.listen(path)
        self.path = path
        inode = Self.inode(path)
        do throws(FlistError) {
            let service = try ControlService(listener: listener, answer: answer)
            self.service = service
            thread = Mutex(try WorkerThread("control") { service.run() })
        } catch {
            unlink(path)
            throw error
        }
    }

    deinit { close() }

    /// Stops answering and removes the socket. Waits for an answer that is being made. May be called again.
    public func close() {
        let thread = thread.withLock { $0.take() }
        guard let thread else { return }
        // Out of sight first: who comes from now on finds nobody, rather than somebody who hangs up.
        if let inode, Self.inode(path) == inode { unlink(path) }
        service.stop()
        thread.join()
    }

    private static func inode(_ path: String) -> UInt? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_ino : nil
    }
}
