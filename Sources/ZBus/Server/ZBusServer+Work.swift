internal import Support

extension ZBusServer {
    /// Redis takes 512 MiB; no caller wants to wait for this much.
    private static let answerLimit = 64 << 20

    /// The life of a worker thread.
    func work(_ worker: Int) {
        var replier = Replier(line)
        while let message = crew.next(for: worker) {
            guard let request = decode(message) else { continue }
            crew.note("[\(Self.clipped("\(request.object)"))].\(Self.clipped(request.method))()", of: worker)
            let outcome = run(request)
            replier.push(answer(request, outcome), to: request.replyTo, pause: crew.pause)
        }
        crew.workerEnded()
    }

    /// The life of the status thread.
    func serveStatus(_ messages: QueueReader) {
        var replier = Replier(line)
        messages.run(admit: { true }) { message in
            guard let request = decode(message) else { return }
            let report = request.method.isEmpty ? nil : statusReport?(request.method)
            let value = report ?? status.value
            replier.push(answer(request, .value(value)), to: request.replyTo, pause: crew.pause)
        }
    }

    private func decode(_ message: [UInt8]) -> ZBusRequest? {
        do throws(ZBusRequest.Failure) {
            return try ZBusRequest(decoding: message)
        } catch {
            dropped.note(message, error)
            observer?.messageDropped(bytes: message.count)
            return nil
        }
    }

    private func run(_ request: ZBusRequest) -> ZBusResponse.Outcome {
        let id = String(decoding: request.id.prefix(64), as: UTF8.self)
        let call = ZBusCall(object: request.object, method: Self.clipped(request.method), id: id)
        observer?.callStarted(call)
        let start = Deadline.now
        let outcome = ZBusObject.answer(to: request, by: objects)
        if let observer {
            let time = Duration.nanoseconds(Int64(clamping: Deadline.now.nanoseconds - start.nanoseconds))
            observer.callEnded(call, after: time, ZBusOutcome(outcome))
        }
        return outcome
    }

    /// Enough of a name for logs and the status: a stranger's may have a megabyte.
    private static func clipped(_ name: String) -> String {
        name.utf8.count <= 128 ? name : String(name.unicodeScalars.prefix(32)) + "..."
    }

    private func answer(_ request: ZBusRequest, _ outcome: ZBusResponse.Outcome) -> [UInt8] {
        let answer = ZBusResponse(id: request.id, outcome: outcome).encoded
        guard answer.count > Self.answerLimit, case .value = outcome else { return answer }
        let zero = objects[request.object]?.methods[request.method]?.zero
        let text = "the answer has \(ByteCount(UInt64(answer.count))), more than the bus carries"
        return ZBusResponse(id: request.id, outcome: .callError(text, zero: zero)).encoded
    }
}

extension ZBusOutcome {
    init(_ outcome: ZBusResponse.Outcome) {
        switch outcome {
        case .value: self = .ok
        case .callError(let text, _): self = .callError(text)
        case .protocolError(let text): self = .protocolError(text)
        }
    }
}
