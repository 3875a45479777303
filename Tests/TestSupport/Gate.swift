internal import Support

/// A door that whoever passes waits at until the test opens it.
public final class Gate: Sendable {
    private let state = Monitor((waiting: 0, isOpen: false))

    public init() {}

    public func pass() {
        state.withLock { $0.waiting += 1 }
        state.broadcast()
        state.wait { $0.isOpen ? () : nil }
    }

    /// Waits until that many wait, or have passed.
    public func waitUntil(_ count: Int) -> Bool {
        state.wait(until: .after(.seconds(20))) { $0.waiting >= count ? true : nil } ?? false
    }

    public func open() {
        state.withLock { $0.isOpen = true }
        state.broadcast()
    }
}
