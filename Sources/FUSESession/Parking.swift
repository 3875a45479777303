internal import CFUSE
internal import Support

/// A reply with libfuse's interrupt function set, which holds one reference until somebody takes the reply.
///
/// libfuse calls the function with the request's own lock held. Read from fuse_lowlevel.c of 3.14:
/// * called for an interrupt, the request has a second reference, so it may be answered inside;
/// * called by `fuse_req_interrupt_func` itself, as the interrupt came first, it must not be answered inside: the
///   lock would be freed while held. Hence `isRegistering`;
/// * replacing the function waits for one that runs, so after that nobody uses the reference;
/// * a request is unknown to libfuse once answered, so everything is done before the answer.
final class Parking: Sendable {
    private struct State: ~Copyable {
        var reply: DataReply?
        var isRegistering = true
        var isInterrupted = false
        let onInterrupt: (@Sendable () -> Void)?
    }

    // Not Mutex, which the thread sanitizer does not see.
    private let state: Monitor<State>

    init(_ reply: consuming DataReply, _ onInterrupt: (@Sendable () -> Void)?) {
        let request = reply.token.pointer
        state = Monitor(State(reply: reply, onInterrupt: onInterrupt))
        guard let request else { return }
        let reference = Unmanaged.passRetained(self).toOpaque()
        fuse_req_interrupt_func(request, requestWasInterrupted, reference)
        let isInterrupted = state.withLock { state in
            state.isRegistering = false
            return state.isInterrupted
        }
        guard isInterrupted, let reply = take() else { return }
        reply.fail(.interrupted)
        onInterrupt?()
    }

    var isAnswered: Bool { state.withLock { $0.reply == nil } }

    /// Takes the reply for an answer; nil if it was taken. Not for use inside the interrupt function.
    func take() -> DataReply? {
        guard let reply = takeOnce() else { return nil }
        if let request = reply.token.pointer {
            fuse_req_interrupt_func(request, nil, nil)
            Unmanaged.passUnretained(self).release()
        }
        return reply
    }

    private func takeOnce() -> DataReply? {
        state.withLock { $0.reply.take() }
    }

    /// What the interrupt function does.
    fileprivate func wasInterrupted() {
        let reply = state.withLock { state -> DataReply? in
            state.isInterrupted = true
            return state.isRegistering ? nil : state.reply.take()
        }
        guard let reply else { return }
        reply.fail(.interrupted)
        state.withLock { $0.onInterrupt }?()
        Unmanaged.passUnretained(self).release()
    }
}

private func requestWasInterrupted(_ request: OpaquePointer?, _ reference: UnsafeMutableRawPointer?) {
    guard let reference else { return }
    Unmanaged<Parking>.fromOpaque(reference).takeUnretainedValue().wasInterrupted()
}
