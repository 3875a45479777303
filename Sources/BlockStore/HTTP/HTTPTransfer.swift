internal import BlockCodec
internal import CCurl
internal import Support

/// One request on its way: the handle it uses, and what has arrived. The engine's thread only.
final class HTTPTransfer {
    let job: HTTPJob
    let handle: CurlHandle
    let lane: HTTPLane
    private var body: BlockBuffer?
    private var errorText: [UInt8] = []
    /// Why the receiver stopped the transfer.
    private var verdict: Verdict?

    private enum Verdict { case failure(StoreError), enoughErrorText }

    /// Read of an error's body for the message; the rest is drained, which keeps the connection.
    private static let errorTextLimit = 2048
    /// Beyond this a connection is cheaper to drop than to drain.
    private static let drainLimit: UInt64 = 64 << 10

    private var drained: UInt64 = 0

    init(_ job: HTTPJob, _ handle: CurlHandle, _ lane: HTTPLane) {
        self.job = job
        self.lane = lane
        self.handle = handle
    }

    /// False when memory is short.
    func prepare(_ options: HTTPOptions) -> Bool {
        guard handle.apply(job.request, options) else { return false }
        handle.setReceiver(httpTransferReceive, Unmanaged.passUnretained(self).toOpaque())
        return true
    }

    /// Takes a piece of the body; false stops the transfer.
    fileprivate func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard handle.status == 200 else { return receiveErrorText(bytes) }
        job.request.progressed?()
        let limit = max(0, job.request.maximumLength)
        if body == nil {
            let announced = handle.contentLength
            guard (announced ?? 0) <= UInt64(limit) else { return stop(.tooLarge) }
            if job.request.isAbandoned?() == true { return stop(.cancelled) }
            body = BlockBufferPool.shared.buffer(capacity: announced.map { Int($0) } ?? limit)
        }
        guard let body, bytes.count <= limit - body.count, bytes.count <= body.memory.count - body.count else {
            return stop(.tooLarge)
        }
        UnsafeMutableRawBufferPointer(rebasing: body.memory[body.count...]).copyMemory(from: bytes)
        body.count += bytes.count
        return true
    }

    private func receiveErrorText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        errorText += bytes.prefix(max(0, Self.errorTextLimit - errorText.count))
        drained += UInt64(bytes.count)
        guard drained <= Self.drainLimit else {
            verdict = .enoughErrorText
            return false
        }
        return true
    }

    private func stop(_ error: StoreError) -> Bool {
        verdict = .failure(error)
        return false
    }

    /// What came of it, once libcurl is done with the handle.
    func outcome(_ code: CURLcode) -> Result<HTTPResponse, StoreError> {
        if case .failure(let error) = verdict { return .failure(error) }
        let status = handle.status
        // An error status says more than how its body ended.
        guard code == CURLE_OK || status >= 400 else { return .failure(failure(code)) }
        return .success(HTTPResponse(status: status, body: status == 200 ? body : nil, errorText: errorText))
    }

    private func failure(_ code: CURLcode) -> StoreError {
        switch code {
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        // The connection ended too early: asking again is sane.
        case CURLE_PARTIAL_FILE: .unreachable("the connection ended within the body, after \(body?.count ?? 0) bytes")
        case CURLE_TOO_MANY_REDIRECTS, CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2,
            CURLE_HTTP2_STREAM, CURLE_BAD_CONTENT_ENCODING:
            .protocolViolation(handle.message(code))
        // Nothing that time would mend.
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE:
            .refused(
                "its certificate is not trusted (\(handle.message(code))): check this machine's clock and the package "
                    + "ca-certificates")
        case CURLE_URL_MALFORMAT: .refused("the address is not one of http: \(handle.message(code))")
        default: .unreachable(handle.message(code))
        }
    }
}

private func httpTransferReceive(
    _ data: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    // `size` is always 1, see CURLOPT_WRITEFUNCTION(3).
    guard let context else { return -1 }
    let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.receive(UnsafeRawBufferPointer(start: data, count: count)) ? count : -1
}
