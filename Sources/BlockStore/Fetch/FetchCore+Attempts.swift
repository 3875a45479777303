internal import BlockCodec
internal import Support

extension FetchCore {
    /// Starts queued jobs as far as there is room.
    func admit(_ state: inout FetchState, _ effects: inout Effects) {
        while let job = state.nextAdmitted() { attempt(job, &state, &effects) }
    }

    /// Asks the next candidate; with none left, decides between another round and giving up.
    private func attempt(_ job: FetchJob, _ state: inout FetchState, _ effects: inout Effects) {
        skipClosed(job)
        guard !job.candidates.isEmpty else {
            if job.failures.isEmpty {
                fail(job, .notRoutable(job.reference.id), &state, &effects)
            } else {
                pause(job, &state, &effects)
            }
            return
        }
        guard (job.round == 0 ? job.deadline : job.lastTry) > .now else {
            fail(job, finalError(of: job), &state, &effects)
            return
        }
        let store = job.candidates.removeFirst()
        if job.attempts > 0 { state.statistics.retries += 1 }
        job.attempts += 1
        job.phase = .attempting
        state.tookSlot(store, job)
        state.hedges.earn()
        let attempt = ask(store, job, number: job.attempts, isHedge: false)
        job.current = attempt
        // With one store there is nobody else to ask, and no need to wake up.
        job.hedgeAt = job.candidates.isEmpty ? .never : .after(store.lateness)
        effects.starts.append((store, attempt.request))
        state.arm(job, &effects)
    }

    /// Leaves out stores that their owner has closed. They would answer within the call, with the next block that waits
    /// asked for within that answer, and so on: as deep as there are blocks.
    private func skipClosed(_ job: FetchJob) {
        while let store = job.candidates.first, store.isClosed {
            job.candidates.removeFirst()
            let others = job.stores(insteadOf: store)
            if others.isEmpty { job.note(.cancelled, from: store, within: .zero) }
            job.candidates.insert(contentsOf: others, at: 0)
        }
    }

    /// The request for a store, to be started when the lock is let go.
    func ask(_ store: RoutedStore, _ job: FetchJob, number: UInt64, isHedge: Bool) -> FetchJob.Attempt {
        let start = Deadline.now
        let request = StoreRequest(
            id: job.reference.id, maximumLength: job.maximumStoredLength, deadline: job.deadline,
            patience: job.share(others: job.candidates.count), store: store.progress
        ) { [self] result in
            let time = Duration.nanoseconds(Int64(clamping: Deadline.now.nanoseconds &- start.nanoseconds))
            attemptEnded(job, number, isHedge, store, time, result)
        }
        return FetchJob.Attempt(number: number, store: store, request: request, isHedge: isHedge, lastLife: start)
    }

    /// All candidates failed: a pause and another round, unless that is pointless or too late.
    private func pause(_ job: FetchJob, _ state: inout FetchState, _ effects: inout Effects) {
        let delay = Backoff.delay(
            round: job.round, first: options.firstRetryDelay, longest: options.longestRetryDelay)
        let until = Deadline.after(delay)
        guard job.mayPass, until < job.lastTry else {
            fail(job, finalError(of: job), &state, &effects)
            return
        }
        job.round += 1
        job.phase = .pausing
        job.retryAt = until
        job.current = nil
        state.releaseBudget(job)
        state.arm(job, &effects)
    }

    private func finalError(of job: FetchJob) -> FetchError {
        let failures = job.storeFailures
        if failures.isEmpty { return .timedOut(job.reference.id, []) }
        if failures.allSatisfy({ $0.error == .cancelled }) { return .cancelled }
        // The stores had their say: what they said is truer than "timed out" unless one of them was silent.
        let silent = failures.contains { $0.error == .timedOut }
        return silent ? .timedOut(job.reference.id, failures) : .failed(job.reference.id, failures)
    }

    private func fail(_ job: FetchJob, _ error: FetchError, _ state: inout FetchState, _ effects: inout Effects) {
        state.statistics.failures += 1
        effects.deliveries.append(FailureQueue.Delivery(waiters: job.waiters, error: error))
        state.finish(job, &effects)
    }

    /// A store's answer, on any thread.
    private func attemptEnded(
        _ job: FetchJob, _ number: UInt64, _ isHedge: Bool, _ store: RoutedStore, _ time: Duration,
        _ result: Result<BlockBuffer, StoreError>
    ) {
        let failure: StoreError?
        switch result {
        case .success(let stored):
            failure = nil
            store.received(bytes: stored.count, after: time)
        case .failure(let error):
            failure = error
            store.failed(error)
        }
        var effects = Effects()
        let block = state.withLock { state -> DecodeQueue.Block? in
            state.gaveSlot(store, job, after: time, failure)
            if isHedge { state.gaveHedge(job) }
            defer { admit(&state, &effects) }
            guard job.phase == .attempting,
                let attempt = [job.current, job.hedge].compactMap({ $0 }).first(where: { $0.number == number })
            else { return nil }
            switch result {
            case .success(let stored):
                settle(job, attempt, &state, &effects)
                job.phase = .decoding
                return DecodeQueue.Block(job: job, fetchClass: job.fetchClass, stored: stored, store: store)
            case .failure(let error):
                let others = error == .cancelled ? job.stores(insteadOf: store) : []
                if others.isEmpty {
                    job.note(error, from: store, within: attempt.request.patience)
                } else {
                    job.candidates.insert(contentsOf: others, at: 0)
                }
                if number == job.current?.number { job.current = job.hedge }
                job.hedge = nil
                if job.current == nil { self.attempt(job, &state, &effects) }
                state.arm(job, &effects)
                return nil
            }
        }
        if let block { decodeQueue.append(block) }
        perform(effects)
    }

