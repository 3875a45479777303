internal import CCurl
internal import Support

/// Where a download's bytes go, and what stopped it.
final class HTTPDownloadReceiver {
    private let handle: CurlHandle
    private let file: FileDescriptor
    private let limit: UInt64
    private let progress: HTTPDownload.Progress?
    private(set) var count: UInt64 = 0
    private var failure: Errno?
    private var isTooLarge = false

    init(
        _ handle: CurlHandle, _ file: consuming FileDescriptor, limit: UInt64, progress: HTTPDownload.Progress?
    ) {
        self.handle = handle
        self.file = file
        self.limit = limit
        self.progress = progress
    }

    /// False stops the transfer.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // An error's text is of no interest, and short.
        guard handle.status == 200 else { return false }
        let total = handle.contentLength
        guard UInt64(bytes.count) <= limit - count, (total ?? 0) <= limit else {
            isTooLarge = true
            return false
        }
        do {
            try file.write(bytes, at: count)
        } catch {
            failure = error
            return false
        }
        count += UInt64(bytes.count)
        progress?(count, total)
        return true
    }

    /// Nil when the whole file is there.
    func error(_ code: CURLcode, name: String) -> FlistError? {
        let what = "cannot download \(name)"
        if let failure {
            return FlistError("\(what): the file cannot be written; free space may be short", errno: failure)
        }
        if isTooLarge {
            return FlistError(.invalid, "\(what): it has more than the \(ByteCount(limit)) that are allowed")
        }
        let status = handle.status
        let isRedirectFault = [CURLE_TOO_MANY_REDIRECTS, CURLE_UNSUPPORTED_PROTOCOL].contains(code)
        if status != 200, status != 0, !isRedirectFault {
            let reason = HTTPResponse(status: status, body: nil, errorText: []).reason
            return FlistError(Self.kind(ofStatus: status), "\(what): \(reason)\(Self.remedy(status))")
        }
        switch code {
        case CURLE_OK: return nil
        case CURLE_OPERATION_TIMEDOUT:
            return FlistError(.timedOut, "\(what): \(handle.message(code))")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE:
            let remedy = "the server's certificate is not trusted; check the clock and the package ca-certificates"
            return FlistError(.unavailable, "\(what): \(handle.message(code)): \(remedy)")
        case CURLE_PARTIAL_FILE:
            return FlistError(.unavailable, "\(what): the connection ended after \(ByteCount(count)); try again")
        default:
            return FlistError(.unavailable, "\(what): \(handle.message(code))")
        }
    }

    private static func kind(ofStatus status: Int) -> FlistError.Code {
        switch status {
        case 404, 410: .notFound
        case 401, 403, 407: .permission
        default: .unavailable
        }
    }

    private static func remedy(_ status: Int) -> String {
        switch status {
        case 401, 403: "; put user and password into the address: https://user:password@..."
        case 404, 410: ""
        case 429, 500...: "; the server cannot serve it now, try again later"
        default: ""
        }
    }
}

/// libcurl's CURLOPT_WRITEFUNCTION; its context is a `HTTPDownloadReceiver`.
func httpDownloadReceive(
    _ data: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    // `size` is always 1, see CURLOPT_WRITEFUNCTION(3).
    guard let context else { return -1 }
    let receiver = Unmanaged<HTTPDownloadReceiver>.fromOpaque(context).takeUnretainedValue()
    return receiver.receive(UnsafeRawBufferPointer(start: data, count: count)) ? count : -1
}
