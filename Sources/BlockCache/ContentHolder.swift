/// Whoever keeps contents open that nobody reads at the moment, and so keeps them from being evicted.
public protocol ContentHolder: AnyObject, Sendable {
    /// Lets go of contents; those that are being read may stay. Called on any thread, while something is being stored:
    /// it must not wait for that.
    func letGo(_ choice: HeldContents)
}

/// Which contents a holder lets go of.
public enum HeldContents: Sendable {
    /// Those that were not used since the last such call.
    case idle
    /// The half that was not used for longest.
    case colderHalf
    case all
}

/// The holders of a cache's contents, which it does not keep alive. Thread-safe: guarded by the mutex it lies in.
struct ContentHolders {
    private struct Member { weak var holder: (any ContentHolder)? }

    private var members: [Member] = []

    mutating func add(_ holder: any ContentHolder) {
        members.removeAll { $0.holder == nil }
        members.append(Member(holder: holder))
    }

    var all: [any ContentHolder] { members.compactMap(\.holder) }
}
