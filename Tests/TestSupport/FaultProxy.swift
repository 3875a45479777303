internal import Glibc
internal import Support

/// A TCP proxy on 127.0.0.1 that does to the replies of a server what bad networks and servers do.
///
/// A fault may be changed at any time; it holds for replies from then on. Byte counts are per connection, over all
/// that was passed on to the client.
public final class FaultProxy: Sendable {
    public enum Fault: Sendable, Equatable {
        case none
        /// Every reply comes this much later; requests go through at once.
        case delay(Duration)
        /// Nothing listens, and open connections break.
        case refuse
        /// Connections are taken and reset at once.
        case hangUp
        /// A reset after so many bytes of replies.
        case reset(after: Int)
        /// Nothing more after so many bytes, until the fault is changed.
        case stall(after: Int)
        /// So many bytes at a time, with a pause between.
        case trickle(bytes: Int, every: Duration)
        /// An orderly end after so many bytes.
        case truncate(after: Int)
        /// The lowest bit of this byte is wrong.
        case flipBit(at: Int)
        /// The lowest bit of every so manieth byte is wrong.
        case flipBits(every: Int)
        /// These bytes in place of the first reply, then the end.
        case garbage([UInt8])
    }

    struct State {
        var fault = Fault.none
        var listener: Int32 = -1
        // True until the accepting thread has closed the listener.
        var isListening = false
        var isStopped = false
        var connections: [ObjectIdentifier: ProxyConnection] = [:]
        var accepted = 0
        var requestBytes = 0
        var replyBytes = 0
        var requestBytesBeforeFirstReply: Int?
    }

    public let port: UInt16
    private let target: UInt16
    let state = Monitor(State())

    /// Starts to pass connections on to 127.0.0.1:`target`.
    public init(to target: UInt16, fault: Fault = .none) throws {
        self.target = target
        let (fd, port) = try TestSocket.listen()
        self.port = port
        state.withLock { state in
            state.listener = fd
            state.fault = fault
        }
        if fault == .refuse { unlisten() } else { try accept(on: fd) }
    }

    deinit { stop() }

    public var fault: Fault { state.withLock { $0.fault } }

    public func set(_ fault: Fault) throws {
        let old = state.withLock { state -> Fault in
            defer { state.fault = fault }
            return state.fault
        }
        state.broadcast()
        if fault == .refuse, old != .refuse { unlisten() }
        if fault != .refuse, old == .refuse {
            let (fd, _) = try TestSocket.listen(port: port)
            state.withLock { $0.listener = fd }
            try accept(on: fd)
        }
    }

    /// Connections accepted so far.
    public var connections: Int { state.withLock { $0.accepted } }
    public var requestBytes: Int { state.withLock { $0.requestBytes } }
    public var replyBytes: Int { state.withLock { $0.replyBytes } }
    /// Request bytes that had come when the first reply byte was passed on.
    public var requestBytesBeforeFirstReply: Int? { state.withLock { $0.requestBytesBeforeFirstReply } }

    /// Starts counting anew.
    public func resetCounters() {
        state.withLock { state in
            state.accepted = 0
            state.requestBytes = 0
            state.replyBytes = 0
            state.requestBytesBeforeFirstReply = nil
        }
    }

    /// Waits until at least so many request bytes have come; false after ten seconds.
    public func waitForRequestBytes(_ count: Int) -> Bool {
        state.wait(until: .after(.seconds(10))) { $0.requestBytes >= count ? true : nil } ?? false
    }

    /// Resets all connections; the listener stays.
    public func breakConnections() {
        for connection in state.withLock({ Array($0.connections.values) }) { connection.end(reset: true) }
    }

    public func stop() {
        state.withLock { $0.isStopped = true }
        state.broadcast()
        unlisten()
    }

    private func unlisten() {
        let listener = state.withLock { state -> Int32 in
            defer { state.listener = -1 }
            return state.listener
        }
        if listener >= 0 {
            // Wakes the thread in accept, which closes it; before that connects would still be taken.
            shutdown(listener, Int32(SHUT_RDWR))
            state.wait { $0.isListening ? nil : () }
        }
        breakConnections()
    }

    private func accept(on listener: Int32) throws {
        let (state, target) = (state, target)
        state.withLock { $0.isListening = true }
        try WorkerThread("proxy-accept") {
            while true {
                let client = Glibc.accept(listener, nil, nil)
                if client < 0 { break }
                let hangsUp = state.withLock { state in
                    if state.fault == .hangUp { state.accepted += 1 }
                    return state.fault == .hangUp
                }
                guard !hangsUp, let server = try? TestSocket.connect(port: target) else {
                    TestSocket.reset(client)
                    close(client)
                    continue
                }
                let connection = ProxyConnection(client: client, server: server, state: state)
                state.withLock { state in
                    state.accepted += 1
                    state.connections[ObjectIdentifier(connection)] = connection
                }
                connection.start()
            }
            close(listener)
            state.withLock { $0.isListening = false }
            state.broadcast()
        }.detach()
    }
}
