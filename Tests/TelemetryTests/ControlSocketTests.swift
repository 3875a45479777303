import Foundation
import Glibc
import Support
import Testing

@testable import Telemetry

@Suite("The control socket", .timeLimit(.minutes(5)))
struct ControlSocketTests {
    @Test("answers each connection anew, with a socket that is private")
    func answers() throws {
        let folder = try TestFolder()
        let counter = Counter()
        let control = try ControlSocket(path: folder.file("control")) {
            counter.add()
            return Array("{\"n\": \(counter.value)}".utf8)
        }
        #expect(try ControlSocket.read(path: folder.file("control")) == Array("{\"n\": 1}".utf8))
        #expect(try ControlSocket.read(path: folder.file("control")) == Array("{\"n\": 2}".utf8))
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file("control"))[.posixPermissions]
        #expect(mode as? Int == 0o600)
        control.close()
        control.close()
        #expect(!FileManager.default.fileExists(atPath: folder.file("control")))
    }

    @Test("gives many a large answer at once")
    func large() throws {
        let folder = try TestFolder()
        let answer = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let control = try ControlSocket(path: folder.file("control")) { answer }
        defer { control.close() }
        let good = Counter()
        let path = folder.file("control")
        let readers = try (0..<40).map { _ in
            try WorkerThread("reader") {
                if (try? ControlSocket.read(path: path, timeout: .seconds(50))) == answer { good.add() }
            }
        }
        readers.forEach { $0.join() }
        #expect(good.value == 40)
    }

    @Test("serves on while a client does not read")
    func slowClient() throws {
        let folder = try TestFolder()
        let answer = [UInt8](repeating: 1, count: 8 << 20)
        let control = try ControlSocket(path: folder.file("control")) { answer }
        defer { control.close() }
        let slow = try (0..<5).map { _ in
            let socket = try ControlSocket.socket().release()
            try ControlSocket.connect(socket, folder.file("control"))
            return socket
        }
        defer { slow.forEach { close($0) } }
        #expect(try ControlSocket.read(path: folder.file("control"), timeout: .seconds(30)) == answer)
    }

    @Test("is refused while another one answers there, and leaves that one alone")
    func busy() throws {
        let folder = try TestFolder()
        let path = folder.file("control")
        let first = try ControlSocket(path: path) { [1] }
        defer { first.close() }
        let error = #expect(throws: FlistError.self) { try ControlSocket(path: path) { [2] } }
        #expect(error?.code == .busy)
        #expect(error?.description == "cannot make the control socket \(path): another process answers there")
        #expect(try ControlSocket.read(path: path) == [1])
    }

    @Test("replaces what a dead process left, also when several come at once")
    func stale() throws {
        let folder = try TestFolder()
        let path = folder.file("control")
        // Bound and closed without being removed, as a killed process leaves it.
        do { _ = try ControlSocket.listen(path) }
        #expect(throws: FlistError.self) { try ControlSocket.read(path: path) }
        let made = Monitor<[ControlSocket]>([])
        let threads = try (0..<8).map { number in
            try WorkerThread("maker") {
                guard let socket = try? ControlSocket(path: path, answer: { [UInt8(number)] }) else { return }
                made.withLock { $0.append(socket) }
            }
        }
        threads.forEach { $0.join() }
        #expect(made.withLock { $0.count } == 1)
        #expect(try ControlSocket.read(path: path).count == 1)
        made.withLock { $0.forEach { $0.close() } }
    }

    @Test("does not touch another one's file", arguments: ["file", "folder", "link"])
    func occupied(kind: String) throws {
        let folder = try TestFolder()
        let path = folder.file("control")
        switch kind {
        case "file": try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        case "folder": try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        default: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/passwd")
        }
        let error = #expect(throws: FlistError.self) { try ControlSocket(path: path) { [] } }
        #expect(error?.code == .exists)
        #expect(
            error?.description == "cannot make the control socket \(path): a file is there that is no socket")
        #expect(
            try TestFolder.run("stat", "-c", "%F", path).output.hasPrefix(
                kind == "folder" ? "directory" : kind == "link" ? "symbolic" : "regular"))
    }

    @Test("does not remove the socket of its successor")
    func successor() throws {
        let folder = try TestFolder()
        let path = folder.file("control")
        let first = try ControlSocket(path: path) { [1] }
        unlink(path)
        let second = try ControlSocket(path: path) { [2] }
        first.close()
        #expect(try ControlSocket.read(path: path) == [2])
        second.close()
    }

    @Test("works with a path longer than an address, and refuses a name that is")
    func long() throws {
        let folder = try TestFolder()
        let deep = folder.file(String(repeating: "d", count: 200))
        try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
        let control = try ControlSocket(path: deep + "/control") { [7] }
        #expect(try ControlSocket.read(path: deep + "/control") == [7])
        control.close()
        #expect(!FileManager.default.fileExists(atPath: deep + "/control"))
        let name = deep + "/" + String(repeating: "n", count: 108)
        let error = #expect(throws: FlistError.self) { try ControlSocket(path: name) { [] } }
        #expect(error?.code == .usage)
        #expect(error?.description == "cannot make the control socket \(name): its name is too long")
        #expect(throws: FlistError.self) { try ControlSocket(path: folder.path + "/") { [] } }
    }

    @Test("turns other users away, even where they may open the socket", .enabled(if: geteuid() == 0, "needs root"))
    func strangers() throws {
        let folder = try TestFolder()
        let path = folder.file("control")
        let control = try ControlSocket(path: path) { Array("secret".utf8) }
        defer { control.close() }
        chmod(folder.path, 0o755)
        chmod(path, 0o666)
        let script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(99))"
        #expect(try TestFolder.run("/usr/bin/python3", "-c", script, path).output == "b'secret'\n")
        let stranger = try TestFolder.run(
            "setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", script, path)
        #expect(stranger.output == "b''\n")
    }

    @Test("tells why nobody answers")
    func failures() throws {
        let folder = try TestFolder()
        let path = folder.file("control")
        var error = #expect(throws: FlistError.self) { try ControlSocket.read(path: path) }
        #expect(error?.code == .notFound)
        do { _ = try ControlSocket.listen(path) }
        error = #expect(throws: FlistError.self) { try ControlSocket.read(path: path) }
        #expect(error?.code == .unavailable)
        let control = try ControlSocket(path: path) { [UInt8](repeating: 0, count: 1001) }
        error = #expect(throws: FlistError.self) { try ControlSocket.read(path: path, limit: 1000) }
        #expect(error?.code == .invalid)
        #expect(try ControlSocket.read(path: path, limit: 1001).count == 1001)
        control.close()
        let mute = try ControlSocket.listen(path)
        error = #expect(throws: FlistError.self) { try ControlSocket.read(path: path, timeout: .milliseconds(50)) }
        #expect(error?.code == .timedOut)
        _ = mute.number
    }
}
