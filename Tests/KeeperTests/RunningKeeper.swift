import Foundation
import Glibc
import Support
import Synchronization
import Testing

@testable import Keeper

/// A keeper on a thread, listening in a folder of its own, which goes with it.
final class RunningKeeper {
    let path: String
    private let folder: String
    private let ended = Monitor(false)

    init(patience: Duration) throws {
        var template = Array("/tmp/flist-test-keeper-XXXXXX\0".utf8CString.dropLast())
        folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        chmod(folder, 0o755)
        path = "\(folder)/keeper"
        let listener = try KeeperService.listen(path).release()
        let ended = ended
        try WorkerThread("keeper") {
            let keeper = Keeper(patience: patience, listener: FileDescriptor(owning: listener))
            keeper.step()
            while !keeper.isEmpty || !keeper.isAlone { keeper.step() }
            close(listener)
            ended.withLock { $0 = true }
            ended.broadcast()
        }.detach()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func connect() throws -> KeeperLink { try KeeperService.connect(path) }

    /// Whether it ends within twenty seconds.
    func ends() -> Bool { ended.wait(until: .after(.seconds(20))) { $0 ? true : nil } ?? false }
}

/// A pipe whose writing end is to be kept: what is read tells whether somebody has it.
struct KeptPipe: ~Copyable {
    let reading: FileDescriptor
    let writing: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        reading = FileDescriptor(owning: ends[0])
        writing = ends[1]
    }

    /// Waits; empty when nobody has the other end any more.
    func read() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = Glibc.read(reading.number, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }
}
