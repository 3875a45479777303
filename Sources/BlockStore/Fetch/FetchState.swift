internal import BlockCodec
internal import Support

/// The jobs and their queues. All access is under the lock of `FetchCore`.
struct FetchState {
    struct Entry {
        let job: FetchJob
        let number: UInt64
    }

    private let options: FetcherOptions
    var jobs: [BlockReference: FetchJob] = [:]
    var isStopped = false
    var statistics = FetchStatistics()
    var hedges = HedgeAllowance()
    private var queue = ClassQueue<Entry>()
    /// Jobs whose store has its share of the window in use.
    private var parked: [ObjectIdentifier: ClassQueue<Entry>] = [:]
    private var slots = 0
    /// The part of `inFlightBytes` that decoding threads use.
    private var plainBytes = 0
    private var queued = [Int](repeating: 0, count: FetchClass.allCases.count)
    private var lastNumber: UInt64 = 0

    init(_ options: FetcherOptions) { self.options = options }

    mutating func number() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    var currentStatistics: FetchStatistics {
        var result = statistics
        for fetchClass in FetchClass.allCases { result.queued[fetchClass] = queued[fetchClass.rawValue] }
        return result
    }

    /// The job under way for the same block, or the given one, which then is under way.
    mutating func join(_ job: FetchJob) -> FetchJob {
        guard let running = jobs[job.reference] else {
            jobs[job.reference] = job
            return job
        }
        statistics.joined += 1
        if let router = job.routers.first, !running.routers.contains(where: { $0 === router }) {
            running.routers.append(router)
            // Before the first attempt the candidates are chosen anyway.
            if running.phase != .queued {
                let known = running.failures.map(\.store.url) + running.candidates.map(\.url)
                running.candidates += router.replicas(for: job.reference.id).filter { store in
                    store.url != running.current?.store.url && store.url != running.hedge?.store.url
                        && !known.contains(store.url)
                }
            }
        }
        return running
    }

    mutating func enqueue(_ job: FetchJob, inFront: Bool = false) {
        job.phase = .queued
        job.queueEntry = number()
        queued[job.fetchClass.rawValue] += 1
        let entry = Entry(job: job, number: job.queueEntry)
        if inFront { queue.putBack(entry, job.fetchClass) } else { queue.append(entry, job.fetchClass) }
    }

    mutating func lift(_ job: FetchJob, to fetchClass: FetchClass) {
        guard fetchClass < job.fetchClass, job.phase != .finished else { return }
        guard job.phase == .queued else {
            job.fetchClass = fetchClass
            return
        }
        queued[job.fetchClass.rawValue] -= 1
        job.fetchClass = fetchClass
        // The old entry stays behind and is known by its number.
        enqueue(job)
    }

    /// The most urgent job that fits; it leaves the queue and holds its share of window and budget.
    mutating func nextAdmitted() -> FetchJob? {
        while let entry = queue.popFirst() {
            let job = entry.job
            guard job.phase == .queued, entry.number == job.queueEntry else { continue }
            guard hasRoom(for: job) else {
                queue.putBack(entry, job.fetchClass)
                return nil
            }
            if job.candidates.isEmpty { job.candidates = job.replicasWorthTrying() }
            if let store = job.candidates.first, !mayUse(store, job) {
                parked[ObjectIdentifier(store), default: ClassQueue()].append(entry, job.fetchClass)
                job.candidates = []
                continue
            }
            queued[job.fetchClass.rawValue] -= 1
            job.holdsBudget = true
            slots += slots(of: job)
            statistics.inFlight += 1
            statistics.inFlightBytes += job.cost
            statistics.peakInFlight = max(statistics.peakInFlight, statistics.inFlight)
            statistics.peakInFlightBytes = max(statistics.peakInFlightBytes, statistics.inFlightBytes)
            return job
        }
        return nil
    }

    /// Slots are the window in units of small blocks; a block of 512 KiB or more takes as many as there are small ones to
    /// a large one.
    private func slots(of job: FetchJob) -> Int {
        let (length, most) = (job.reference.plainLength, options.smallBlockWindow / max(1, options.window))
        if length <= 64 << 10 { return 1 }
        return max(1, most * min(length, 512 << 10) / (512 << 10))
    }

