import Glibc
import Support
import Testing

@testable import FlistContent

/// Cache disks that are full or read-only: tiny file systems in memory, so this needs root.
@Suite("Reading with a failing cache disk", .serialized, .timeLimit(.minutes(5)), .enabled(if: geteuid() == 0))
struct FailingDiskTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func withDisk(pages: Int, _ body: (String) throws -> Void) throws {
        let path = "\(folder.path)/disk"
        mkdir(path, 0o700)
        _ = try systemCall { mount("tmpfs", path, "tmpfs", 0, "size=\(pages * 4096),mode=700") }
        // MNT_DETACH
        defer { umount2(path, 2) }
        try body(path)
    }

    @Test("a full disk: every read is exact, and a block is fetched once while it is read")
    func full() throws {
        let flist = try TestFlist(120 * 4096)
        let store = GateStore(flist)
        try withDisk(pages: 40) { path in
            let fixture = try ReaderFixture(flist, from: store, cache: path)
            for start in stride(from: 0, to: 120 * 4096, by: 1024) {
                #expect(try fixture.read(start..<start + 1024) == Array(flist.contents[0][start..<start + 1024]))
            }
            fixture.settle()
            #expect(fixture.reader.statistics.failedReads == 0)
            #expect(store.asked.count == 120)
        }
    }

    @Test("a read-only disk: every read is exact")
    func readOnly() throws {
        let flist = try TestFlist(10 * 4096)
        let store = GateStore(flist)
        try withDisk(pages: 100) { path in
            do {
                let fixture = try ReaderFixture(flist, from: store, cache: path)
                // Not from the start of the file: no readahead.
                #expect(try fixture.read(20_481..<20_500) == Array(flist.contents[0][20_481..<20_500]))
                fixture.settle()
            }
            try #require(mount("tmpfs", path, "tmpfs", 32 | 1, nil) == 0)
            let fixture = try ReaderFixture(flist, from: store, cache: path)
            for _ in 0..<2 { #expect(try fixture.read(0..<40_960) == flist.contents[0]) }
            #expect(fixture.reader.statistics.failedReads == 0)
        }
    }
}
