internal import BlockCodec
internal import BlockStore
internal import Logging
internal import Support

/// One fetch of one address.
struct FlistFetch {
    let address: HubAddress
    let options: Hub.Options
    let folder: FlistFolder
    let book: AddressBook
    let holds: FlistHolds
    let session: HTTPSession
    let isClosed: Monitor<Bool>
    let logger: Logger
    let deadline: Deadline
    /// What an earlier fetch brought, and is here.
    let known: KnownFlist?

    init(_ address: HubAddress, _ hub: Hub) {
        self.address = address
        options = hub.options
        folder = hub.folder
        book = hub.book
        holds = hub.holds
        session = hub.session
        logger = hub.logger
        isClosed = hub.isClosed
        deadline = .after(hub.options.deadline)
        let earlier = book.recall(address.key)
        if let earlier { holds.hold(earlier.md5) }
        if let earlier, folder.has(earlier.md5, logger) {
            known = earlier
        } else {
            if let earlier { holds.release(earlier.md5) }
            known = nil
        }
    }

    func run() throws(HubTrouble) -> HubFlist {
        defer { if let known { holds.release(known.md5) } }
        do throws(HubTrouble) {
            switch address.place {
            case .web(let web): return try fetch(web)
            case .file(let path): return try copy(path)
            }
        } catch {
            guard let known, error.kind == .away || error.kind == .unable else { throw error }
            logger.warning(
                "the hub of \(address.shown) cannot be asked: \(error.why); the flist \(known.md5) fetched earlier is used"
            )
            return answer(known, isFresh: false)
        }
    }

    private func fetch(_ web: HTTPAddress) throws(HubTrouble) -> HubFlist {
        let told = try askHash(web)
        if let told, let flist = held(told, { folder.has(told, logger) ? note(told, mark(of: told)) : nil }) {
            return flist
        }
        let temporary = try folder.makeTemporary()
        let sink = try makeSink(temporary)
        // A hub without hashes may still tell by the validator.
        let unless = told == nil ? known?.mark.flatMap { HTTPValidator($0) } : nil
        guard case .complete(let validator) = try transfer(web, into: sink, unless: unless) else {
            guard let known else { throw HubTrouble(.unable, .unavailable, "the hub sent nothing") }
            return answer(known, isFresh: true)
        }
        let found = try finish(sink)
        guard let told, told != found else { return try store(temporary, found, validator?.text) }
        // The flist may have been replaced between the two answers.
        let second = try askHash(web) ?? told
        if second == found { return try store(temporary, found, validator?.text) }
        logger.warning("\(address.shown): has the MD5 \(found), its hub says \(second); it is fetched again")
        do throws(Errno) { try sink.restart() } catch { throw HubTrouble("cannot write it", error) }
        guard case .complete(let validator) = try transfer(web, into: sink, unless: nil) else {
            throw HubTrouble(.unable, .unavailable, "the hub sent nothing")
        }
        let again = try finish(sink)
        let last = try askHash(web) ?? second
        guard last == again else {
            throw HubTrouble(
                .answer, .corrupt, "it has the MD5 \(again), its hub says \(last) in the .md5 file beside it")
        }
        return try store(temporary, again, validator?.text)
    }

    /// Nil when the hub does not tell.
    private func askHash(_ web: HTTPAddress) throws(HubTrouble) -> Digest? {
        let limit = Deadline.after(known == nil ? options.hashDeadline : options.cachedWait)
        let attempts = known == nil ? options.attempts : options.cachedAttempts
        let retry = Retry(
            attempts: attempts, deadline: min(limit, deadline), options: options,
            isClosed: isClosed)
        let question = HashQuestion(address: web, session: session, options: options)
        do throws(HubTrouble) {
            return Digest(hex: try question.ask(retry, onRetry: logRetry))
        } catch {
            guard error.kind != .away else { throw error }
            if error.code == .invalid { logger.warning("\(address.shown): its .md5 file is of no use: \(error.why)") }
            return nil
        }
    }

    private func transfer(
        _ web: HTTPAddress, into sink: FlistSink, unless: HTTPValidator?
    ) throws(HubTrouble) -> FlistTransfer.Outcome {
        let retry = Retry(
            attempts: options.attempts,
            quick: known == nil ? nil : (options.cachedAttempts, .after(options.cachedWait)),
            deadline: deadline, options: options, isClosed: isClosed)
        return try FlistTransfer(address: web, session: session, options: options, retry: retry)
            .run(into: sink, unless: unless, onRetry: logRetry)
    }

    private func copy(_ path: String) throws(HubTrouble) -> HubFlist {
        let local = LocalFlist(path: path, limit: options.limit)
        let mark = try local.mark()
        if let known, let mark, known.mark == mark { return answer(known, isFresh: true) }
        let temporary = try folder.makeTemporary()
        try local.copy(to: temporary.descriptor)
        let md5: Digest
        do throws(Errno) { md5 = try MD5.hash(of: temporary.descriptor) } catch {
            throw HubTrouble("cannot hash it", error)
        }
        return try store(temporary, md5, mark)
    }

    private func makeSink(_ file: borrowing TemporaryFile) throws(HubTrouble) -> FlistSink {
        do throws(Errno) {
            return try FlistSink(
                file.descriptor, shown: address.shown, interval: options.progressInterval, logger: logger)
        } catch {
            throw HubTrouble("cannot write it", error)
        }
    }

    private func finish(_ sink: FlistSink) throws(HubTrouble) -> Digest {
        guard let md5 = sink.finish() else { throw HubTrouble(.local, .io, "cannot hash it") }
        return md5
    }

    private func store(
        _ file: borrowing TemporaryFile, _ md5: Digest, _ mark: String?
    ) throws(HubTrouble) -> HubFlist {
        holds.hold(md5)
        defer { holds.release(md5) }
        try folder.store(file, as: md5, logger)
        return note(md5, mark)
    }

    /// The mark that is known to belong to the bytes of this MD5.
    private func mark(of md5: Digest) -> String? { known?.md5 == md5 ? known?.mark : nil }

    private func held<Value>(_ md5: Digest, _ body: () -> Value) -> Value {
        holds.hold(md5)
        defer { holds.release(md5) }
        return body()
    }

    private func note(_ md5: Digest, _ mark: String?) -> HubFlist {
        answer(KnownFlist(md5: md5, mark: mark), isFresh: true)
    }

    private func answer(_ flist: KnownFlist, isFresh: Bool) -> HubFlist {
        book.note(flist, address.key)
        return HubFlist(path: folder.path(of: flist.md5), md5: flist.md5.description, isFresh: isFresh)
    }

    private func logRetry(_ trouble: HubTrouble, _ pause: Duration) {
        let milliseconds = Int(pause / .milliseconds(1))
        logger.info("\(address.shown): \(trouble.why); asked again in \(milliseconds) ms")
    }
}
