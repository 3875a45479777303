internal import Glibc
internal import Support

/// One connection through a `FaultProxy`: a thread for each direction, and one that passes replies on in time.
final class ProxyConnection: Sendable {
    private struct Pending {
        // A chunk and when it came; an empty chunk is the end.
        var chunks: [(bytes: [UInt8], came: Deadline)] = []
        var threads = 3
        var isEnded = false
    }

    private let client: Int32
    private let server: Int32
    private let proxy: Monitor<FaultProxy.State>
    private let pending = Monitor(Pending())

    init(client: Int32, server: Int32, state: Monitor<FaultProxy.State>) {
        self.client = client
        self.server = server
        proxy = state
    }

    func start() {
        for (name, body) in [("proxy-up", passRequests), ("proxy-down", readReplies), ("proxy-late", passReplies)] {
            do {
                try WorkerThread(name) { [self] in
                    body()
                    leave()
                }.detach()
            } catch {
                leave()
            }
        }
    }

    /// Ends both sides; descriptors are closed by the last thread.
    func end(reset: Bool) {
        let first = pending.withLock { pending -> Bool in
            defer { pending.isEnded = true }
            return !pending.isEnded && pending.threads > 0
        }
        pending.broadcast()
        guard first else { return }
        if reset { TestSocket.reset(client) }
        shutdown(server, Int32(SHUT_RDWR))
        if !reset { shutdown(client, Int32(SHUT_RDWR)) }
        proxy.broadcast()
    }

    private func leave() {
        let isLast = pending.withLock { pending -> Bool in
            pending.threads -= 1
            return pending.threads == 0
        }
        guard isLast else { return }
        close(client)
        close(server)
        proxy.withLock { $0.connections[ObjectIdentifier(self)] = nil }
    }

    @Sendable private func passRequests() {
        while let bytes = TestSocket.receive(from: client) {
            proxy.withLock { $0.requestBytes += bytes.count }
            proxy.broadcast()
            guard TestSocket.send(bytes, to: server) else { break }
        }
        shutdown(server, Int32(SHUT_WR))
    }

    @Sendable private func readReplies() {
        while let bytes = TestSocket.receive(from: server) {
            pending.withLock { $0.chunks.append((bytes, .now)) }
            pending.signal()
        }
        pending.withLock { $0.chunks.append(([], .now)) }
        pending.signal()
    }

    @Sendable private func passReplies() {
        var passed = 0
        while true {
            let chunk = pending.wait { pending -> (bytes: [UInt8], came: Deadline)? in
                if pending.isEnded { return ([], .now) }
                return pending.chunks.isEmpty ? nil : pending.chunks.removeFirst()
            }
            guard !chunk.bytes.isEmpty, pass(chunk.bytes, came: chunk.came, &passed) else { break }
        }
        end(reset: false)
    }

    /// Passes bytes on as the fault of the moment says; false at the connection's end.
    private func pass(_ bytes: [UInt8], came: Deadline, _ passed: inout Int) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch proxy.withLock({ $0.fault }) {
            case .none: return deliver(Array(rest), &passed)
            case .refuse, .hangUp:
                end(reset: true)
                return false
            case .delay(let delay):
                let due = Deadline(nanoseconds: came.nanoseconds + UInt64(delay / .nanoseconds(1)))
                _ = pending.wait(until: due) { $0.isEnded ? true : nil }
                return deliver(Array(rest), &passed)
            case .reset(let limit), .truncate(let limit):
                let part = rest.prefix(max(0, limit - passed))
                guard deliver(Array(part), &passed) else { return false }
                rest = rest.dropFirst(part.count)
                guard !rest.isEmpty else { return true }
                if case .reset = proxy.withLock({ $0.fault }) { end(reset: true) }
                return false
            case .stall(let limit):
                let part = rest.prefix(max(0, limit - passed))
                guard deliver(Array(part), &passed) else { return false }
                rest = rest.dropFirst(part.count)
                guard !rest.isEmpty else { return true }
                let isOver = proxy.wait { state -> Bool? in
                    if state.isStopped || self.pending.withLock({ $0.isEnded }) { return true }
                    if case .stall = state.fault { return nil }
                    return false
                }
                if isOver { return false }
            case .trickle(let count, let pause):
                let part = rest.prefix(max(1, count))
                guard deliver(Array(part), &passed) else { return false }
                rest = rest.dropFirst(part.count)
                if pending.wait(until: .after(pause), for: { $0.isEnded ? true : nil }) == true { return false }
            case .flipBit(let position):
                var wrong = Array(rest)
                let index = position - passed
                if wrong.indices.contains(index) { wrong[index] ^= 1 }
                return deliver(wrong, &passed)
            case .flipBits(let distance):
                var wrong = Array(rest)
                for index in wrong.indices where (passed + index) % distance == distance - 1 { wrong[index] ^= 1 }
                return deliver(wrong, &passed)
            case .garbage(let garbage):
                _ = deliver(garbage, &passed)
                return false
            }
        }
        return true
    }

    private func deliver(_ bytes: [UInt8], _ passed: inout Int) -> Bool {
        guard !bytes.isEmpty else { return true }
        passed += bytes.count
        proxy.withLock { state in
            if state.requestBytesBeforeFirstReply == nil { state.requestBytesBeforeFirstReply = state.requestBytes }
            state.replyBytes += bytes.count
        }
        return TestSocket.send(bytes, to: client)
    }
}
