internal import CCurl
internal import Support
internal import Synchronization

/// The HTTP client of the process: one thread that drives all transfers through a libcurl multi handle.
///
/// Thread-safe. The thread starts with the first request and lives as long as the process, so a process that forks
/// must do so before.
final class HTTPEngine: Sendable {
    static let shared = HTTPEngine(HTTPOptions())

    let options: HTTPOptions

    private struct Inbox {
        var jobs: [HTTPJob] = []
        var isSweepDue = false
        var hasThread = false
    }
    private let inbox = Mutex(Inbox())
    // Used by the thread; others only call curl_multi_wakeup, which may be called from any thread.
    nonisolated(unsafe) private let multi: UnsafeMutableRawPointer?

    /// Another engine than the shared one is for tests: its thread stays, too.
    init(_ options: HTTPOptions) {
        self.options = options
        // The first handle sets the library up.
        multi = CurlHandle() == nil ? nil : curl_multi_init()
        guard let multi else { return }
        // The lanes keep to it by themselves; this is for hosts that are redirected to, and for HTTP/2 with few streams.
        let connections = options.connectionsPerHost * options.farFactor
        curl_multi_setopt_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections)
        curl_multi_setopt_long(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, options.transfersPerHost)
        // Idle connections kept, over all hosts.
        curl_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, options.connectionsPerHost * options.farFactor * 2)
    }

    /// Hands requests to the thread and returns. Each completion runs once, on the thread.
    func submit(_ jobs: [HTTPJob]) {
        guard !jobs.isEmpty else { return }
        guard let multi, startThread(multi) else {
            for job in jobs { job.completion(.failure(.unreachable(CurlHandle.missing))) }
            return
        }
        let isFirst = inbox.withLock { inbox in
            defer { inbox.jobs += jobs }
            return inbox.jobs.isEmpty
        }
        if isFirst { curl_multi_wakeup(multi) }
    }

    /// Makes the thread look for closed owners and abandoned requests now rather than at its next round.
    func sweep() {
        let isRunning = inbox.withLock { inbox in
            inbox.isSweepDue = true
            return inbox.hasThread
        }
        if isRunning, let multi { curl_multi_wakeup(multi) }
    }

    /// Submits requests and waits for all; the results are in their order. Never on the engine's own thread.
    func perform(_ requests: [HTTPRequest], for owner: HTTPOwner) -> [Result<HTTPResponse, StoreError>] {
        let results = Monitor(
            (done: 0, list: [Result<HTTPResponse, StoreError>](repeating: .failure(.cancelled), count: requests.count)))
        submit(
            requests.enumerated().map { index, request in
                HTTPJob(request: request, owner: owner) { result in
                    results.withLock { results in
                        results.list[index] = result
                        results.done += 1
                    }
                    results.signal()
                }
            })
        return results.wait { $0.done == requests.count ? $0.list : nil }
    }

    /// Submits a request and waits for its end. Never on the engine's own thread.
    func perform(_ request: HTTPRequest, for owner: HTTPOwner) throws(StoreError) -> HTTPResponse {
        guard let result = perform([request], for: owner).first else { throw .cancelled }
        return try result.get()
    }

    /// What was submitted since the last call, and whether a sweep was asked for.
    func takeSubmitted() -> (jobs: [HTTPJob], isSweepDue: Bool) {
        inbox.withLock { inbox in
            defer {
                inbox.jobs = []
                inbox.isSweepDue = false
            }
            return (inbox.jobs, inbox.isSweepDue)
        }
    }

    private func startThread(_ multi: UnsafeMutableRawPointer) -> Bool {
        let isToStart = inbox.withLock { inbox in
            defer { inbox.hasThread = true }
            return !inbox.hasThread
        }
        guard isToStart else { return true }
        nonisolated(unsafe) let multi = multi
        do {
            try WorkerThread("flist-http") { HTTPLoop(self, multi).run() }.detach()
            return true
        } catch {
            inbox.withLock { $0.hasThread = false }
            return false
        }
    }
}
