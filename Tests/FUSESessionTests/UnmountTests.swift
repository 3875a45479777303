import FUSESession
import Glibc
import Support
import Synchronization
import TestSupport
import Testing

@Suite("The end of a mount", .serialized, .timeLimit(.minutes(5)))
struct UnmountTests {
    private func fileSystem() -> MemoryFileSystem {
        var tree = MemoryTree()
        tree.file("hello", "hello")
        return MemoryFileSystem(tree)
    }

    private func code(_ body: () throws(FlistError) -> Void) -> FlistError.Code? {
        do throws(FlistError) {
            try body()
            return nil
        } catch {
            return error.code
        }
    }

    @Test("comes with an unmount from outside")
    func outside() throws {
        try withMount(fileSystem()) { session, target in
            #expect(!session.hasEnded)
            #expect(try MountTable.current().find(target: target) != nil)
            try unmount(target)
            session.wait()
            #expect(session.hasEnded)
            #expect(try MountTable.current().find(target: target) == nil)
            try session.stop()
        }
    }

    @Test("comes with stop, which may be called again")
    func stop() throws {
        try withMount(fileSystem()) { session, target in
            try session.stop()
            #expect(session.hasEnded)
            #expect(throws: Errno.noEntry) { try status("\(target)/hello") }
            try session.stop()
        }
    }

    @Test("is refused while a file is open, and waits for it when lazy")
    func busy() throws {
        try withMount(fileSystem()) { session, target in
            var file: FileDescriptor? = try FileDescriptor("\(target)/hello", O_RDONLY)
            #expect(code { () throws(FlistError) in try unmount(target) } == .busy)
            try unmount(target, lazy: true)
            #expect(throws: Errno.noEntry) { try status("\(target)/hello") }
            #expect(!session.wait(until: .after(.milliseconds(100))))
            // What is open is served as before.
            var buffer = [UInt8](repeating: 0, count: 5)
            let count = try buffer.withUnsafeMutableBytes { try file?.read(into: $0, at: 0) }
            #expect(count == 5)
            #expect(buffer == Array("hello".utf8))
            file = nil
            #expect(session.wait(until: .after(.seconds(20))))
        }
    }

    @Test("is forced on what is open")
    func force() throws {
        try withMount(fileSystem()) { session, target in
            let file = try FileDescriptor("\(target)/hello", O_RDONLY)
            try session.stop(force: true)
            #expect(session.hasEnded)
            #expect(try MountTable.current().find(target: target) == nil)
            var buffer = [UInt8](repeating: 0, count: 5)
            #expect(pread(file.number, &buffer, 5, 0) == -1)
        }
    }

    @Test("spares a mount on top of it, and cuts nothing off below", arguments: [false, true])
    func covered(force: Bool) throws {
        try withMount(fileSystem()) { session, target in
            try #require(mount("tmpfs", target, "tmpfs", 0, nil) == 0)
            #expect(code { () throws(FlistError) in try session.stop(force: force) } == .busy)
            #expect(!session.hasEnded)
            try unmount(target)
            #expect(try text("\(target)/hello") == "hello")
            try session.stop()
        }
    }

    @Test("leaves late answers without harm")
    func lateAnswer() throws {
        var tree = MemoryTree()
        let slow = tree.file("slow", "slow")
        let parked = Monitor<ParkedReply?>(nil)
        let fileSystem = MemoryFileSystem(tree, hooked: [slow]) { _, _, _, reply in
            let reply = ParkedReply(reply)
            parked.withLock { $0 = reply }
            parked.broadcast()
        }
        try withMount(fileSystem) { session, target in
            let command = try ChildProcess(["cat", "\(target)/slow"])
            let reply = try #require(parked.wait(until: .after(.seconds(20))) { $0 })
            try session.stop(force: true)
            #expect(command.endSoon() == .exited(1))
            #expect([1, 2].withUnsafeBytes { reply.send($0) })
        }
    }

    @Test("is told in one line with the reason")
    func errors() throws {
        #expect(code { () throws(FlistError) in try unmount("/proc/self/fdinfo") } == .invalid)
        #expect(code { () throws(FlistError) in try unmount("/no/such/folder") } == .notFound)
    }
}
