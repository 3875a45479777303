import Foundation
import Glibc
import Support
import Synchronization
import TestSupport
import Testing

@testable import Volumes

@Suite("A volume store", .serialized, .timeLimit(.minutes(5)))
struct VolumeStoreTests {
    private static let mebibyte: UInt64 = 1 << 20

    @Test("creates, finds, changes and deletes volumes", arguments: Ground.allCases)
    func life(ground: Ground) throws {
        try withPlace(ground) { place in
            let store = try place.store()
            defer { store.close() }
            let volume = try store.create("a b\n\"ä", limit: 64 * Self.mebibyte)
            let path = "\(place.root)/volumes/a b\n\"ä"
            #expect(volume.used <= 16384)
            #expect(volume.unused == Volume(name: "a b\n\"ä", path: path, limit: 64 << 20, used: 0))
            var status = stat()
            try #require(stat(path, &status) == 0)
            #expect(status.st_mode == S_IFDIR | 0o755)
            try #require(stat(place.pool, &status) == 0)
            #expect(status.st_mode == S_IFDIR | 0o700)
            #expect(try store.lookup("a b\n\"ä")?.unused == volume.unused)
            #expect(try store.lookup("other") == nil)

            #expect(code { _ = try store.create("a b\n\"ä", limit: 1) } == .exists)
            #expect(try store.lookup("a b\n\"ä")?.unused == volume.unused)
            try store.update("a b\n\"ä", limit: 32 << 20)
            _ = try store.create("none", limit: 0)
            #expect(Set(try store.all().map(\.limit)) == [32 << 20, 0])
            try store.update("none", limit: 1 << 30)
            try store.update("a b\n\"ä", limit: 0)
            #expect(Set(try store.all().map(\.name)) == ["a b\n\"ä", "none"])
            #expect(Set(try store.all().map(\.limit)) == [0, 1 << 30])

            #expect(failure { try store.update("other", limit: 1) } == "there is no volume other in \(place.pool)")
            #expect(code { try store.update("other", limit: 1) } == .notFound)
            try store.delete("other")
            try store.delete("a b\n\"ä")
            #expect(try store.lookup("a b\n\"ä") == nil)
            #expect(access(path, F_OK) == -1)
            #expect(try store.all().map(\.name) == ["none"])
        }
    }

    @Test("makes nothing before the first volume", arguments: Ground.allCases)
    func lazy(ground: Ground) throws {
        try withPlace(ground) { place in
            let store = try place.store()
            #expect(try store.lookup("a") == nil)
            #expect(try store.all() == [])
            try store.delete("a")
            #expect(code { try store.update("a", limit: 1) } == .notFound)
            store.close()
            #expect(try FileManager.default.contentsOfDirectory(atPath: place.root) == [])
        }
    }

    @Test("makes its root, and nothing above it")
    func missingRoot() throws {
        try withPlace { place in
            try #require(rmdir(place.root) == 0)
            let store = try place.store()
            #expect(try store.all() == [])
            #expect(access(place.root, F_OK) == -1)
            _ = try store.create("a", limit: 0)
            store.close()
            let deep = try BtrfsVolumeStore(root: "\(place.folder)/x/y", logger: quiet)
            let complaint = "cannot make \(place.folder)/x/y: No such file or directory"
            #expect(failure { _ = try deep.create("a", limit: 0) } == complaint)
            #expect(code { _ = try BtrfsVolumeStore(root: "relative", logger: quiet) } == .usage)
            #expect(code { _ = try BtrfsVolumeStore(root: "", logger: quiet) } == .usage)
        }
    }

    @Test(
        "refuses names that are no path component",
        arguments: ["", ".", "..", "a/b", "/", "../root", "a\0b", String(repeating: "x", count: 256)])
    func names(name: String) throws {
        try withPlace { place in
            let store = try place.store()
            #expect(code { _ = try store.create(name, limit: 1) } == .invalid)
            #expect(code { _ = try store.lookup(name) } == .invalid)
            #expect(code { try store.update(name, limit: 1) } == .invalid)
            #expect(code { try store.delete(name) } == .invalid)
            #expect(try FileManager.default.contentsOfDirectory(atPath: place.root) == [])
        }
    }

