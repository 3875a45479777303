import FUSESession
import Foundation
import Glibc
import Support
import Testing

@Suite("Mounts that cannot be", .serialized, .timeLimit(.minutes(5)))
struct MountErrorTests {
    private func failure(at target: String, overlay: OverlayOptions? = nil) -> FlistError? {
        do throws(FlistError) {
            let fileSystem = MemoryFileSystem(MemoryTree())
            let options = MountOptions(source: "at \(target)")
            try FUSESession.mount(fileSystem, at: target, options: options, overlay: overlay).stop()
            return nil
        } catch {
            return error
        }
    }

    @Test("for want of a folder")
    func missing() throws {
        try withFolder { folder in
            let missing = try #require(failure(at: "\(folder)/none"))
            #expect(missing.code == .notFound)
            #expect(missing.description == "cannot mount at \(folder)/none: there is no such folder, make it first")
            try #require(FileManager.default.createFile(atPath: "\(folder)/file", contents: nil))
            let file = try #require(failure(at: "\(folder)/file"))
            #expect(file.description == "cannot mount at \(folder)/file: it is not a folder")
        }
    }

    @Test("for a dead mount in the way, with the remedy")
    func stale() throws {
        try withFolder { folder in
            // A FUSE mount whose device is closed before it was ever served.
            let target = "\(folder)/target"
            try makeFolder(target)
            do {
                let device = try FileDescriptor("/dev/fuse", O_RDWR)
                let data = "fd=\(device.number),rootmode=40755,user_id=0,group_id=0"
                try #require(mount("dead", target, "fuse.dead", 0, data) == 0)
            }
            defer { try? unmount(target, lazy: true) }
            let error = try #require(failure(at: target))
            #expect(error.code == .busy)
            #expect(error.description.contains("umount -l \(target)"))
        }
    }

    @Test("for want of the overlay's folders, leaving nothing behind")
    func overlay() throws {
        try withFolder { folder in
            try makeFolder("\(folder)/target")
            let layers = OverlayOptions(upper: "\(folder)/none", work: "\(folder)/none")
            let error = try #require(failure(at: "\(folder)/target", overlay: layers))
            #expect(error.code == .notFound)
            #expect(error.description.contains("\(folder)/none"))
            #expect(try !MountTable.current().entries.contains { $0.source == "at \(folder)/target" })
        }
    }
}