    private func hasRoom(for job: FetchJob) -> Bool {
        if statistics.inFlight == 0 { return true }
        // A quarter is kept from prefetch and a sixteenth from readahead, so that demand need not wait for them.
        let share =
            switch job.fetchClass {
            case .demand: 16
            case .readahead: 15
            case .prefetch: 12
            }
        let each = max(options.decodedTogether, job.reference.plainLength)
        let plain = min(options.memoryBudget / 2, max(1, options.decodeThreads) * each)
        return slots + slots(of: job) <= options.smallBlockWindow * share / 16
            && statistics.inFlightBytes - plainBytes + job.cost <= (options.memoryBudget - plain) * share / 16
    }

    /// A decoding thread takes memory for a block's plain bytes, or gives it back.
    mutating func tookPlain(_ length: Int) {
        plainBytes += length
        statistics.inFlightBytes += length
        statistics.peakInFlightBytes = max(statistics.peakInFlightBytes, statistics.inFlightBytes)
    }

    /// A store that failed may use a sixteenth of the window: it must not keep others' blocks waiting.
    func mayUse(_ store: RoutedStore, _ job: FetchJob) -> Bool {
        let slots = slots(of: job)
        let parallel = store.parallelRequests
        let (hasRoom, used) = store.withWindow(largest: options.smallBlockWindow) {
            ($0.hasRoom(for: slots, isDemand: job.fetchClass == .demand, parallel: parallel), $0.used)
        }
        return hasRoom && (used == 0 || store.isHealthy || used + slots <= options.smallBlockWindow / 16)
    }

    /// A second answer for a block takes memory of its own until it ends.
    mutating func tookHedge(_ job: FetchJob) { statistics.inFlightBytes += job.cost }

    mutating func gaveHedge(_ job: FetchJob) { statistics.inFlightBytes -= job.cost }

    mutating func tookSlot(_ store: RoutedStore, _ job: FetchJob) {
        let slots = slots(of: job)
        store.withWindow(largest: options.smallBlockWindow) { $0.take(slots) }
    }

    /// A store's request ended: those parked for it are looked at again.
    mutating func gaveSlot(_ store: RoutedStore, _ job: FetchJob, after time: Duration, _ error: StoreError?) {
        let key = ObjectIdentifier(store)
        let slots = slots(of: job)
        var window = store.withWindow(largest: options.smallBlockWindow) { window in
            window.give(slots, after: time, error)
            return window
        }
        guard var waiting = parked.removeValue(forKey: key) else { return }
        // The most urgent, as many as have room: those that did not would come back behind all others. All when nothing
        // is left to wait for, and some of them when another store may be the better one now.
        let (isLast, isHealthy, parallel) = (window.used == 0, store.isHealthy, store.parallelRequests)
        var released: [Entry] = []
        while let entry = waiting.popFirst() {
            let (slots, isDemand) = (self.slots(of: entry.job), entry.job.fetchClass == .demand)
            guard
                isLast || !isHealthy && released.count < 16
                    || window.hasRoom(for: slots, isDemand: isDemand, parallel: parallel)
            else {
                waiting.putBack(entry, entry.job.fetchClass)
                break
            }
            window.take(slots)
            released.append(entry)
        }
        for entry in released.reversed() { queue.putBack(entry, entry.job.fetchClass) }
        if !waiting.isEmpty { parked[key] = waiting }
    }

    mutating func releaseBudget(_ job: FetchJob) {
        guard job.holdsBudget else { return }
        job.holdsBudget = false
        slots -= slots(of: job)
        statistics.inFlight -= 1
        statistics.inFlightBytes -= job.cost
    }

    /// Ends a job. What its waiters get is the caller's matter.
    mutating func finish(_ job: FetchJob, _ effects: inout FetchCore.Effects) {
        if job.phase == .queued { queued[job.fetchClass.rawValue] -= 1 }
        for attempt in [job.current, job.hedge] {
            if let attempt { effects.cancelled.append(attempt.request) }
        }
        // A decode thread still holds the memory; it gives the budget back.
        if job.phase != .decoding { releaseBudget(job) }
        job.phase = .finished
        job.current = nil
        job.hedge = nil
        job.waiters = []
        job.candidates = []
        if jobs[job.reference] === job { jobs[job.reference] = nil }
    }

    /// Sees to it that the timer looks at the job when something is to be done.
    func arm(_ job: FetchJob, _ effects: inout FetchCore.Effects) {
        let next = job.nextEvent
        guard job.phase != .finished, next < job.armedFor else { return }
        job.armedFor = next
        effects.alarms.append((job, next))
    }
}
