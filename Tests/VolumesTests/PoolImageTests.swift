import CLinux
import FUSESession
import Foundation
import Glibc
import Support
import Synchronization
import TestSupport
import Testing

@testable import Volumes

@Suite("The image of a pool", .serialized, .timeLimit(.minutes(5)))
struct PoolImageTests {
    private func size(_ path: String) throws -> Int {
        var status = stat()
        try #require(stat(path, &status) == 0)
        return status.st_size
    }

    private func blocks(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_blocks * 512 : -1
    }

    @Test("is sparse, mounted once, and unmounted when the store is closed")
    func closing() throws {
        try withPlace { place in
            let store = try place.store()
            let volume = try store.create("a", limit: 128 << 20)
            #expect(try size(place.image) == 1 << 30)
            #expect(blocks(place.image) < 16 << 20)
            #expect(try place.mounts() == [place.pool])
            #expect(try place.loopFiles() == ["/root/volumes.img"])
            let entry = try #require(try MountTable.current().find(target: place.pool))
            #expect(entry.type == "btrfs")
            #expect(entry.superOptions.contains("discard=async"))
            #expect(entry.options.contains("noatime"))

            var file = FillingFile("\(volume.path)/file")
            #expect(try file.fill(upTo: 1 << 20) == nil)
            do {
                let open = try FileDescriptor(file.path, O_RDONLY)
                store.close()
                #expect(try place.mounts() == [place.pool])
                #expect(try file.isWhole())
                #expect(open.number >= 0)
            }
            // A program that a test beside this one starts holds our files for a moment.
            let isUnmounted = try eventually { () throws in
                store.close()
                return try place.mounts() == []
            }
            #expect(isUnmounted)
            #expect(eventually { (try? place.loopFiles()) == [] })
            store.close()
            // Closed is not the end of it.
            #expect(try store.lookup("a")?.limit == 128 << 20)
            #expect(try file.isWhole())
            store.close()
        }
    }

    @Test("is taken over from a store that was never closed")
    func adopting() throws {
        try withPlace { place in
            let first = try place.store()
            var file = FillingFile(try first.create("a", limit: 64 << 20).path + "/file")
            #expect(try file.fill(upTo: 1 << 20) == nil)
            let second = try place.store()
            #expect(try second.lookup("a")?.limit == 64 << 20)
            #expect(code { _ = try second.create("a", limit: 1) } == .exists)
            _ = try second.create("b", limit: 2 << 30)
            #expect(try size(place.image) == 4 << 30)
            #expect(try place.mounts() == [place.pool])
            #expect(try place.loopFiles() == ["/root/volumes.img"])
            #expect(Set(try first.all().map(\.name)) == ["a", "b"])
            #expect(try file.isWhole())
            first.close()
            second.close()
        }
    }

