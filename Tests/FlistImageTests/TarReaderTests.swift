import FlistImage
import Support
import Testing

@Suite("Reading tar files")
struct TarReaderTests {
    private static let script = """
        import io, sys, tarfile
        out = tarfile.open("x.tar", "w", format=tarfile.PAX_FORMAT)
        def add(name, type=tarfile.REGTYPE, data=b"", **fields):
            info = tarfile.TarInfo(name)
            info.type, info.size, info.mode, info.uid, info.gid = type, len(data), 0o4755, 70000, 7
            for key, value in fields.items(): setattr(info, key, value)
            out.addfile(info, io.BytesIO(data))
        add("./", tarfile.DIRTYPE)
        add("./unicode-\\u00e9\\u4e2d", data=b"hello", mtime=1600000000.25, pax_headers={
            "SCHILY.xattr.user.x": "value", "SCHILY.acl.access": "user::rwx,user:1000:r-x,group::r-x,mask::r-x,other::---",
            "SCHILY.acl.default": "user::rwx,user:nobody-here:r-x,group::r-x,mask::r-x,other::---"})
        add("raw-\\udcff", data=b"x")
        add("l" * 200 + "/" + "n" * 200)
        add("again", tarfile.LNKTYPE, linkname="./unicode-\\u00e9\\u4e2d")
        add("link", tarfile.SYMTYPE, linkname="../../outside")
        add("null", tarfile.CHRTYPE, devmajor=1, devminor=3)
        add("disk", tarfile.BLKTYPE, devmajor=8, devminor=1)
        add("pipe", tarfile.FIFOTYPE, mtime=-5)
        add("big", data=bytes(range(256)) * 8192)
        out.close()
        """

    @Test("gives every member as it is", arguments: ["x.tar", "x.tar.gz", "x.tar.zst"])
    func members(name: String) throws {
        let workspace = try Workspace()
        try workspace.run("python3", "-", input: Self.script)
        try workspace.run("sh", "-c", "gzip -k x.tar; zstd -q x.tar")
        let reader = try TarReader(workspace.path(name))
        var entries: [[UInt8]: TarEntry] = [:]
        var big: [UInt8] = []
        while let entry = try reader.next() {
            entries[entry.path] = entry
            guard entry.path == Array("big".utf8) else { continue }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 700_001, alignment: 16)
            defer { buffer.deallocate() }
            while true {
                let count = try reader.read(into: buffer)
                big += [UInt8](buffer[..<count])
                if count < buffer.count { break }
            }
        }
        #expect(entries.count == 10)
        #expect(big == (0..<8192).flatMap { _ in (0...255).map { UInt8($0) } })
        let root = try #require(entries[Array(".".utf8)])
        #expect(root.type == .directory)
        let unicode = try #require(entries[Array("./unicode-é中".utf8)])
        #expect(unicode.size == 5)
        // The access control list says so.
        #expect(unicode.permissions == 0o4750)
        #expect(unicode.uid == 70000)
        #expect(unicode.mtime == Timestamp(seconds: 1_600_000_000, nanoseconds: 250_000_000))
        #expect(unicode.dataRegions == nil)
        #expect(unicode.xattrs.map(\.name) == [Array("user.x".utf8), Array("system.posix_acl_access".utf8)])
        #expect(unicode.xattrs.first?.value == Array("value".utf8))
        #expect(
            unicode.xattrs.last?.value == [
                2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 5, 0, 232, 3, 0, 0, 4, 0, 5, 0, 255, 255, 255, 255,
                16, 0, 5,
                0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
            ])
        #expect(unicode.losses == ["an access control list that names users or groups without their numbers"])
        #expect(entries[Array("raw-".utf8) + [0xff]]?.size == 1)
        #expect(entries.keys.contains { $0.count == 401 })
        let again = try #require(entries[Array("again".utf8)])
        #expect(again.type == nil)
        #expect(again.hardLinkTarget == Array("./unicode-é中".utf8))
        #expect(entries[Array("link".utf8)]?.linkTarget == Array("../../outside".utf8))
        let null = try #require(entries[Array("null".utf8)])
        #expect(null.type == .characterDevice)
        #expect(null.major == 1)
        #expect(null.minor == 3)
        #expect(entries[Array("disk".utf8)]?.type == .blockDevice)
        #expect(entries[Array("pipe".utf8)]?.type == .fifo)
        #expect(entries[Array("pipe".utf8)]?.mtime.seconds == -5)
    }

    @Test("tells the holes of sparse files, and reads them as zeros")
    func sparse() throws {
        let workspace = try Workspace()
        try workspace.run("sh", "-c", "truncate -s 4M s && printf abc | dd of=s bs=1M seek=2 conv=notrunc 2>/dev/null")
        try workspace.run("tar", "-S", "-cf", "s.tar", "s")
        let reader = try TarReader(workspace.path("s.tar"))
        let entry = try #require(try reader.next())
        #expect(entry.size == 4 << 20)
        let regions = try #require(entry.dataRegions)
        #expect(regions.first?.lowerBound == 2 << 20)
        #expect(regions.map(\.count).reduce(0, +) < 1 << 20)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 5 << 20, alignment: 16)
        defer { buffer.deallocate() }
        #expect(try reader.read(into: buffer) == 4 << 20)
        #expect([UInt8](buffer[(2 << 20)..<(2 << 20) + 4]) == [97, 98, 99, 0])
        #expect(buffer[..<(2 << 20)].allSatisfy { $0 == 0 })
        #expect(try reader.next() == nil)
    }

    @Test("refuses what is cut short or not a tar file")
    func broken() throws {
        let workspace = try Workspace()
        let sound = TarBuilder.archive(TarBuilder.member("a", [UInt8](repeating: 1, count: 3000)))
        let path = try workspace.write(Array(sound[..<1500]), "x.tar")
        #expect(throws: FlistError.self) {
            let reader = try TarReader(path)
            _ = try reader.next()
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4000, alignment: 16)
            defer { buffer.deallocate() }
            _ = try reader.read(into: buffer)
        }
        let text = try workspace.write(Array("this is no archive at all".utf8), "y")
        #expect(throws: FlistError.self) { _ = try TarReader(text).next() }
        #expect(throws: FlistError.self) { _ = try TarReader(workspace.path("missing")) }
    }
}
