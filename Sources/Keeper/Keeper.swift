internal import CLinux
internal import Glibc
public import Support

/// The items that a keeper's process holds, and those who talk to it. Used by one thread.
///
/// It reads and writes nothing of what it holds. An item belongs to the connection that kept it; when that has ended,
/// somebody has to keep the item again within `patience`, or it is let go of: the mount fails instead of hanging.
public final class Keeper {
    private struct Item {
        var description: [UInt8]
        var descriptors: [Int32]
        var owner: Int32?
        var deadline = Deadline.never
    }

    private let patience: Duration
    private let listener: Int32?
    private var items: [String: Item] = [:]
    private var connections: Set<Int32> = []
    /// Whether an item was let go of because nobody kept it again in time.
    public private(set) var hasGivenUp = false

    /// - Parameter listener: a listening socket, whose connections have to be of this process's user; nil for none.
    public init(patience: Duration, listener: consuming FileDescriptor? = nil) {
        self.patience = patience
        self.listener = listener?.release()
    }

    public var isEmpty: Bool { items.isEmpty }
    public var isAlone: Bool { connections.isEmpty }
    /// Whether everything has an owner.
    public var isServed: Bool { items.values.allSatisfy { $0.owner != nil } }

    /// Serves one end of a connection from now on.
    public func add(_ connection: consuming FileDescriptor) { connections.insert(connection.release()) }

    /// Lets go of everything.
    public func clear() { items.keys.forEach(drop) }

    /// Waits until something happens, until an item's time is up, or for `limit`, and does what it asks for.
    public func step(limit: Duration? = nil) {
        let orphans = items.filter { $0.value.owner == nil }
        var polled = connections.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        if let listener { polled.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0)) }
        // The kernel tells of the end of an unserved mount. A served one is not asked: each request would wake us.
        polled += orphans.compactMap { $0.value.descriptors.first.map { pollfd(fd: $0, events: 0, revents: 0) } }
        var wait = orphans.map(\.value.deadline).min() ?? .never
        if let limit { wait = min(wait, .after(limit)) }
        let milliseconds = wait == .never ? -1 : Int32(clamping: wait.remaining.milliseconds + 1)
        guard poll(&polled, nfds_t(polled.count), milliseconds) >= 0 else { return }
        for entry in polled where entry.revents != 0 {
            if entry.fd == listener {
                accept(entry.fd)
            } else if connections.contains(entry.fd) {
                serve(entry.fd)
            }
        }
        let ended = Set(polled.filter { $0.revents & Int16(POLLERR) != 0 }.map(\.fd))
        for (key, item) in orphans where items[key]?.owner == nil {
            if item.deadline.hasPassed { hasGivenUp = true }
            if item.deadline.hasPassed || item.descriptors.first.map(ended.contains) ?? true { drop(key) }
        }
    }

    private func accept(_ listener: Int32) {
        let number = linux_accept(listener)
        guard number >= 0 else { return }
        let connection = FileDescriptor(owning: number)
        var user = uid_t()
        guard linux_peer_uid(number, &user) == 0, user == geteuid() else { return }
        // Accepted as non-blocking; packets are small, and whoever talks to us reads the answers.
        _ = fcntl(number, F_SETFL, 0)
        add(connection)
    }

    private func serve(_ connection: Int32) {
        do throws(Errno) {
            guard let message = try KeeperMessage.receive(on: connection) else { return end(connection) }
            switch message {
            case .keep(let item): keep(item, for: connection)
            case .drop(let key): drop(key)
            case .take:
                for (key, item) in items where item.owner == nil {
                    let copy = KeptItem(key: key, description: item.description, descriptors: item.descriptors)
                    try KeeperMessage.item(copy).send(on: connection)
                }
                try KeeperMessage.end.send(on: connection)
            case .item(let item): item.descriptors.forEach { close($0) }
            case .end: break
            }
        } catch {
            // Whoever does not speak our language gets no answer.
            end(connection)
        }
    }

    private func keep(_ item: KeptItem, for connection: Int32) {
        drop(item.key)
        guard !item.descriptors.isEmpty else { return }
        items[item.key] = Item(description: item.description, descriptors: item.descriptors, owner: connection)
    }

    private func drop(_ key: String) {
        items.removeValue(forKey: key)?.descriptors.forEach { close($0) }
    }

    private func end(_ connection: Int32) {
        connections.remove(connection)
        close(connection)
        for (key, item) in items where item.owner == connection {
            items[key]?.owner = nil
            items[key]?.deadline = .after(patience)
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
