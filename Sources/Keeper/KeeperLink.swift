internal import CLinux
internal import Glibc
public import Support

/// A process's connection to its keeper. Thread-safe.
///
/// Once the process has ended, however it ended, what it had the keeper hold waits for the next one.
public final class KeeperLink: Sendable {
    private let socket: FileDescriptor
    // Held for a packet or an exchange, so that answers go to those who asked.
    private let turn = Monitor(())

    /// The keeper's process, where this one has started it.
    private let child: Int32?

    /// Takes over one end of a connection.
    public init(owning socket: consuming FileDescriptor, child: Int32? = nil) {
        self.socket = socket
        self.child = child
    }

    /// Has it hold copies of an item's descriptors from now on, in place of those that it had under this key: the item
    /// is served by this process.
    public func keep(_ item: KeptItem) throws(FlistError) { try send(.keep(item)) }

    /// Has it let go of an item; nothing happens if it holds none of that key.
    public func drop(_ key: String) throws(FlistError) { try send(.drop(key)) }

    /// Copies of everything that it holds. What is not kept again in time is let go of.
    public func take() throws(FlistError) -> [KeptItem] {
        try turn.withLock { _ throws(FlistError) in
            var items: [KeptItem] = []
            do throws(Errno) {
                try KeeperMessage.take.send(on: socket.number)
                while case .item(let item)? = try KeeperMessage.receive(on: socket.number) { items.append(item) }
            } catch {
                items.forEach { $0.descriptors.forEach { close($0) } }
                throw FlistError("cannot take over what the keeper holds", errno: error)
            }
            return items
        }
    }

    /// Returns when the keeper has ended. Blocks. Call once.
    public func waitForEnd() {
        // An end is told even if nothing is asked for.
        var entry = pollfd(fd: socket.number, events: 0, revents: 0)
        while poll(&entry, 1, -1) < 0, errno == EINTR {}
        guard let child else { return }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
    }

    private func send(_ message: KeeperMessage) throws(FlistError) {
        try turn.withLock { _ throws(FlistError) in
            do throws(Errno) {
                try message.send(on: socket.number)
            } catch {
                throw FlistError("cannot reach the keeper", errno: error)
            }
        }
    }
}
