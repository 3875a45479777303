internal import BlockStore
public import Logging
public import Support

/// Fetches flists from hubs, and keeps them in a folder under their MD5.
///
/// Addresses are of http, https or file. User and password in them are sent as basic authentication, and never shown.
/// Thread-safe, also between processes that share the folder. Everything blocks: `fetch` and `hash` on the network,
/// within the bounds of the options.
public final class Hub: Sendable {
    let options: Options
    let logger: Logger
    let folder: FlistFolder
    let book: AddressBook
    let holds = FlistHolds()
    let session = HTTPSession()
    /// True once all is to end.
    let isClosed = Monitor(false)
    private let fetches = FlightTable<HubFlist>()

    /// Makes `folder` where it is missing, and removes what ended processes left unfinished in it.
    public init(folder: String, options: Options = Options(), logger: Logger) throws(FlistError) {
        self.options = options
        self.logger = logger
        self.folder = try FlistFolder(folder)
        book = try AddressBook(in: self.folder.path)
    }

    /// Brings the flist at an address into the folder, unless it is there.
    ///
    /// A hub that tells the flist's MD5 is not asked for more when that is here. One that does not is asked whether the
    /// file has changed, by its ETag or date. A hub that cannot be asked, while an earlier fetch of the very address
    /// has left its flist here, is not waited for longer than `cachedWait`. Fetches of one address at the same time
    /// become one.
    /// - Throws: `usage` for an address that cannot be one; `notFound`, `permission`, `unavailable` and `timedOut` as the
    ///   hub has it; `invalid` for a flist that is empty or too large, `corrupt` for one that has not the hub's MD5; `io`.
    public func fetch(_ url: String) throws(FlistError) -> HubFlist {
        let address = try HubAddress(url)
        return try fetches.run(address.key) { () throws(FlistError) in
            do throws(HubTrouble) {
                return try FlistFetch(address, self).run()
            } catch {
                // The words of the Zero-OS flist module, for a status.
                let what = "fail to download flist"
                let place = error.isStatus ? "" : " from '\(address.shown)'"
                throw FlistError(error.code, "\(what)\(place): \(error.why)", cause: error.cause)
            }
        }
    }

    /// The MD5 of the flist at an address, as its hub tells it: 32 hexadecimal digits of either case.
    ///
    /// - Throws: `unsupported` with the message `hash not supported by flist host` when the hub does not tell;
    ///   `invalid` for an answer that is no MD5; others as `fetch`.
    public func hash(_ url: String) throws(FlistError) -> String {
        let address = try HubAddress(url)
        do throws(HubTrouble) {
            if let hash = try hash(at: address.place) { return hash }
        } catch {
            switch error {
            case _ where error.code == .invalid: throw FlistError(.invalid, error.why)
            case _ where error.isStatus: throw FlistError(error.code, "failed to get flist hash: \(error.why)")
            default:
                let what = "failed to get flist hash from '\(address.shownHash)'"
                throw FlistError(error.code, "\(what): \(error.why)", cause: error.cause)
            }
        }
        throw FlistError(.unsupported, "hash not supported by flist host")
    }

    /// Ends all that runs, within a second or so, and all to come, with an error `unavailable`. Does not wait.
    public func close() {
        isClosed.withLock { $0 = true }
        isClosed.broadcast()
    }

    /// Nil when the hub says that it has none.
    private func hash(at place: HubAddress.Place) throws(HubTrouble) -> String? {
        guard case .web(let web) = place else {
            guard case .file(let path) = place else { return nil }
            return try HashQuestion.read(besideFile: path)
        }
        let retry = Retry(
            attempts: options.attempts, deadline: .after(options.hashDeadline),
            options: options, isClosed: isClosed)
        do throws(HubTrouble) {
            return try HashQuestion(address: web, session: session, options: options)
                .ask(retry) { trouble, _ in logger.info("asking for a flist's hash again: \(trouble.why)") }
        } catch  where error.status == 404 {
            return nil
        }
    }
}
