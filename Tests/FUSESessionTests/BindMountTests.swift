import FUSESession
import Glibc
import Support
import Testing

@Suite("Bind mounts", .serialized, .timeLimit(.minutes(5)))
struct BindMountTests {
    private func fileSystem() -> MemoryFileSystem {
        var tree = MemoryTree()
        tree.file("hello", "hello")
        return MemoryFileSystem(tree)
    }

    @Test("show a tree at a second place, read-only, with flags of their own")
    func flags() throws {
        try withMount(fileSystem(), { $0.noSuid = true }) { session, target in
            let second = "\(target)/../upper"
            let path = try #require(resolved(second))
            try BindMount.mountReadOnly(target, at: path, noDev: true)
            defer { try? unmount(path, lazy: true) }
            let table = try MountTable.current()
            let entry = try #require(table.find(target: path))
            #expect(entry.options == "ro,nodev,noatime")
            #expect(entry.type == "fuse.flist")
            #expect(entry.device == table.find(target: target)?.device)
            #expect(try text("\(path)/hello") == "hello")
            try unmount(target, lazy: true)
            #expect(try text("\(path)/hello") == "hello")
            #expect(!session.hasEnded)
        }
    }

    @Test("are read-only over a writable tree")
    func readOnly() throws {
        try withMount(fileSystem(), overlay: true) { _, target in
            let path = try #require(resolved("\(target)/../work/..")) + "/bound"
            try makeFolder(path)
            try BindMount.mountReadOnly(target, at: path)
            defer { try? unmount(path, lazy: true) }
            #expect(throws: Errno.readOnly) { try contents("\(path)/new", flags: O_WRONLY | O_CREAT) }
            #expect(try MountTable.current().find(target: path)?.options == "ro,noatime")
        }
    }

    @Test("say which places they could not join")
    func missing() throws {
        try withFolder { folder in
            let error = #expect(throws: FlistError.self) {
                try BindMount.mountReadOnly("\(folder)/a", at: "\(folder)/b")
            }
            #expect(error?.description == "cannot show \(folder)/a at \(folder)/b: No such file or directory")
        }
    }

    private func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
