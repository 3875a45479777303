import FUSESession
import Glibc
import Support
import TestSupport
import Testing

@testable import Volumes

@Suite("The limit of a volume", .serialized, .timeLimit(.minutes(5)))
struct VolumeLimitTests {
    /// What may be missing to the limit when a writer is stopped: its piece, and folders and extents.
    private let margin: UInt64 = 1 << 20

    @Test("stops a writer, whose data stay whole, and lets it go on when raised", arguments: Ground.allCases)
    func stopsWriter(ground: Ground) throws {
        try withPlace(ground) { place in
            let store = try place.store()
            defer { store.close() }
            let volume = try store.create("a", limit: 32 << 20)
            var file = FillingFile("\(volume.path)/file")
            #expect(try file.fill(upTo: 256 << 20) == .quotaExceeded)
            #expect(file.length <= 32 << 20)
            #expect(file.length >= (32 << 20) - margin)
            #expect(try file.isWhole())
            let used = try #require(try store.lookup("a")?.used)
            #expect(used <= 32 << 20)
            #expect(used >= file.length)

            try store.update("a", limit: 48 << 20)
            #expect(try file.fill(upTo: 256 << 20) == .quotaExceeded)
            #expect(file.length <= 48 << 20)
            #expect(file.length >= (48 << 20) - margin)
            #expect(try file.isWhole())
            try store.update("a", limit: 0)
            #expect(try file.fill(upTo: 64 << 20) == nil)
            #expect(try file.isWhole())
            #expect(try store.lookup("a")?.limit == 0)
        }
    }

    @Test("holds for an overlay's upper folder", arguments: Ground.allCases)
    func overlay(ground: Ground) throws {
        try withPlace(ground) { place in
            let store = try place.store()
            defer { store.close() }
            let volume = try store.create("a", limit: 32 << 20)
            for folder in ["\(volume.path)/rw", "\(volume.path)/wd", "\(place.folder)/lower", "\(place.folder)/top"] {
                try #require(mkdir(folder, 0o755) == 0)
            }
            var lower = FillingFile("\(place.folder)/lower/file")
            #expect(try lower.fill(upTo: 1 << 20) == nil)
            try Overlay.mount(
                lower: "\(place.folder)/lower", upper: "\(volume.path)/rw", work: "\(volume.path)/wd",
                at: "\(place.folder)/top")
            var file = FillingFile("\(place.folder)/top/new")
            #expect(try file.fill(upTo: 256 << 20) == .quotaExceeded)
            #expect(file.length >= (32 << 20) - margin)
            #expect(try file.isWhole())
            #expect(try FileDescriptor("\(place.folder)/top/file", O_RDONLY).number >= 0)
            try store.update("a", limit: 64 << 20)
            #expect(try file.fill(upTo: 40 << 20) == nil)
            #expect(try file.isWhole())
            // Copies the lower file up.
            #expect(chmod("\(place.folder)/top/file", 0o600) == 0)
            #expect(try lower.isWhole())
            #expect(try store.lookup("a")?.used ?? 0 > 41 << 20)
            try unmount("\(place.folder)/top")
        }
    }

    @Test("is not lowered below what is in use", arguments: Ground.allCases)
    func lowering(ground: Ground) throws {
        try withPlace(ground) { place in
            let store = try place.store()
            defer { store.close() }
            let volume = try store.create("a", limit: 64 << 20)
            var file = FillingFile("\(volume.path)/file")
            #expect(try file.fill(upTo: 40 << 20) == nil)
            let complaint = "cannot lower a to 16.0 MiB: 40.0 MiB are in use"
            #expect(failure { try store.update("a", limit: 16 << 20) } == complaint)
            #expect(code { try store.update("a", limit: 16 << 20) } == .invalid)
            #expect(try store.lookup("a")?.limit == 64 << 20)
            try store.update("a", limit: 41 << 20)
            #expect(try store.lookup("a")?.limit == 41 << 20)
            // Room from the moment the file is gone, though the kernel counts it until its next commit, and longer if it looks
            // at the file right then.
            try #require(unlink(file.path) == 0)
            #expect(eventually { (try? store.update("a", limit: 16 << 20)) != nil })
            #expect(try store.lookup("a") == Volume(name: "a", path: volume.path, limit: 16 << 20, used: 16384))
        }
    }

    @Test("counts what is written before it is on the disk")
    func unwritten() throws {
        try withPlace { place in
            let store = try place.store()
            defer { store.close() }
            let volume = try store.create("a", limit: 64 << 20)
            let file = try FileDescriptor("\(volume.path)/file", O_WRONLY | O_CREAT, mode: 0o644)
            try [UInt8](repeating: 1, count: 8 << 20).withUnsafeBytes { try file.write($0, at: 0) }
            // Folders are added with the next commit.
            let used = try #require(try store.lookup("a")?.used)
            #expect(used >= 8 << 20)
            #expect(used < 9 << 20)
            #expect(try store.all().map(\.used) == [used])
        }
    }

    @Test("of one volume leaves the others alone")
    func apart() throws {
        try withPlace { place in
            let store = try place.store()
            defer { store.close() }
            var full = FillingFile(try store.create("full", limit: 16 << 20).path + "/file")
            var free = FillingFile(try store.create("free", limit: 32 << 20).path + "/file")
            #expect(try full.fill(upTo: 64 << 20) == .quotaExceeded)
            #expect(try free.fill(upTo: 24 << 20) == nil)
            #expect(try full.isWhole())
            #expect(try free.isWhole())
        }
    }
}
