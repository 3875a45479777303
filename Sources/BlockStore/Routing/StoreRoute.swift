public import Support

/// A store and the block ids it is asked for.
public struct StoreRoute: Sendable, Hashable, CustomStringConvertible {
    public let range: RouteRange
    public let url: StoreURL

    public init(range: RouteRange = .all, url: StoreURL) {
        self.range = range
        self.url = url
    }

    /// Reads `[xx-yy=]URL`, the form of `--store`. Without a range the store has every block.
    public init(parsing text: String) throws(FlistError) {
        // Only what stands before "://" can be a range: the query may hold '=' too.
        let head = text.prefix { $0 != "/" }
        guard let equals = head.firstIndex(of: "=") else {
            self.init(url: try StoreURL(parsing: text))
            return
        }
        let range = try RouteRange(parsing: String(text[..<equals]))
        self.init(range: range, url: try StoreURL(parsing: String(text[text.index(after: equals)...])))
    }

    /// Without secrets.
    public var description: String { range == .all ? "\(url)" : "\(range)=\(url)" }
}

/// Routes that stand for each other: every route that matches an id is a replica of it.
public struct RoutePool: Sendable, Hashable {
    public let name: String
    public let routes: [StoreRoute]

    public init(name: String, routes: [StoreRoute]) {
        self.name = name
        self.routes = routes
    }
}
