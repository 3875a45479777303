internal import CCurl
internal import Support

/// Brings a body into its sink, and says what came of the request.
final class HTTPReceiver {
    private let handle: CurlHandle
    private let request: HTTPGet
    private let sink: any HTTPSink
    /// Of the answer whose body arrives.
    private var head: HTTPHead?
    private var length: UInt64
    private var failure: HTTPFailure?
    private var drained = 0

    /// An error's text is read no further: up to here it keeps the connection for the next request.
    private static let drainLimit = 64 << 10

    init(_ handle: CurlHandle, _ request: HTTPGet, _ sink: any HTTPSink) {
        self.handle = handle
        self.request = request
        self.sink = sink
        length = request.resume?.offset ?? 0
    }

    /// False stops the transfer.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        do throws(HTTPFailure) {
            guard let head = try begin(), [200, 206].contains(head.status) else {
                drained += bytes.count
                return drained <= Self.drainLimit
            }
            guard length <= request.options.limit, UInt64(bytes.count) <= request.options.limit - length else {
                throw .tooLarge
            }
            try Self.write { () throws(Errno) in try sink.append(bytes, total: head.total) }
            length += UInt64(bytes.count)
            return true
        } catch {
            failure = error
            return false
        }
    }

    /// Reads the answer's head, once, and makes the sink ready for its body.
    private func begin() throws(HTTPFailure) -> HTTPHead? {
        if let head { return head }
        guard let head = HTTPHead(handle) else { return nil }
        self.head = head
        switch head.status {
        case 200:
            length = 0
            try Self.write { () throws(Errno) in try sink.restart() }
        case 206:
            // A part without being asked for, from elsewhere, or of another version than that of If-Range.
            guard let resume = request.resume, head.partStart == resume.offset,
                head.validator.map({ $0.isTag != resume.validator.isTag || $0 == resume.validator }) ?? true
            else { throw .wrongPart }
        default: return head
        }
        guard (head.total ?? 0) <= request.options.limit else { throw .tooLarge }
        return head
    }

    private static func write(_ body: () throws(Errno) -> Void) throws(HTTPFailure) {
        do throws(Errno) { try body() } catch { throw .notWritten(error) }
    }

    /// What came of it, once libcurl is done.
    func answer(_ code: CURLcode) -> HTTPAnswer {
        if failure == nil {
            do throws(HTTPFailure) {
                // An empty body never called `receive`.
                let head = try begin()
                failure = failure(code, head)
            } catch {
                failure = error
            }
        }
        return HTTPAnswer(head: head, length: length, failure: failure)
    }

    var isAbandoned: Bool { request.isAbandoned?() ?? false }

    private func failure(_ code: CURLcode, _ head: HTTPHead?) -> HTTPFailure? {
        switch code {
        case CURLE_ABORTED_BY_CALLBACK: return .abandoned
        case CURLE_TOO_MANY_REDIRECTS, CURLE_URL_MALFORMAT: return .refused(handle.message(code))
        // Without an answer it is one that is no HTTP: some other program, or a broken one.
        case CURLE_UNSUPPORTED_PROTOCOL where head != nil: return .refused(handle.message(code))
        default: break
        }
        guard let status = head?.status, status >= 400 || code == CURLE_OK else { return connectionFailure(code) }
        // A server may send less of the rest than it was asked for.
        if status == 206, let total = head?.total, length != total {
            return length < total ? .brokenOff(length) : .wrongPart
        }
        return nil
    }

    private func connectionFailure(_ code: CURLcode) -> HTTPFailure {
        switch code {
        case CURLE_OPERATION_TIMEDOUT: .timedOut(handle.message(code))
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE: .untrusted(handle.message(code))
        case CURLE_PARTIAL_FILE: .brokenOff(length)
        default: .unreachable(handle.message(code))
        }
    }
}

/// libcurl's CURLOPT_WRITEFUNCTION; its context is a `HTTPReceiver`.
func httpReceive(
    _ data: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    // `size` is always 1, see CURLOPT_WRITEFUNCTION(3).
    guard let context else { return -1 }
    let receiver = Unmanaged<HTTPReceiver>.fromOpaque(context).takeUnretainedValue()
    return receiver.receive(UnsafeRawBufferPointer(start: data, count: count)) ? count : -1
}

/// libcurl's CURLOPT_XFERINFOFUNCTION; its context is a `HTTPReceiver`.
func httpProgress(
    _ context: UnsafeMutableRawPointer?, _: curl_off_t, _: curl_off_t, _: curl_off_t, _: curl_off_t
) -> Int32 {
    guard let context else { return 0 }
    return Unmanaged<HTTPReceiver>.fromOpaque(context).takeUnretainedValue().isAbandoned ? 1 : 0
}