    @Test("takes a name of 255 bytes, and one that looks like an option")
    func longName() throws {
        try withPlace(.btrfs) { place in
            let store = try place.store()
            for name in [String(repeating: "x", count: 255), "--help", "\\", "%s", ".hidden", "x.img"] {
                #expect(try store.create(name, limit: 1 << 20).path == "\(place.pool)/\(name)")
                #expect(try store.lookup(name)?.limit == 1 << 20)
                try store.delete(name)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: place.pool) == [])
        }
    }

    @Test("touches nothing that is no volume")
    func strangers() throws {
        try withPlace(.btrfs) { place in
            let store = try place.store()
            let volume = try store.create("volume", limit: 1 << 20)
            try #require(symlink("volume", "\(place.pool)/link") == 0)
            try #require(mkdir("\(place.pool)/folder", 0o755) == 0)
            try #require(FileManager.default.createFile(atPath: "\(place.pool)/file", contents: nil))
            for name in ["link", "folder", "file"] {
                let complaint = "\(place.pool)/\(name) is in the way: it is no volume"
                #expect(failure { _ = try store.lookup(name) } == complaint)
                #expect(failure { try store.delete(name) } == complaint)
                #expect(failure { try store.update(name, limit: 5 << 20) } == complaint)
                #expect(code { _ = try store.create(name, limit: 1) } == .exists)
            }
            #expect(try store.all().map(\.unused) == [volume.unused])
        }
    }

    @Test("creates twenty volumes at the same time", arguments: Ground.allCases)
    func concurrent(ground: Ground) throws {
        try withPlace(ground) { place in
            let store = try place.store()
            defer { store.close() }
            let failures = Mutex<[String]>([])
            let winners = Mutex(0)
            try together(20) { number in
                do {
                    let volume = try store.create("v\(number)", limit: UInt64(number + 1) << 20)
                    if try store.lookup("v\(number)")?.unused != volume.unused {
                        failures.withLock { $0.append("not found") }
                    }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
                if (try? store.create("same", limit: 1 << 20)) != nil { winners.withLock { $0 += 1 } }
            }
            #expect(failures.withLock { $0 } == [])
            #expect(winners.withLock { $0 } == 1)
            let all = try store.all()
            #expect(all.count == 21)
            #expect(all.reduce(0) { $0 + $1.limit } == (210 + 1) << 20)
            #expect(try place.mounts().filter { $0 == place.pool }.count == (ground == .disk ? 1 : 0))
            try together(20) { number in
                do { try store.delete("v\(number)") } catch { failures.withLock { $0.append("\(error)") } }
            }
            #expect(failures.withLock { $0 } == [])
            #expect(try store.all().map(\.name) == ["same"])
        }
    }

    @Test("deletes what was made below a volume, be it volumes again")
    func nested() throws {
        try withPlace(.btrfs) { place in
            let store = try place.store()
            let path = try store.create("a", limit: 0).path
            try run("btrfs", "subvolume", "create", "\(path)/inner")
            try #require(FileManager.default.createFile(atPath: "\(path)/inner/file", contents: nil))
            try store.delete("a")
            #expect(access(path, F_OK) == -1)
            #expect(eventually { (try? place.groups()) == [] })
        }
    }

    @Test("leaves nothing behind after fifty volumes", arguments: Ground.allCases)
    func cycles(ground: Ground) throws {
        try withPlace(ground) { place in
            let store = try place.store()
            for number in 0..<50 {
                let volume = try store.create("v\(number % 3)", limit: 8 << 20)
                var file = FillingFile("\(volume.path)/file")
                #expect(try file.fill(upTo: 256 << 10) == nil)
                try store.delete(volume.name)
            }
            #expect(try store.all() == [])
            #expect(eventually { (try? place.groups()) == [] })
            var status = statvfs()
            // An empty file system claims up to 6 MiB; the fifty volumes had 12.5.
            #expect(
                eventually {
                    statvfs(place.pool, &status) == 0
                        && (status.f_blocks - status.f_bfree) * status.f_frsize < 8 << 20
                })
            store.close()
            #expect(try place.mounts() == (ground == .disk ? [] : [place.root]))
            #expect(eventually { (try? place.loopFiles()) == (ground == .disk ? [] : ["/host.img"]) })
        }
    }
}
