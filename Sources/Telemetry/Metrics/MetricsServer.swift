internal import CMicroHTTPD
internal import Glibc
public import Support
internal import Synchronization

/// Shows figures over HTTP: `GET /metrics` answers a page made at that moment, `GET /healthz` "ok" as long as the process
/// lives. One thread of its own serves all, at most 16 connections, each given up after ten idle seconds. Thread-safe.
public final class MetricsServer: Sendable {
    /// Runs its argument somewhere else, such as in another network namespace, and leaves again.
    public typealias Scope = (_ body: () throws(FlistError) -> Void) throws(FlistError) -> Void

    /// Where it listens; the one it got when it was told 0.
    public let port: UInt16

    private static let connections: UInt32 = 16
    private static let patience: UInt32 = 10
    /// For one connection's headers, in both directions.
    private static let memory = 16 << 10

    private struct Running: @unchecked Sendable {
        // libmicrohttpd's own thread uses it; only `stop` frees it, once.
        let daemon: OpaquePointer
    }

    private let running: Mutex<Running?>
    private let pages: MetricsPages

    /// Listens and begins to answer.
    ///
    /// - Parameters:
    ///   - address: `127.0.0.1:9464`, `[::1]:9464`, or `:9464` for all addresses; port 0 takes a free one.
    ///   - scope: where the socket is made. A socket belongs to the network namespace in which it was made for good.
    ///   - page: makes the page, on the server's thread, so it must not block for long.
    /// - Throws: `FlistError.Code.usage` for an address that is none, `busy` when somebody listens there already.
    public init(
        address: String, scope: Scope = { body throws(FlistError) in try body() },
        page: @escaping @Sendable () -> String
    ) throws(FlistError) {
        let place = try MetricsAddress(parsing: address)
        var made: (descriptor: Int32, port: UInt16)?
        try scope { () throws(FlistError) in
            do throws(Errno) {
                let socket = try place.listen()
                let port = try MetricsAddress.port(of: socket)
                made = (socket.release(), port)
            } catch {
                let code: FlistError.Code? = error.rawValue == EADDRINUSE ? .busy : nil
                let what = "cannot listen at \(address) for metrics"
                throw code.map { FlistError($0, what, cause: error) } ?? FlistError(what, errno: error)
            }
        }
        guard let made else { throw FlistError(.io, "cannot listen at \(address) for metrics: no socket was made") }
        port = made.port
        pages = MetricsPages(page)
        guard let daemon = Self.start(made.descriptor, Unmanaged.passUnretained(pages).toOpaque()) else {
            let error = Errno.current
            close(made.descriptor)
            let remedy = error.rawValue == ELIBACC ? "; install libmicrohttpd12" : ""
            throw FlistError("cannot serve metrics at \(address)\(remedy)", errno: error)
        }
        running = Mutex(Running(daemon: daemon))
    }

    deinit { stop() }

    /// Stops listening; waits for answers that are being made. May be called again.
    public func stop() {
        guard let running = running.withLock({ $0.take() }) else { return }
        // Closes the socket, too.
        MHD_stop_daemon(running.daemon)
    }

    private static func start(_ socket: Int32, _ context: UnsafeMutableRawPointer) -> OpaquePointer? {
        // The thread inherits the mask: signals belong to the thread that waits for them.
        var (all, old) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &old)
        defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
        return mhd_start_on_socket(socket, connections, patience, memory, respond, context)
    }
}
