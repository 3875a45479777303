internal import Synchronization

/// A number of events, which only grows. Counting is one atomic addition; thread-safe.
public final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    public init() {}

    /// Counts events; beyond 64 bits it begins again at zero, which Prometheus takes for a restart.
    public func add(_ number: UInt64 = 1) { count.wrappingAdd(number, ordering: .relaxed) }

    public var value: UInt64 { count.load(ordering: .relaxed) }
}
