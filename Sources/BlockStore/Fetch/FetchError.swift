public import Support

/// What one store said when it was asked for a block.
public struct StoreFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The store's address without secrets.
    public let address: String
    public let error: StoreError

    public init(address: String, error: StoreError) {
        self.address = address
        self.error = error
    }

    public var description: String { "\(address): \(error)" }
}

/// Why a block could not be had.
public enum FetchError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No route leads to a store for this id.
    case notRoutable(Digest)
    /// Every store failed, each with its last error, and trying again is pointless or the deadline too near.
    case failed(Digest, [StoreFailure])
    /// The deadline passed while a store was still to answer; what others said before.
    case timedOut(Digest, [StoreFailure])
    /// The ticket was cancelled or the fetcher shut down.
    case cancelled

    /// The errno for a reader.
    ///
    /// `ETIMEDOUT` when no answer came in time, `EHOSTUNREACH` when no store could be reached that might have the
    /// block, `EINTR` for a cancelled fetch; else `EIO`: the stores answered, and none has the block as it should be.
    public var errno: Errno {
        switch self {
        case .notRoutable: return .io
        case .timedOut: return .timedOut
        case .cancelled: return .interrupted
        case .failed(_, let failures):
            if failures.contains(where: { $0.error == .timedOut }) { return .timedOut }
            let unreachable = failures.contains { if case .unreachable = $0.error { true } else { false } }
            return unreachable ? .hostUnreachable : .io
        }
    }

    public var description: String {
        switch self {
        case .notRoutable(let id): "block \(id): no route leads to a store for it; add a store for its range"
        case .failed(let id, let failures): "block \(id): \(Self.list(failures))"
        case .timedOut(let id, let failures) where failures.contains { $0.error == .timedOut }:
            "block \(id): \(Self.list(failures))"
        case .timedOut(let id, let failures):
            failures.isEmpty
                ? "block \(id): no store answered in time"
                : "block \(id): no store answered in time; before, \(Self.list(failures))"
        case .cancelled: "the fetch was cancelled"
        }
    }

    /// What each store said, and then what to do, each remedy once.
    private static func list(_ failures: [StoreFailure]) -> String {
        guard !failures.isEmpty else { return "no store could be asked" }
        var remedies: [String] = []
        for remedy in failures.compactMap(\.error.remedy) where !remedies.contains(remedy) { remedies.append(remedy) }
        return (failures.map(\.description) + remedies).joined(separator: "; ")
    }
}
