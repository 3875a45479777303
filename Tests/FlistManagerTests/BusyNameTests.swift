import FlistManager
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite(
    "Calls for one name", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"), .timeLimit(.minutes(5))
)
struct BusyNameTests {
    @Test("do not queue up behind one that takes long, and hold up no other name")
    func slowHub() throws {
        let node = try Node { $0.callPatience = .milliseconds(100) }
        let gate = Gate()
        let hub = try RawHTTPServer { _ in
            gate.pass()
            return [.answer(404)]
        }
        defer {
            gate.open()
            hub.close()
        }
        let first = Monitor<FlistError?>(nil)
        let options = NamedMountOptions().readOnly(true)
        let mounting = try WorkerThread("first") {
            do throws(FlistError) {
                _ = try node.flister.mount("a", url: "\(hub.url)/x.fl", options: options)
            } catch {
                first.withLock { $0 = error }
            }
        }
        #expect(gate.waitUntil(1))
        let text = "a is being mounted or unmounted by another call; ask again when that has ended"
        for _ in 0..<3 {
            let error = #expect(throws: FlistError.self) { try node.mount("a", readOnly: true) }
            #expect(error?.code == .busy && error?.description == text)
        }
        let error = #expect(throws: FlistError.self) { try node.flister.unmount("a") }
        #expect(error?.description == text)
        #expect(try node.shell("cat \(try node.mount("b", readOnly: true))/name").output == "one\n")
        #expect(first.withLock { $0 } == nil)
        gate.open()
        mounting.join()
        #expect(first.withLock { $0 }?.description.contains("404") == true)
        #expect(try node.shell("cat \(try node.mount("a", readOnly: true))/name").output == "one\n")
    }

    @Test("unmount nothing that is dead and still in use, and delete nothing then")
    func deadAndBusy() throws {
        let node = try Node()
        let path = try node.mount("a", limit: 1 << 25)
        try node.shell("echo kept > \(path)/kept")
        let sleeper = try ChildProcess(["sleep", "1000"], in: path)
        let shared = "\(node.root)/ro/\(try node.md5("one"))"
        let device = try #require(try MountTable.current().find(target: shared)).device.minor
        try node.shell("mkdir control && mount -t fusectl none control")
        #expect(try node.shell("echo 1 > control/\(device)/abort; umount control").status == 0)
        let error = #expect(throws: FlistError.self) { try node.flister.unmount("a") }
        #expect(
            error?.description == "cannot unmount \(path): it is in use by sleep (\(sleeper.pid)); end them first")
        #expect(try node.shell("cat root/volumes/a/rw/kept").output == "kept\n")
        sleeper.kill()
        try node.flister.unmount("a")
        #expect(try node.shell("ls root/volumes").output == "")
        #expect(try node.mounts == [])
    }
}
