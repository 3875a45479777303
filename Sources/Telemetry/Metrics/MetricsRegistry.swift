internal import Synchronization

/// Those who have figures to show: each is asked at every scrape, and nothing is kept between two. Thread-safe.
public final class MetricsRegistry: Sendable {
    private let sources = Mutex<[@Sendable (inout MetricsPage) -> Void]>([])

    public init() {}

    /// Adds a source, which comes after those before it. It is called on the server's thread and must not block for long.
    public func add(_ source: @escaping @Sendable (inout MetricsPage) -> Void) {
        sources.withLock { $0.append(source) }
    }

    /// Asks all sources.
    public func page() -> MetricsPage {
        var page = MetricsPage()
        for source in sources.withLock({ $0 }) { source(&page) }
        return page
    }
}