    @Test("is made once by stores that start together")
    func startingTogether() throws {
        try withPlace { place in
            let failures = Mutex<[String]>([])
            try together(8) { number in
                do {
                    _ = try place.store().create("v\(number)", limit: 1 << 20)
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            #expect(failures.withLock { $0 } == [])
            #expect(try place.mounts() == [place.pool])
            #expect(try place.loopFiles() == ["/root/volumes.img"])
            #expect(try place.store().all().count == 8)
        }
    }

    @Test("is mounted again when someone unmounted it, also below a store at work")
    func unmounted() throws {
        try withPlace { place in
            do {
                var file = FillingFile(try place.store().create("a", limit: 64 << 20).path + "/file")
                #expect(try file.fill(upTo: 1 << 20) == nil)
                try unmount(place.pool)
                let store = try place.store()
                #expect(try store.all().map(\.name) == ["a"])
                #expect(try file.isWhole())
                try unmount(place.pool, lazy: true)
                #expect(try store.lookup("a")?.limit == 64 << 20)
                #expect(try file.isWhole())
                store.close()
                #expect(try place.mounts() == [])
            }
            #expect(eventually { (try? place.loopFiles()) == [] })
        }
    }

    @Test("has never two devices, also when its old mount lives on in secret")
    func oneDevice() throws {
        try withPlace { place in
            let first = try place.store()
            var file = FillingFile(try first.create("a", limit: 64 << 20).path + "/file")
            #expect(try file.fill(upTo: 1 << 20) == nil)
            let open = try FileDescriptor(file.path, O_RDWR)
            try unmount(place.pool, lazy: true)
            let second = try place.store()
            #expect(try second.lookup("a")?.used ?? 0 > 1 << 20)
            #expect(try place.loopFiles() == ["/root/volumes.img"])
            // Both mounts show one file system.
            try Array("J".utf8).withUnsafeBytes { try open.write($0, at: 0) }
            #expect(try String(contentsOfFile: file.path, encoding: .isoLatin1).first == "J")
            second.close()
        }
    }

    @Test("grows before its volumes could fill it, and all can be filled")
    func growing() throws {
        try withPlace { place in
            let store = try place.store { $0.imageSize = 64 << 20 }
            defer { store.close() }
            // What is promised with 512 MiB and a quarter for the file system itself, to a power of two.
            for (number, expected) in [1 << 30, 1 << 30, 1 << 30, 1 << 30, 2 << 30].enumerated() {
                _ = try store.create("v\(number)", limit: 96 << 20)
                #expect(try size(place.image) == expected)
            }
            for number in 0..<5 {
                var file = FillingFile("\(place.pool)/v\(number)/file")
                #expect(try file.fill(upTo: 1 << 30) == .quotaExceeded)
                #expect(file.length > 95 << 20)
            }
            try store.update("v0", limit: 3 << 30)
            #expect(try size(place.image) == 8 << 30)
            var status = statvfs()
            try #require(statvfs(place.pool, &status) == 0)
            #expect(status.f_bavail * status.f_frsize > 3 << 30)
            try store.update("v0", limit: 200 << 30)
            #expect(try size(place.image) == 256 << 30)
            #expect(blocks(place.image) < 1 << 30)
        }
    }

    @Test("has room for small files up to every limit")
    func smallFiles() throws {
        try withPlace { place in
            let store = try place.store()
            defer { store.close() }
            for name in ["a", "b"] {
                let path = try store.create(name, limit: 4 << 20).path
                // Small enough to lie in the folders' own tree.
                let content = [UInt8](repeating: 7, count: 2000)
                var failed = Errno(rawValue: 0)
                for number in 0..<100_000 {
                    let file = open("\(path)/\(number)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
                    if file < 0 || write(file, content, content.count) < 0 { failed = .current }
                    close(file)
                    if failed.rawValue != 0 { break }
                }
                #expect(failed == .quotaExceeded)
            }
        }
    }

    @Test("with a volume without a limit is as large as the host's disk")
    func unlimited() throws {
        try withPlace { place in
            let store = try place.store()
            defer { store.close() }
            var host = statvfs()
            try #require(statvfs(place.root, &host) == 0)
            _ = try store.create("a", limit: 0)
            #expect(try UInt64(size(place.image)) >= UInt64(host.f_bavail * host.f_frsize) / 2)
            try store.update("a", limit: 1 << 20)
            #expect(try store.create("b", limit: 1 << 20).limit == 1 << 20)
        }
    }

    @Test("ends growing that a crash interrupted")
    func halfGrown() throws {
        try withPlace { place in
            do {
                let store = try place.store()
                _ = try store.create("a", limit: 64 << 20)
                try #require(truncate(place.image, 4 << 30) == 0)
                _ = try store.create("b", limit: 2 << 30)
                var status = statvfs()
                try #require(statvfs(place.pool, &status) == 0)
                #expect(status.f_bavail * status.f_frsize > 3 << 30)
                store.close()
            }
            try #require(truncate(place.image, 8 << 30) == 0)
            let store = try place.store()
            #expect(try store.all().count == 2)
            _ = try store.create("c", limit: 3 << 30)
            store.close()
        }
    }

    @Test("too large for the host is an error, and leaves no volume")
    func tooLarge() throws {
        try withPlace { place in
            let store = try place.store()
            defer { store.close() }
            _ = try store.create("a", limit: 64 << 20)
            let complaint = try #require(failure { _ = try store.create("b", limit: 1 << 60) })
            #expect(complaint == "cannot create volume b: cannot grow \(place.image) to 1.3 EiB: File too large")
            #expect(code { _ = try store.create("c", limit: .max) } == .io)
            #expect(try store.all().map(\.name) == ["a"])
            let refused = try #require(failure { try store.update("a", limit: 1 << 60) })
            #expect(refused == "cannot limit a to 1.0 EiB: cannot grow \(place.image) to 1.3 EiB: File too large")
            #expect(try store.lookup("a")?.limit == 64 << 20)
            #expect(eventually { (try? place.groups().count) == 1 })
        }
    }

    @Test("that cannot be made leaves nothing")
    func failedMaking() throws {
        try withPlace { place in
            try run("mount", "-t", "tmpfs", "-o", "size=1m", "none", place.root)
            let store = try place.store()
            let complaint = try #require(failure { _ = try store.create("a", limit: 1) })
            #expect(complaint.hasPrefix("cannot make \(place.image): "))
            #expect(complaint.contains("ERROR: "))
            #expect(!complaint.contains("\n"))
            #expect(try place.loopFiles() == [])
            #expect(try place.mounts() == [place.root])
            #expect(try FileManager.default.contentsOfDirectory(atPath: place.root) == ["volumes"])
            #expect(try store.all() == [])
        }
    }

    @Test("works in memory, and through symlinks")
    func otherGround() throws {
        try withPlace { place in
            try run("mount", "-t", "tmpfs", "-o", "size=200m", "none", place.root)
            let link = "\(place.folder)/link"
            try #require(symlink("root", link) == 0)
            let store = try BtrfsVolumeStore(root: link, logger: quiet)
            let volume = try store.create("a", limit: 8 << 20)
            #expect(volume.path == "\(place.pool)/a")
            var file = FillingFile("\(volume.path)/file")
            #expect(try file.fill(upTo: 64 << 20) == .quotaExceeded)
            #expect(try file.isWhole())
            #expect(try place.loopFiles() == ["/root/volumes.img"])
            #expect(try place.store().lookup("a")?.limit == 8 << 20)
            store.close()
            #expect(try place.mounts() == [place.root])
        }
    }

    @Test("that was half made in a crash is made anew")
    func halfMade() throws {
        try withPlace { place in
            let half = "\(place.image).new"
            try #require(FileManager.default.createFile(atPath: half, contents: Data(repeating: 7, count: 4096)))
            let store = try place.store()
            #expect(try store.all() == [])
            #expect(try store.create("a", limit: 1 << 20).limit == 1 << 20)
            #expect(access(half, F_OK) == -1)
            store.close()
        }
    }

    @Test("that is damaged is an error, and no loop device stays")
    func damaged() throws {
        try withPlace { place in
            try #require(FileManager.default.createFile(atPath: place.image, contents: Data(count: 1 << 20)))
            let store = try place.store()
            let complaint = """
                cannot mount \(place.image) at \(place.pool): it is damaged, or from a newer kernel, see dmesg: \
                Invalid argument
                """
            #expect(failure { _ = try store.lookup("a") } == complaint)
            #expect(failure { _ = try store.create("a", limit: 1) } == complaint)
            #expect(try place.mounts() == [])
            #expect(eventually { (try? place.loopFiles()) == [] })
        }
    }

    @Test("comes back from a full disk below, with all that was safe before")
    func fullHost() throws {
        try withPlace { place in
            try run("truncate", "-s", "200M", "\(place.folder)/small.img")
            try run("mkfs.ext4", "-q", "\(place.folder)/small.img")
            try run("mount", "-o", "loop", "\(place.folder)/small.img", place.root)
            let store = try place.store()
            var safe = FillingFile(try store.create("safe", limit: 64 << 20).path + "/file")
            #expect(try safe.fill(upTo: 32 << 20) == nil)
            do {
                // Opened while it can be: what the kernel drops of a file system after such an error it cannot read again.
                let open = try FileDescriptor(safe.path, O_RDONLY)
                var file = FillingFile(try store.create("a", limit: 1 << 30).path + "/file")
                #expect(try file.fill(upTo: 256 << 20) != nil)
                try run("sh", "-c", "btrfs filesystem sync '\(place.pool)' || true")
                let complaint = """
                    cannot create volume b in \(place.pool): it was made read-only after an error, most often for want \
                    of space on the disk of \(place.image) (see dmesg); it comes back when nothing uses it any more
                    """
                #expect(failure { _ = try store.create("b", limit: 1 << 20) } == complaint)
                #expect(try store.lookup("safe")?.limit == 64 << 20)
                #expect(open.number >= 0)
            }
            #expect(try store.create("b", limit: 1 << 20).name == "b")
            #expect(try safe.isWhole())
            try store.delete("a")
            #expect(Set(try store.all().map(\.name)) == ["safe", "b"])
            store.close()
        }
    }

    @Test("is mounted anew if an earlier run left it read-only")
    func leftReadOnly() throws {
        try withPlace { place in
            let first = try place.store()
            _ = try first.create("a", limit: 1 << 20)
            first.close()
            try run("mount", "-o", "loop,ro", place.image, place.pool)
            let second = try place.store()
            #expect(try second.all().map(\.name) == ["a"])
            #expect(try second.create("b", limit: 1 << 20).name == "b")
            second.close()
        }
    }

    @Test("gets back its blocks from deleted volumes")
    func givingBack() throws {
        try withPlace { place in
            let store = try place.store()
            defer { store.close() }
            let volume = try store.create("a", limit: 64 << 20)
            var file = FillingFile("\(volume.path)/file")
            #expect(try file.fill(upTo: 48 << 20) == nil)
            #expect(blocks(place.image) > 48 << 20)
            try store.delete("a")
            #expect(eventually { (try? place.groups()) == [] })
            // What the kernel does by itself within two minutes.
            try run("fstrim", place.pool)
            #expect(blocks(place.image) < 16 << 20)
        }
    }

    @Test("a new image does not hide what lies where it is to be mounted, and is not mounted on a symlink")
    func nothingHidden() throws {
        try withPlace { place in
            try FileManager.default.createDirectory(atPath: place.pool, withIntermediateDirectories: true)
            try Data("kept".utf8).write(to: URL(fileURLWithPath: "\(place.pool)/file"))
            let store = try place.store()
            let full = #expect(throws: FlistError.self) { try store.create("a", limit: 1 << 25) }
            #expect(
                full?.description
                    == "cannot make \(place.image): it would hide the files in \(place.pool); move them away")
            #expect(FileManager.default.contents(atPath: "\(place.pool)/file") == Data("kept".utf8))
            try FileManager.default.moveItem(atPath: place.pool, toPath: "\(place.folder)/moved")
            symlink("\(place.folder)/moved", place.pool)
            let link = #expect(throws: FlistError.self) { try store.create("a", limit: 1 << 25) }
            #expect(link?.description == "cannot mount \(place.image) at \(place.pool): that is no folder")
            #expect(try place.mounts() == [])
        }
    }
}
