import Glibc
import Support

@testable import FUSESession
@testable import Keeper

/// Packets between a service and its keeper.
enum KeeperTarget {
    private static let ends: (Int32, Int32) = {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0 else {
            perror("socketpair")
            exit(2)
        }
        return (ends[0], ends[1])
    }()

    static func run(_ bytes: UnsafeRawBufferPointer) {
        // A packet of no bytes is none.
        guard !bytes.isEmpty, send(ends.0, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT)) == bytes.count else {
            return
        }
        guard let message = try? KeeperMessage.receive(on: ends.1) else { return }
        guard (try? message.send(on: ends.0)) != nil else { return }
        require((try? KeeperMessage.receive(on: ends.1)) == message, "what was written is read again")
    }
}
