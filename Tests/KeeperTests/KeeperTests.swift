import Foundation
import Glibc
import Support
import TestSupport
import Testing

@testable import Keeper

@Suite("A keeper", .timeLimit(.minutes(5)))
struct KeeperTests {
    @Test("hands what a process kept to the next one, and to nobody while that process lives")
    func handing() throws {
        let keeper = try RunningKeeper(patience: .seconds(60))
        let pipe = try KeptPipe()
        var first: KeeperLink? = try keeper.connect()
        let second = try keeper.connect()
        try first?.keep(KeptItem(key: "a", description: [1, 2, 3], descriptors: [pipe.writing]))
        close(pipe.writing)
        // An answer to the first means that what it said before has been heard.
        #expect(try first?.take() == [])
        #expect(try second.take() == [])
        first = nil
        var items: [KeptItem] = []
        #expect(
            try eventually {
                items = try second.take()
                return !items.isEmpty
            })
        let item = try #require(items.first)
        #expect(item.key == "a" && item.description == [1, 2, 3] && item.descriptors.count == 1)
        #expect(write(item.descriptors[0], "x", 1) == 1)
        #expect(pipe.read() == Array("x".utf8))
        // Kept again it is the new owner's, and the keeper's first copy is closed.
        try second.keep(KeptItem(key: "a", description: [4], descriptors: item.descriptors))
        close(item.descriptors[0])
        #expect(try second.take() == [])
        try second.drop("a")
        #expect(pipe.read() == [])
    }

    @Test("lets go of what nobody takes over in time, and ends")
    func patience() throws {
        let keeper = try RunningKeeper(patience: .milliseconds(100))
        let pipe = try KeptPipe()
        var link: KeeperLink? = try keeper.connect()
        try link?.keep(KeptItem(key: "a", description: [], descriptors: [pipe.writing]))
        close(pipe.writing)
        #expect(try link?.take() == [])
        link = nil
        #expect(pipe.read() == [])
        #expect(keeper.ends())
    }

    @Test("lets go of what was taken and never served")
    func unserved() throws {
        let keeper = try RunningKeeper(patience: .milliseconds(300))
        let pipe = try KeptPipe()
        var first: KeeperLink? = try keeper.connect()
        let second = try keeper.connect()
        try first?.keep(KeptItem(key: "a", description: [], descriptors: [pipe.writing]))
        close(pipe.writing)
        #expect(try first?.take() == [])
        first = nil
        var items: [KeptItem] = []
        _ = try eventually {
            items = try second.take()
            return !items.isEmpty
        }
        items.forEach { $0.descriptors.forEach { close($0) } }
        #expect(pipe.read() == [])
    }

    @Test("ends when nothing is kept and nobody is connected")
    func end() throws {
        let keeper = try RunningKeeper(patience: .seconds(60))
        var link: KeeperLink? = try keeper.connect()
        #expect(try link?.take() == [])
        link = nil
        #expect(keeper.ends())
    }

    @Test("cuts off who does not speak its language, and goes on for others")
    func nonsense() throws {
        let keeper = try RunningKeeper(patience: .seconds(60))
        let link = try keeper.connect()
        let script = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.connect(sys.argv[1])
            s.send(b"nonsense")
            print(s.recv(100))
            """
        let outcome = try ChildProcess.run(["python3", "-c", script, keeper.path])
        #expect(outcome.output == "b''\n", "\(outcome.errors)")
        #expect(try link.take() == [])
    }

    @Test("answers nobody but its own user", .enabled(if: geteuid() == 0, "needs root"))
    func strangers() throws {
        let keeper = try RunningKeeper(patience: .seconds(60))
        let link = try keeper.connect()
        var status = stat()
        #expect(stat(keeper.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let script = """
            import os, socket, sys
            os.setuid(65534)
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                s.connect(sys.argv[1])
                try: print(s.recv(100))
                except ConnectionResetError: print(b"")
            except PermissionError: print("no")
            """
        let ask = { try ChildProcess.run(["python3", "-c", script, keeper.path]).output }
        #expect(try ask() == "no\n")
        // Even where the file lets them in.
        chmod(keeper.path, 0o666)
        #expect(try ask() == "b''\n")
        #expect(try link.take() == [])
    }
}
