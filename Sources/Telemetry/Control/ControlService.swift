internal import CLinux
internal import Glibc
internal import Support

/// The thread behind a `ControlSocket`: poll(2) over the listening socket and the clients.
final class ControlService: Sendable {
    private struct Client {
        let connection: Int32
        var rest: ArraySlice<UInt8>
        let deadline: Deadline
    }

    /// More wait in the kernel's queue.
    private static let limit = 16
    private static let patience = Duration.seconds(10)

    private let listener: FileDescriptor
    private let stopping: FileDescriptor
    private let answer: @Sendable () -> [UInt8]

    init(listener: consuming FileDescriptor, answer: @escaping @Sendable () -> [UInt8]) throws(FlistError) {
        do throws(Errno) {
            stopping = FileDescriptor(
                owning: try systemCall { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
        } catch {
            throw FlistError("cannot make an event", errno: error)
        }
        self.listener = listener
        self.answer = answer
    }

    /// Ends `run`.
    func stop() { eventfd_write(stopping.number, 1) }

    func run() {
        var clients: [Client] = []
        defer { clients.forEach { close($0.connection) } }
        while true {
            // A negative descriptor is left out: who comes while all places are taken waits.
            let door = clients.count < Self.limit ? listener.number : -1
            var events = [Self.poll(stopping.number, POLLIN), Self.poll(door, POLLIN)]
            events += clients.map { Self.poll($0.connection, POLLOUT) }
            let deadline = clients.map(\.deadline).min() ?? .never
            guard SocketWait.wait(&events, until: deadline), events[0].revents == 0 else { return }
            var left: [Client] = []
            for (var client, event) in zip(clients, events.dropFirst(2)) {
                let hasMore = event.revents == 0 || Self.write(&client)
                if hasMore, !client.deadline.hasPassed { left.append(client) } else { close(client.connection) }
            }
            clients = left
            if events[1].revents != 0, let client = accept() { clients.append(client) }
        }
    }

    private func accept() -> Client? {
        let connection = linux_accept(listener.number)
        guard connection >= 0 else {
            let isOurs = [EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(Errno.current.rawValue)
            // Nothing will have changed at once.
            if isOurs { usleep(100_000) }
            return nil
        }
        var user = uid_t()
        guard linux_peer_uid(connection, &user) == 0, user == 0 || user == geteuid() else {
            close(connection)
            return nil
        }
        return Client(connection: connection, rest: answer()[...], deadline: .after(Self.patience))
    }

    /// Writes what the connection takes; false when that is all, or nobody is there any more.
    private static func write(_ client: inout Client) -> Bool {
        while !client.rest.isEmpty {
            let connection = client.connection
            let count = client.rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count >= 0 else {
                let error = Errno.current
                if error == .interrupted { continue }
                return error == .again
            }
            client.rest.removeFirst(count)
        }
        return false
    }

    private static func poll(_ descriptor: Int32, _ events: Int32) -> pollfd {
        pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
    }
}
