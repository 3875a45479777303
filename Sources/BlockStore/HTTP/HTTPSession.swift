internal import CCurl
internal import Support
internal import Synchronization

/// Fetches files over http and https, and keeps connections for the next request. Thread-safe; requests block.
///
/// As many requests run at a time as there are threads that make them, each over a connection of its own.
public final class HTTPSession: Sendable {
    /// A handle that nobody uses.
    private struct Idle: @unchecked Sendable {
        // Taken out under the lock, it is one thread's until that puts it back.
        let handle: CurlHandle
    }

    /// Handles kept with their connections; libcurl closes those that were idle for two minutes (CURLOPT_MAXAGE_CONN).
    private static let maximumIdle = 4

    private let idle = Mutex<[Idle]>([])

    public init() {}

    /// Makes a request; the body goes into `sink`.
    public func get(_ request: HTTPGet, into sink: any HTTPSink) -> HTTPAnswer {
        guard let handle = takeHandle() else {
            return HTTPAnswer(head: nil, length: 0, failure: .refused(CurlHandle.missing))
        }
        defer { putBack(handle) }
        guard apply(request, to: handle) else {
            let failure = HTTPFailure.refused("the request cannot be made; memory may be short")
            return HTTPAnswer(head: nil, length: 0, failure: failure)
        }
        let receiver = HTTPReceiver(handle, request, sink)
        let code = withExtendedLifetime(receiver) {
            let context = Unmanaged.passUnretained(receiver).toOpaque()
            handle.setReceiver(httpReceive, context)
            if request.isAbandoned != nil { handle.setProgress(httpProgress, context) }
            return curl_easy_perform(handle.easy)
        }
        return receiver.answer(code)
    }

    /// Makes a request for a small file, of which at most `request.options.limit` bytes are taken.
    public func get(_ request: HTTPGet) -> (answer: HTTPAnswer, body: [UInt8]) {
        let sink = MemorySink()
        let answer = get(request, into: sink)
        return (answer, sink.bytes)
    }

    private func takeHandle() -> CurlHandle? {
        guard let kept = idle.withLock({ $0.popLast() }) else { return CurlHandle() }
        kept.handle.reset()
        return kept.handle
    }

    private func putBack(_ handle: CurlHandle) {
        let kept = Idle(handle: handle)
        idle.withLock { if $0.count < Self.maximumIdle { $0.append(kept) } }
    }

    private func apply(_ request: HTTPGet, to handle: CurlHandle) -> Bool {
        var common = HTTPOptions()
        common.connectTimeout = request.options.connectTimeout
        common.lowSpeedTime = request.options.stallTimeout
        common.maximumRedirects = request.options.maximumRedirects
        let address = request.address
        guard handle.applyCommon(common, url: address.sent, credentials: address.credentials),
            handle.set(CURLOPT_FOLLOWLOCATION, 1),
            handle.set(CURLOPT_TIMEOUT_MS, request.options.timeout.milliseconds)
        else { return false }
        // Not CURLOPT_RESUME_FROM, for which a server that sends the whole file is an error.
        if let resume = request.resume, !handle.set(CURLOPT_RANGE, "\(resume.offset)-") { return false }
        return handle.setHeaders(request.headers)
    }
}

/// The body of a small file.
private final class MemorySink: HTTPSink {
    private(set) var bytes: [UInt8] = []

    func restart() { bytes = [] }

    func append(_ piece: UnsafeRawBufferPointer, total: UInt64?) { bytes += piece }
}
