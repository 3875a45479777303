internal import CCurl
internal import Glibc
internal import Support

/// A libcurl easy handle with its error text. One thread at a time.
final class CurlHandle {
    let easy: UnsafeMutableRawPointer
    private let errorText = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var headers: UnsafeMutablePointer<curl_slist>?

    /// The library's own set-up, once for the process. Thread-safe by the language.
    private static let library: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    /// What to say when there is no handle.
    static let missing = "libcurl.so.4 does not start; install libcurl4"

    /// Nil when the library is not installed or does not start, or memory is short.
    init?() {
        guard Self.library == CURLE_OK, let easy = curl_easy_init() else {
            errorText.deallocate()
            return nil
        }
        self.easy = easy
        errorText.initialize(repeating: 0)
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    /// Forgets all options of the last use. Connections are kept: by the multi handle, or by this one without one.
    func reset() {
        curl_easy_reset(easy)
        curl_slist_free_all(headers)
        headers = nil
    }

    /// Options that every transfer has.
    func applyCommon(_ options: HTTPOptions, url: String, credentials: HTTPRequest.Credentials?) -> Bool {
        if let first = errorText.baseAddress {
            first.pointee = 0
            curl_easy_setopt_pointer(easy, CURLOPT_ERRORBUFFER, first)
        }
        guard set(CURLOPT_URL, url) else { return false }
        // Signals belong to the thread that waits for them; name lookup has a thread of libcurl's own.
        set(CURLOPT_NOSIGNAL, 1)
        // Else libcurl 7.88 waits, whatever the time limits, until the C library gives up on a name: 10 s for each name
        // server that does not answer, and all other transfers with it. The thread that looks it up ends by itself.
        set(CURLOPT_QUICK_EXIT, 1)
        // A redirect must never reach files or other protocols of this machine.
        guard set(CURLOPT_PROTOCOLS_STR, "http,https"), set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https") else {
            return false
        }
        set(CURLOPT_MAXREDIRS, options.maximumRedirects)
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        set(CURLOPT_CONNECTTIMEOUT_MS, options.connectTimeout.milliseconds)
        set(CURLOPT_LOW_SPEED_LIMIT, options.lowSpeedLimit)
        set(CURLOPT_LOW_SPEED_TIME, max(1, options.lowSpeedTime.milliseconds / 1000))
        set(CURLOPT_BUFFERSIZE, options.receiveBuffer)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        guard set(CURLOPT_USERAGENT, "flist") else { return false }
        if let file = options.certificateAuthorities, !set(CURLOPT_CAINFO, file) { return false }
        guard let credentials else { return true }
        set(CURLOPT_HTTPAUTH, 1)  // CURLAUTH_BASIC, a macro with a cast
        return set(CURLOPT_USERNAME, credentials.user) && set(CURLOPT_PASSWORD, credentials.password)
    }

