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
        let sink: FileSink
        do {
            sink = FileSink(try file.duplicate(), progress)
        } catch {
            throw FlistError("cannot download \(name): its file cannot be used", errno: error)
        }
        let answer = HTTPSession().get(HTTPGet(address, options: options), into: sink)
        if let error = error(answer, name, options) { throw error }
        return answer.length
    }
}

/// A file that is written from its beginning.
private final class FileSink: HTTPSink {
    private let file: FileDescriptor
    private let progress: HTTPDownload.Progress?
    private var count: UInt64 = 0

    init(_ file: consuming FileDescriptor, _ progress: HTTPDownload.Progress?) {
        self.file = file
        self.progress = progress
    }

    func restart() { count = 0 }

    func append(_ bytes: UnsafeRawBufferPointer, total: UInt64?) throws(Errno) {
        try file.write(bytes, at: count)
        count += UInt64(bytes.count)
        progress?(count, total)
    }
}
