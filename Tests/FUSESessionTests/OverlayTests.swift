import CLinux
import Foundation
import Glibc
import Support
import Testing

@testable import FUSESession

@Suite("Overlays", .serialized, .timeLimit(.minutes(5)))
struct OverlayTests {
    private func fileSystem() -> MemoryFileSystem {
        var tree = MemoryTree()
        tree.file("hello", "hello")
        tree.file("other", "other")
        tree.file("inner", "inner", in: tree.folder("folder"))
        return MemoryFileSystem(tree)
    }

    @Test("make a tree writable, and end the session when unmounted")
    func writable() throws {
        try withMount(fileSystem(), overlay: true) { session, target in
            let table = try MountTable.current()
            #expect(table.find(target: target)?.type == "overlay")
            // Its lower side is in no tree any more.
            let lower = try #require(session.fuseDevice)
            #expect(!table.entries.contains { $0.device == lower })
            try #require(FileManager.default.createFile(atPath: "\(target)/new", contents: Data("new".utf8)))
            let file = try FileDescriptor("\(target)/hello", O_WRONLY)
            try Array("J".utf8).withUnsafeBytes { try file.write($0, at: 0) }
            try #require(unlink("\(target)/other") == 0)
            #expect(try text("\(target)/hello") == "Jello")
            #expect(try text("\(target)/new") == "new")
            #expect(try text("\(target)/folder/inner") == "inner")
            #expect(throws: Errno.noEntry) { try status("\(target)/other") }
            #expect(try text("\(target)/../upper/hello") == "Jello")
        }
    }

    @Test("end the session with a plain unmount")
    func plainUnmount() throws {
        try withMount(fileSystem(), overlay: true) { session, target in
            #expect(try text("\(target)/hello") == "hello")
            try unmount(target)
            session.wait()
            #expect(session.hasEnded)
        }
        try withMount(fileSystem(), overlay: true) { session, _ in
            try session.stop()
            #expect(session.hasEnded)
        }
    }

    @Test("can be cut off while in use")
    func force() throws {
        try withMount(fileSystem(), overlay: true) { session, target in
            let file = try FileDescriptor("\(target)/hello", O_RDONLY)
            try session.stop(force: true)
            #expect(session.hasEnded)
            var buffer = [UInt8](repeating: 0, count: 5)
            #expect(pread(file.number, &buffer, 5, 0) == -1)
        }
    }

    @Test("take folders of any name and length", arguments: [",", ":", "\\", "a\\,b:c d", "long", "very long"])
    func oddNames(name: String) throws {
        try withFolder { folder in
            var base = "\(folder)/\(name)"
            if name == "long" { base = "\(folder)/" + String(repeating: "x", count: 250) }
            if name == "very long" {
                base = folder
                for _ in 0..<6 {
                    base += "/" + String(repeating: ":,", count: 120)
                    try makeFolder(base)
                }
                base += "/end"
            }
            try makeFolder(base)
            for part in ["lower", "upper", "work", "target"] { try makeFolder("\(base)/\(part)") }
            try #require(FileManager.default.createFile(atPath: "\(base)/lower/file", contents: Data("x".utf8)))
            try Overlay.mount(
                lower: "\(base)/lower", upper: "\(base)/upper", work: "\(base)/work", at: "\(base)/target")
            defer { try? unmount("\(base)/target", lazy: true) }
            #expect(try text("\(base)/target/file") == "x")
            try #require(unlink("\(base)/target/file") == 0)
            #expect(try status("\(base)/upper/file").st_mode & S_IFMT == S_IFCHR)
            #expect(try MountTable.current().find(target: "\(base)/target")?.type == "overlay")
        }
    }
}
