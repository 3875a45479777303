/// What one store did since it was opened.
public struct StoreStatistics: Sendable, Hashable {
    /// Kinds of failures, to be counted and shown.
    public enum Failure: String, Sendable, Hashable, CaseIterable {
        case missing, corrupt, refused, busy, unreachable, timedOut, protocolViolation, tooLarge, cancelled

        public init(_ error: StoreError) {
            self =
                switch error {
                case .missing: .missing
                case .corrupt: .corrupt
                case .refused: .refused
                case .busy: .busy
                case .unreachable: .unreachable
                case .timedOut: .timedOut
                case .protocolViolation: .protocolViolation
                case .tooLarge: .tooLarge
                case .cancelled: .cancelled
                }
        }
    }

    /// Reads that were started.
    public internal(set) var requests: UInt64 = 0
    /// Reads that gave bytes.
    public internal(set) var blocks: UInt64 = 0
    /// Stored bytes read.
    public internal(set) var bytes: UInt64 = 0
    /// Blocks written, as a copy or by `put`.
    public internal(set) var blocksWritten: UInt64 = 0
    public internal(set) var failures: [Failure: UInt64] = [:]
    /// Reads under way.
    public internal(set) var inFlight = 0
    /// Moving average of the time from the start of a read to its bytes; zero before the first.
    public internal(set) var latency: Duration = .zero
    /// False while the store is left alone after failures.
    public internal(set) var isHealthy = true

    public init() {}
}
