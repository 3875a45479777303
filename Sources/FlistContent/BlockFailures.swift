internal import BlockStore
internal import Support
internal import Synchronization

/// The blocks that could not be had lately, so that neither the log nor a reader suffers from one again and again.
///
/// Thread-safe.
final class BlockFailures: Sendable {
    /// One block is told of once a minute.
    private static let silence = Duration.seconds(60)
    /// Lines about all blocks together in that time: with a dead store every read of every file fails.
    private static let lines = 20
    /// The kernel asks again, page by page, for what a larger read could not get: that must not double the wait.
    private static let memory = Duration.milliseconds(250)
    /// Failures that came sooner cost little to ask for again.
    private static let longWait = Duration.seconds(1)
    /// Blocks remembered at most.
    private static let limit = 1024

    private struct Entry {
        var error: FetchError
        var validUntil: Deadline
        var silentUntil: Deadline
    }

    private struct State {
        var entries: [MemoryBlocks.Key: Entry] = [:]
        var periodEnd = Deadline(nanoseconds: 0)
        var linesLeft = 0
        var untold = 0
    }

    private let state = Mutex(State())
    /// Spares those who read from taking the lock while nothing fails.
    private let hasEntries = Atomic<Bool>(false)

    /// Why a block could not be had a moment ago, after a long wait; nil to ask for it.
    func recent(_ key: MemoryBlocks.Key, now: Deadline = .now) -> FetchError? {
        guard hasEntries.load(ordering: .relaxed) else { return nil }
        return state.withLock { state in
            guard let entry = state.entries[key], now < entry.validUntil else { return nil }
            return entry.error
        }
    }

    /// Remembers a failure; answers how many went untold since the last line if this one is to be told, else nil.
    func note(_ key: MemoryBlocks.Key, _ error: FetchError, after wait: Duration, now: Deadline = .now) -> Int? {
        hasEntries.store(true, ordering: .relaxed)
        return state.withLock { state in
            let validUntil = wait < Self.longWait ? now : Self.moment(now, after: Self.memory)
            if now >= state.periodEnd {
                state.periodEnd = Self.moment(now, after: Self.silence)
                state.linesLeft = Self.lines
            }
            if let entry = state.entries[key], now < entry.silentUntil {
                state.entries[key]?.error = error
                state.entries[key]?.validUntil = validUntil
                return nil
            }
            if state.entries.count >= Self.limit {
                state.entries = state.entries.filter { now < $0.value.silentUntil }
                if state.entries.count >= Self.limit { state.entries = [:] }
            }
            state.entries[key] = Entry(
                error: error, validUntil: validUntil, silentUntil: Self.moment(now, after: Self.silence))
            guard state.linesLeft > 0 else {
                state.untold += 1
                return nil
            }
            state.linesLeft -= 1
            defer { state.untold = 0 }
            return state.untold
        }
    }

    private static func moment(_ now: Deadline, after duration: Duration) -> Deadline {
        Deadline(nanoseconds: now.nanoseconds &+ UInt64(duration / .nanoseconds(1)))
    }
}
