internal import Support
internal import Volumes

/// What volumes hold and may hold, for those who only want to look: a store that does not answer holds them up shortly.
///
/// The store is asked on a thread of its own, by one at a time, since each question may take a minute. Thread-safe.
final class VolumeFigures: Sendable {
    private struct State {
        /// By the volumes' names, as the last round found them.
        var known: [MountName: Volume] = [:]
        /// Rounds that have ended.
        var rounds = 0
        var isAsking = false
    }

    private static let patience = Duration.seconds(1)

    private let store: any VolumeStore
    private let state = Monitor(State())

    init(_ store: any VolumeStore) { self.store = store }

    /// The volumes of these names, as far as there are any and the store tells in time; else as they were when it last
    /// did. Blocks for a second at most.
    func volumes(_ names: [MountName]) -> [MountName: Volume] {
        guard !names.isEmpty else { return [:] }
        let deadline = Deadline.after(Self.patience)
        // A round that is under way may have asked before what matters to the caller was done.
        let goal = state.withLock { $0.rounds + ($0.isAsking ? 2 : 1) }
        while true {
            let isOurs = state.wait(until: deadline) { state -> Bool? in
                if state.rounds >= goal { return false }
                if state.isAsking { return nil }
                state.isAsking = true
                return true
            }
            guard isOurs == true else { return state.withLock { $0.known } }
            ask(names)
        }
    }

    private func ask(_ names: [MountName]) {
        do throws(FlistError) {
            try WorkerThread("figures") { [self] in
                var found: [MountName: Volume] = [:]
                for name in names {
                    do throws(FlistError) {
                        found[name] = try store.lookup(name.text)
                    } catch {
                        // One that does not answer at all would take as long for each name.
                        if [.unavailable, .timedOut].contains(error.code) { break }
                    }
                }
                end(found)
            }.detach()
        } catch {
            end([:])
        }
    }

    private func end(_ found: [MountName: Volume]) {
        state.withLock { state in
            state.known = found
            state.rounds += 1
            state.isAsking = false
        }
        state.broadcast()
    }
}
