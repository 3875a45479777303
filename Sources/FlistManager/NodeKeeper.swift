internal import Keeper
internal import Logging
internal import Support
internal import Synchronization

/// The keeper that holds a node's mounts for the next process, and another one when that is killed. Thread-safe.
final class NodeKeeper: Sendable {
    private let path: String
    private let patience: Duration
    private let logger: Logger
    private let link: Mutex<KeeperLink>
    /// What an earlier process left with it.
    let inherited: [KeptItem]

    /// A keeper that ends so soon after its start is not started again.
    private static let shortLife = Duration.seconds(1)

    /// Connects to the keeper at a path, and starts one where there is none. Blocks.
    init(_ path: String, patience: Duration, logger: Logger) throws(FlistError) {
        self.path = path
        self.patience = patience
        self.logger = logger
        let (first, items) = try KeeperService.open(path, patience: patience)
        link = Mutex(first)
        inherited = items
    }

    func keep(_ item: KeptItem) throws(FlistError) { try link.withLock { $0 }.keep(item) }

    func drop(_ key: String) throws(FlistError) { try link.withLock { $0 }.drop(key) }

    /// From now on starts another keeper when the one that is there ends, and has `keepAll` give it everything.
    func watch(_ keepAll: @escaping @Sendable () -> Void) {
        do throws(FlistError) {
            try WorkerThread("keeper-watch") { [self] in
                var started = Deadline(nanoseconds: 0)
                while true {
                    link.withLock { $0 }.waitForEnd()
                    guard started.advanced(by: Self.shortLife).hasPassed else { return giveUp("it ends at once") }
                    started = .now
                    do throws(FlistError) {
                        let next = try KeeperService.open(path, patience: patience).link
                        link.withLock { $0 = next }
                    } catch {
                        return giveUp(error.description)
                    }
                    keepAll()
                    logger.warning("the keeper was killed; another one holds the mounts now")
                }
            }.detach()
        } catch {
            logger.error("nobody looks after the keeper", metadata: ["error": "\(error)"])
        }
    }

    private func giveUp(_ reason: String) {
        logger.error("no keeper: mounts will end with this process", metadata: ["error": "\(reason)"])
    }
}
