internal import CCurl
internal import Support
internal import Synchronization

/// What the engine's thread does: start what was submitted, move bytes, finish, and end what is too late.
final class HTTPLoop {
    private let engine: HTTPEngine
    private let multi: UnsafeMutableRawPointer
    private var transfers: [UnsafeMutableRawPointer: HTTPTransfer] = [:]
    private var lanes: [String: HTTPLane] = [:]
    private var idle: [CurlHandle] = []
    private var nextSweep = Deadline.never

    /// Abandoned and closed requests are found at least this often. A deadline is kept to the millisecond.
    private static let sweepInterval = Duration.milliseconds(100)

    init(_ engine: HTTPEngine, _ multi: UnsafeMutableRawPointer) {
        self.engine = engine
        self.multi = multi
    }

    /// Never returns. Lanes are never forgotten: they are few, and hold what was learnt of their servers.
    func run() {
        while true {
            let (jobs, isSweepDue) = engine.takeSubmitted()
            for job in jobs { enqueue(job) }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            finishCompleted()
            if isSweepDue || nextSweep.hasPassed { sweep() }
            let timeout = min(Self.longSleep, nextSweep.remaining.milliseconds)
            curl_multi_poll(multi, nil, 0, Int32(timeout), nil)
        }
    }

    /// In milliseconds. Idle, the thread wakes up once an hour; a submission wakes it at once.
    private static let longSleep = 3_600_000

    private func enqueue(_ job: HTTPJob) {
        if job.owner.isClosed { return job.completion(.failure(.cancelled)) }
        let lane = lane(job.owner.origin)
        lane.append(job)
        let soonest = min(job.request.deadline, .after(Self.sweepInterval))
        if soonest < nextSweep { nextSweep = soonest }
        startWaiting(lane)
    }

    private func lane(_ origin: String) -> HTTPLane {
        if let lane = lanes[origin] { return lane }
        let lane = HTTPLane(origin, engine.options)
        lanes[origin] = lane
        return lane
    }

    private func startWaiting(_ lane: HTTPLane) {
        while lane.active < lane.limit, let job = lane.popFirst() { start(job, lane) }
    }

    private func start(_ job: HTTPJob, _ lane: HTTPLane) {
        if let error = verdict(job) { return job.completion(.failure(error)) }
        guard let handle = idle.popLast() ?? CurlHandle() else { return failStart(job, nil) }
        let transfer = HTTPTransfer(job, handle, lane)
        guard transfer.prepare(engine.options), curl_multi_add_handle(multi, handle.easy) == CURLM_OK else {
            return failStart(job, handle)
        }
        transfers[handle.easy] = transfer
        lane.active += 1
    }

    private func failStart(_ job: HTTPJob, _ handle: CurlHandle?) {
        if let handle { recycle(handle) }
        job.completion(.failure(.unreachable("the request cannot be made; memory may be short")))
    }

    private func finishCompleted() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let transfer = transfers[easy]
            else { continue }
            let outcome = transfer.outcome(message.pointee.data.result)
            finish(transfer, outcome)
        }
    }

    private func finish(_ transfer: HTTPTransfer, _ outcome: Result<HTTPResponse, StoreError>) {
        let (handle, lane) = (transfer.handle, transfer.lane)
        curl_multi_remove_handle(multi, handle.easy)
        transfers[handle.easy] = nil
        if let isHTTP2 = handle.isHTTP2, let time = handle.timeToFirstByte {
            lane.learn(isHTTP2: isHTTP2, after: time, engine.options)
        }
        transfer.job.owner.parallelRequests.store(lane.limit, ordering: .relaxed)
        recycle(handle)
        lane.active -= 1
        // The next goes out before the completion runs.
        startWaiting(lane)
        transfer.job.completion(outcome)
    }

    private func recycle(_ handle: CurlHandle) {
        handle.reset()
        if idle.count < engine.options.idleHandles { idle.append(handle) }
    }

    /// Why a job should not go on; nil when it should.
    private func verdict(_ job: HTTPJob) -> StoreError? {
        if job.owner.isClosed || job.request.isAbandoned?() == true { return .cancelled }
        return job.request.deadline.hasPassed ? .timedOut : nil
    }

    private func sweep() {
        for lane in lanes.values {
            for (job, error) in lane.remove(where: verdict) { job.completion(.failure(error)) }
        }
        for transfer in Array(transfers.values) {
            if let error = verdict(transfer.job) { finish(transfer, .failure(error)) }
        }
        nextSweep = .never
        for lane in lanes.values where !lane.isIdle {
            startWaiting(lane)
            nextSweep = .after(Self.sweepInterval)
        }
        for transfer in transfers.values { nextSweep = min(nextSweep, transfer.job.request.deadline) }
    }
}
