internal import BlockCodec
internal import Support

/// One exchange to be made by the `HTTPEngine`.
struct HTTPRequest: Sendable {
    enum Method: String, Sendable { case get = "GET", head = "HEAD", put = "PUT", post = "POST" }

    struct Credentials: Sendable, Hashable {
        var user: String
        var password: String
    }

    /// A body that the caller keeps alive and unchanged until the request is completed.
    struct Body: @unchecked Sendable {
        // Only read, by the engine's thread, while the caller of `perform` waits.
        let bytes: UnsafeRawBufferPointer
    }

    var method: Method
    var url: String
    /// Whole lines, `Name: value`.
    var headers: [String] = []
    /// For basic authentication; never sent to another host that the server redirects to.
    var credentials: Credentials?
    var body: Body?
    /// A larger body is refused as `tooLarge`: at its Content-Length where there is one.
    var maximumLength: Int
    var deadline: Deadline
    /// How long nothing may come from the server; the client's own limit where that is longer.
    var patience = Duration.zero
    /// GET and HEAD only; signed requests must not follow.
    var followsRedirects = true
    /// Asked now and then by the engine's thread: true ends the request with `cancelled`. Must not block.
    var isAbandoned: (@Sendable () -> Bool)?

    /// Called by the engine's thread whenever bytes of a 200's body come. Must not block.
    var progressed: (@Sendable () -> Void)?

    init(_ method: Method, _ url: String, maximumLength: Int, deadline: Deadline) {
        self.method = method
        self.url = url
        self.maximumLength = maximumLength
        self.deadline = deadline
    }
}