    /// All of a request but where its answer goes. False when memory is short or a text is not acceptable.
    func apply(_ request: HTTPRequest, _ options: HTTPOptions) -> Bool {
        guard applyCommon(options, url: request.url, credentials: request.credentials) else { return false }
        if request.patience > options.lowSpeedTime {
            set(CURLOPT_LOW_SPEED_TIME, request.patience.milliseconds / 1000)
        }
        // The object name is signed as it is written: no dots squeezed out.
        set(CURLOPT_PATH_AS_IS, 1)
        switch request.method {
        case .get:
            set(CURLOPT_HTTPGET, 1)
            set(CURLOPT_FOLLOWLOCATION, request.followsRedirects ? 1 : 0)
        case .head:
            set(CURLOPT_NOBODY, 1)
            set(CURLOPT_FOLLOWLOCATION, request.followsRedirects ? 1 : 0)
        case .put, .post:
            set(CURLOPT_POST, 1)
            guard set(CURLOPT_CUSTOMREQUEST, request.method.rawValue) else { return false }
            let body = request.body?.bytes
            curl_easy_setopt_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body?.count ?? 0))
            // Not copied: the request's promise is that it stays until the completion. Null would mean a read function.
            curl_easy_setopt_string(
                easy, CURLOPT_POSTFIELDS, body?.baseAddress?.assumingMemoryBound(to: CChar.self) ?? Self.noBytes)
        }
        return setHeaders(request.headers + Self.headers(for: request.method))
    }

    /// What libcurl wrote about the last failure, or its sentence for the code.
    func message(_ code: CURLcode) -> String {
        if let first = errorText.baseAddress, first.pointee != 0 { return String(cString: first) }
        return String(cString: curl_easy_strerror(code))
    }

    /// The status of the last answer; 0 when there was none.
    var status: Int {
        var status = 0
        curl_easy_getinfo_long(easy, CURLINFO_RESPONSE_CODE, &status)
        return status
    }

    /// The length the server announced; nil when it did not.
    var contentLength: UInt64? {
        var length: curl_off_t = -1
        curl_easy_getinfo_offset(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length)
        return UInt64(exactly: length)
    }

    /// A header of the last answer, not of redirects before it; the first of that name.
    func header(_ name: String) -> String? {
        var header: UnsafeMutablePointer<curl_header>?
        guard curl_easy_header(easy, name, 0, UInt32(CURLH_HEADER), -1, &header) == CURLHE_OK,
            let value = header?.pointee.value
        else { return nil }
        return String(validatingCString: value)
    }

    /// What the last answer's Retry-After asks for, given in seconds or as a date; nil without one.
    var retryAfter: Duration? {
        var seconds: curl_off_t = 0
        curl_easy_getinfo_offset(easy, CURLINFO_RETRY_AFTER, &seconds)
        return seconds > 0 ? .seconds(seconds) : nil
    }

    /// Whether the last answer came over HTTP/2; nil when there was none.
    var isHTTP2: Bool? {
        var version = 0
        curl_easy_getinfo_long(easy, CURLINFO_HTTP_VERSION, &version)
        return version == 0 ? nil : version == Int(CURL_HTTP_VERSION_2_0)
    }

    /// From the moment a connection was there to the first byte of the last answer; nil when there was none.
    var timeToFirstByte: Duration? {
        var (connected, first): (curl_off_t, curl_off_t) = (0, 0)
        curl_easy_getinfo_offset(easy, CURLINFO_PRETRANSFER_TIME_T, &connected)
        curl_easy_getinfo_offset(easy, CURLINFO_STARTTRANSFER_TIME_T, &first)
        return first > 0 ? .microseconds(max(0, first - connected)) : nil
    }

    @discardableResult
    func set(_ option: CURLoption, _ value: Int) -> Bool { curl_easy_setopt_long(easy, option, value) == CURLE_OK }

    /// The text is copied by libcurl. False for one with a NUL, which would end it there for libcurl.
    func set(_ option: CURLoption, _ value: String) -> Bool {
        !value.utf8.contains(0) && curl_easy_setopt_string(easy, option, value) == CURLE_OK
    }

    /// Where the body goes: `function` is called with `context`, which must outlive the transfer.
    func setReceiver(_ function: curl_data_function?, _ context: UnsafeMutableRawPointer) {
        curl_easy_setopt_data_function(easy, CURLOPT_WRITEFUNCTION, function)
        curl_easy_setopt_pointer(easy, CURLOPT_WRITEDATA, context)
    }

    /// `function` is called about once a second, and more often while bytes come; not 0 ends the transfer.
    func setProgress(_ function: curl_progress_function?, _ context: UnsafeMutableRawPointer) {
        set(CURLOPT_NOPROGRESS, 0)
        curl_easy_setopt_progress_function(easy, function)
        curl_easy_setopt_pointer(easy, CURLOPT_XFERINFODATA, context)
    }

    /// Whole lines, in addition to libcurl's own. Call once after a reset.
    func setHeaders(_ lines: [String]) -> Bool {
        for line in lines {
            guard let longer = curl_slist_append(headers, line) else { return false }
            headers = longer
        }
        return curl_easy_setopt_list(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK
    }

    /// No waiting for "100 Continue", and the true type instead of a form's.
    private static func headers(for method: HTTPRequest.Method) -> [String] {
        switch method {
        case .get, .head: []
        case .put, .post: ["Expect:", "Content-Type: application/octet-stream"]
        }
    }

    // One zero byte for the life of the process; nobody writes to it.
    nonisolated(unsafe) private static let noBytes: UnsafePointer<CChar> = {
        let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        byte.initialize(to: 0)
        return UnsafePointer(byte)
    }()
}

extension Duration {
    /// Whole milliseconds, at least 1.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow, whole < Int64(Int32.max) else { return Int(Int32.max) }
        return max(1, Int(whole) + Int(attoseconds / 1_000_000_000_000_000))
    }
}
