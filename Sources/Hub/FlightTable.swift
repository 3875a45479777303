internal import Support
internal import Synchronization

/// Lets threads that want the same at the same time share one outcome. Thread-safe.
final class FlightTable<Value: Sendable>: Sendable {
    typealias Outcome = Result<Value, FlistError>

    private let flights = Mutex<[Digest: Monitor<Outcome?>]>([:])

    /// Runs `body`, or waits for the thread that is running it for the same key.
    func run(_ key: Digest, _ body: () throws(FlistError) -> Value) throws(FlistError) -> Value {
        let (flight, isMine) = flights.withLock { flights in
            if let running = flights[key] { return (running, false) }
            let new = Monitor<Outcome?>(nil)
            flights[key] = new
            return (new, true)
        }
        guard isMine else { return try flight.wait { $0 }.get() }
        let outcome: Outcome
        do throws(FlistError) { outcome = .success(try body()) } catch { outcome = .failure(error) }
        // First out of the table: who comes now starts anew.
        flights.withLock { $0[key] = nil }
        flight.withLock { $0 = outcome }
        flight.broadcast()
        return try outcome.get()
    }
}
