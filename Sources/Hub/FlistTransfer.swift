internal import BlockStore
internal import Support

/// Brings the file at an address into a sink, in as many attempts as it takes: each goes on where the last one ended.
struct FlistTransfer {
    let address: HTTPAddress
    let session: HTTPSession
    let options: Hub.Options
    let retry: Retry

    /// What came: the validator of the file, nil when the server gave none.
    enum Outcome {
        case complete(HTTPValidator?)
        case notModified
    }

    /// With `unless`, the file is brought only if it is no longer that one.
    func run(
        into sink: FlistSink, unless: HTTPValidator?, onRetry: (HubTrouble, Duration) -> Void
    ) throws(HubTrouble) -> Outcome {
        var resume: (offset: UInt64, validator: HTTPValidator)?
        var furthest: UInt64 = 0
        return try retry.run(onRetry: onRetry) { () throws(HubTrouble) in
            var request = HTTPGet(address, options: options.http(until: retry.deadline))
            request.options.limit = options.limit
            request.isAbandoned = { retry.isClosed.withLock { $0 } }
            request.resume = resume
            // One condition at a time: what is here in part is newer.
            request.unless = resume == nil ? unless : nil
            let answer = session.get(request, into: sink)
            guard var trouble = HubTrouble(answer, limit: options.limit) else {
                guard answer.head?.status != 304 else { return .notModified }
                guard answer.length > 0 else { throw HubTrouble(.answer, .invalid, "it is empty") }
                return .complete(answer.head?.validator ?? resume?.validator)
            }
            resume = rest(answer, before: resume)
            trouble.madeProgress = sink.count > furthest
            furthest = max(furthest, sink.count)
            throw trouble
        }
    }

    /// What the next attempt may ask for.
    private func rest(
        _ answer: HTTPAnswer, before: (offset: UInt64, validator: HTTPValidator)?
    ) -> (offset: UInt64, validator: HTTPValidator)? {
        switch answer.head?.status {
        // No bytes came, those that are here are as good as before.
        case nil: return before
        case 200?, 206?:
            guard answer.failure != .wrongPart, answer.length > 0,
                let validator = answer.head?.validator ?? (answer.head?.status == 206 ? before?.validator : nil)
            else { return nil }
            return (answer.length, validator)
        case 416?: return nil
        default: return before
        }
    }
}

extension Hub.Options {
    /// For one request of an exchange that must end at `deadline`.
    func http(until deadline: Deadline) -> HTTPDownload.Options {
        HTTPDownload.Options(
            timeout: deadline.remaining, connectTimeout: min(connectTimeout, max(.milliseconds(1), deadline.remaining)),
            stallTimeout: stallTimeout)
    }
}
