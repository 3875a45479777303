internal import CCurl
public import Support

/// Fetches one file over http or https. Blocks the calling thread; safe from any.
public enum HTTPDownload {
    public struct Options: Sendable {
        /// More bytes than this are refused, at the announced length where there is one.
        public var limit: UInt64
        /// For the whole transfer.
        public var timeout: Duration
        /// For name lookup, TCP and TLS together.
        public var connectTimeout: Duration
        /// Under 64 bytes per second for this long, the transfer is given up.
        public var stallTimeout: Duration
        /// Redirects followed, to http and https only.
        public var maximumRedirects: Int

        public init(
            limit: UInt64 = 8 << 30, timeout: Duration = .seconds(3600), connectTimeout: Duration = .seconds(10),
            stallTimeout: Duration = .seconds(30), maximumRedirects: Int = 5
        ) {
            self.limit = limit
            self.timeout = timeout
            self.connectTimeout = connectTimeout
            self.stallTimeout = stallTimeout
            self.maximumRedirects = maximumRedirects
        }
    }

    /// Bytes so far, and the announced total.
    public typealias Progress = (_ done: UInt64, _ total: UInt64?) -> Void

    /// Writes the file at `url` into `file`, a regular file, from its beginning; answers the number of bytes.
    ///
    /// User and password in the address are sent as basic authentication and never shown. `progress` is called on the
    /// calling thread after each piece. What `file` holds after an error is of no use.
    /// - Throws: `usage` for other schemes, `notFound`, `permission`, `timedOut`, `invalid` for too large a file, `io`
    ///   when writing fails, and `unavailable` for the rest; the message names the address.
    @discardableResult
    public static func download(
        _ url: String, to file: borrowing FileDescriptor, options: Options = Options(), progress: Progress? = nil
    ) throws(FlistError) -> UInt64 {
        let address = HTTPAddress(url)
        let name = address.shown
        guard ["http://", "https://"].contains(where: { name.lowercased().hasPrefix($0) }) else {
            throw FlistError(.usage, "cannot download \(name): only http:// and https:// addresses can be fetched")
        }
        guard let handle = CurlHandle() else {
            throw FlistError(.unavailable, "cannot download \(name): the HTTP client does not start")
        }
        var common = HTTPOptions()
        common.connectTimeout = options.connectTimeout
        common.lowSpeedTime = options.stallTimeout
        common.maximumRedirects = options.maximumRedirects
        guard
            handle.applyCommon(common, url: address.base + address.query, credentials: address.credentials),
            handle.set(CURLOPT_FOLLOWLOCATION, 1), handle.set(CURLOPT_TIMEOUT_MS, options.timeout.milliseconds)
        else {
            throw FlistError(.unavailable, "cannot download \(name): the request cannot be made; memory may be short")
        }
        let receiver: HTTPDownloadReceiver
        do {
            receiver = HTTPDownloadReceiver(
                handle, try file.duplicate(), limit: options.limit, progress: progress)
        } catch {
            throw FlistError("cannot download \(name): its file cannot be used", errno: error)
        }
        let code = withExtendedLifetime(receiver) {
            handle.setReceiver(httpDownloadReceive, Unmanaged.passUnretained(receiver).toOpaque())
            return curl_easy_perform(handle.easy)
        }
        if let error = receiver.error(code, name: name) { throw error }
        return receiver.count
    }
}
