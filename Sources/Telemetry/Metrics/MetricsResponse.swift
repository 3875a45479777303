internal import CMicroHTTPD

/// What the thread of libmicrohttpd is given.
final class MetricsPages: Sendable {
    let page: @Sendable () -> String

    init(_ page: @escaping @Sendable () -> String) { self.page = page }
}

/// An answer before it is put into libmicrohttpd's form.
private struct MetricsResponse {
    var status: UInt32 = 200
    var type = "text/plain; charset=utf-8"
    var text: String

    init(method: String, path: String, _ pages: MetricsPages) {
        guard ["/metrics", "/healthz"].contains(path) else {
            (status, text) = (404, "There are /metrics and /healthz.\n")
            return
        }
        guard ["GET", "HEAD"].contains(method) else {
            (status, text) = (405, "GET and HEAD only.\n")
            return
        }
        text = "ok\n"
        if path == "/metrics" { (type, text) = (MetricsPage.contentType, pages.page()) }
    }

    /// Hands it to a connection. The text is copied; of a HEAD only the head is sent.
    consuming func send(on connection: OpaquePointer) -> MHD_Result {
        let response = text.withUTF8 { bytes in
            // Copied, hence not changed.
            MHD_create_response_from_buffer(
                bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), .RESPMEM_MUST_COPY)
        }
        guard let response else { return .NO }
        defer { MHD_destroy_response(response) }
        MHD_add_response_header(response, "Content-Type", type)
        if status == 405 { MHD_add_response_header(response, "Allow", "GET, HEAD") }
        return MHD_queue_response(connection, status, response)
    }
}

/// Called by libmicrohttpd for each request, see MHD_AccessHandlerCallback: first when its head is there, which is enough
/// to answer; a body is not read, and the connection closes behind it.
func respond(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ path: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ body: UnsafePointer<CChar>?,
    _ bodySize: UnsafeMutablePointer<Int>?, _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context, let connection, let path, let method else { return .NO }
    let pages = Unmanaged<MetricsPages>.fromOpaque(context).takeUnretainedValue()
    return MetricsResponse(method: String(cString: method), path: String(cString: path), pages).send(on: connection)
}
