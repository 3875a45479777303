internal import Support

/// What only one thread at a time may do.
enum Turn: Hashable {
    case volume(String)
    /// Opening and closing the pool; taken after a volume's turn.
    case pool
    /// Growing the image; taken last.
    case growth
}

/// Lets the threads that want the same turn work one after the other.
final class Turns: Sendable {
    private let taken = Monitor<Set<Turn>>([])

    func take<Result>(_ turn: Turn, _ body: () throws(FlistError) -> Result) throws(FlistError) -> Result {
        _ = taken.wait { $0.insert(turn).inserted ? true : nil }
        defer {
            taken.withLock { _ = $0.remove(turn) }
            taken.broadcast()
        }
        return try body()
    }
}
