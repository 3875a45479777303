internal import Support

/// A demand whose store is late is asked of another replica too, and the first answer counts.
extension FetchCore {
    /// Asks the next healthy replica as well, if there is one and the allowance is not used up.
    func hedge(_ job: FetchJob, _ state: inout FetchState, _ effects: inout Effects) {
        job.hedgeAt = .never
        guard let index = job.candidates.firstIndex(where: { $0.isHealthy && state.mayUse($0, job) }),
            state.hedges.spend()
        else { return }
        let store = job.candidates.remove(at: index)
        state.statistics.hedges += 1
        state.tookSlot(store, job)
        state.tookHedge(job)
        job.attempts += 1
        let attempt = ask(store, job, number: job.attempts, isHedge: true)
        job.hedge = attempt
        effects.starts.append((store, attempt.request))
    }

    /// An attempt gave bytes: the other one is told to stop. Its store may be asked again if the bytes turn out wrong.
    func settle(_ job: FetchJob, _ winner: FetchJob.Attempt, _ state: inout FetchState, _ effects: inout Effects) {
        let loser = [job.current, job.hedge].compactMap { $0 }.first { $0.number != winner.number }
        job.current = nil
        job.hedge = nil
        if winner.isHedge { state.statistics.hedgesWon += 1 }
        guard let loser else { return }
        if winner.isHedge { loser.store.lostRace() }
        effects.cancelled.append(loser.request)
        job.candidates.insert(loser.store, at: 0)
    }
}