    /// The timer's call: ends waits that are over, wakes pausing jobs, and ends attempts that no store ended.
    func tick(_ job: FetchJob) {
        var effects = Effects()
        let silent = state.withLock { state -> [StoreRequest] in
            guard job.phase != .finished else { return [] }
            job.armedFor = .never
            job.noteLife()
            defer {
                state.arm(job, &effects)
                admit(&state, &effects)
            }
            let now = Deadline.now
            // These first: what a store did not do is its failure, and names it to those who wait.
            let silent = [job.current, job.hedge].compactMap { $0 }.filter { $0.silentAt <= now }
            if job.phase == .attempting, !silent.isEmpty { return silent.map(\.request) }
            let expired = job.waiters.filter { job.expiry($0) <= now }
            if !expired.isEmpty {
                let error = job.phase == .pausing ? finalError(of: job) : .timedOut(job.reference.id, job.lateness)
                effects.deliveries.append(FailureQueue.Delivery(waiters: expired, error: error))
                let numbers = Set(expired.map(\.number))
                job.waiters.removeAll { numbers.contains($0.number) }
                if job.waiters.isEmpty {
                    state.statistics.failures += 1
                    state.finish(job, &effects)
                    return []
                }
            }
            if job.phase == .pausing, job.retryAt <= now { state.enqueue(job, inFront: true) }
            if job.phase == .attempting, job.mayHedge, job.hedgeAt <= now { hedge(job, &state, &effects) }
            return []
        }
        for request in silent { request.complete(.failure(.timedOut)) }
        perform(effects)
    }

    /// The body of a decode thread.
    func decodeBlocks() {
        var decoder = BlockDecoder()
        while let item = decodeQueue.next() {
            switch item {
            case .block(let block): decode(block, &decoder)
            case .batch(let blocks): decode(blocks, &decoder)
            }
        }
    }

    private func decode(_ block: DecodeQueue.Block, _ decoder: inout BlockDecoder) {
        let length = block.job.reference.plainLength
        let isWanted = begin(block)
        var failure: CodecError?
        if isWanted {
            let plain = BlockBufferPool.shared.buffer(capacity: length)
            do throws(CodecError) {
                try decoder.decode(
                    block.stored.bytes, as: block.job.reference,
                    into: UnsafeMutableRawBufferPointer(rebasing: plain.memory[..<length]))
                plain.count = length
                deliver(plain, block)
            } catch {
                failure = error
            }
        }
        end(block, wasWanted: isWanted, failure)
    }

    /// Takes memory for a block's plain bytes; false if nobody waits for it any more.
    func begin(_ block: DecodeQueue.Block) -> Bool {
        state.withLock { state -> Bool in
            guard block.job.phase == .decoding else { return false }
            state.tookPlain(block.job.reference.plainLength)
            return true
        }
    }

    /// After a block was delivered, or turned out to be damaged, or nobody wanted it.
    func end(_ block: DecodeQueue.Block, wasWanted: Bool, _ failure: CodecError?) {
        let job = block.job
        var effects = Effects()
        if let failure, failure == .wrongID { block.store.judged(failure) }
        state.withLock { state in
            if wasWanted { state.tookPlain(-job.reference.plainLength) }
            if let failure, job.phase == .decoding {
                job.note(.corrupt(failure), from: block.store, within: job.patience)
                if failure == .wrongID {
                    attempt(job, &state, &effects)
                } else {
                    // The bytes are those that the id names: every store has the same, the flist is at fault.
                    job.phase = .attempting
                    fail(job, .failed(job.reference.id, job.storeFailures), &state, &effects)
                }
            }
            if job.phase == .finished { state.releaseBudget(job) }
            admit(&state, &effects)
        }
        perform(effects)
    }

    func deliver(_ plain: BlockBuffer, _ block: DecodeQueue.Block) {
        let job = block.job
        block.store.judged(nil)
        let routers = state.withLock { _ in job.routers }
        for router in routers { router.copyToCaches(job.reference.id, block.stored, from: block.store) }
        var effects = Effects()
        let waiters = state.withLock { state -> [FetchJob.Waiter] in
            guard job.phase == .decoding else { return [] }
            let waiters = job.waiters
            state.statistics.blocks += 1
            state.statistics.storedBytes += UInt64(block.stored.count)
            state.statistics.plainBytes += UInt64(plain.count)
            // Keeps the budget: the memory is in use until the completions return.
            state.finish(job, &effects)
            return waiters
        }
        for waiter in waiters { waiter.completion(.success(plain)) }
    }
}
