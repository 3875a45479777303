import BlockCodec
import Foundation
import Support
import Testing

@testable import FlistImage

@Suite("Tree index file")
struct IndexFileTests {
    private let folder: IndexFolder

    init() throws { folder = try IndexFolder() }

    private func builder(_ info: TreeIndexInfo) throws -> TreeIndexBuilder {
        var builder = TreeIndexBuilder(info: info)
        try builder.add(IndexValidationTests.root())
        return builder
    }

    @Test("keeps what the flist says of itself")
    func metadata() throws {
        let info = TreeIndexInfo(
            flistHash: IndexValidationTests.short, kind: .flist, codec: .xxteaSnappy, blockSize: 512 << 10,
            tags: [("version", "1"), ("", "ünï\u{0}"), ("version", "2")],
            routes: [ImageRoute(start: 0, end: 127, url: "zdb://a:b@c"), ImageRoute(start: 128, end: 255, url: "")],
            routerYAML: Array("lookup: []\n".utf8),
            backend: ImageBackend(host: "hub", port: 9900, namespace: "n", password: nil, socket: "", token: "t"))
        try builder(info).finish(to: folder.file("index"))
        let index = try TreeIndex.open(folder.file("index"))
        #expect(index.tags.map(\.key) == ["version", "", "version"])
        #expect(index.tags.map(\.value) == ["1", "ünï\u{0}", "2"])
        #expect(index.routes == info.routes)
        #expect(index.routerYAML == info.routerYAML)
        #expect(index.backend == info.backend)
        #expect(index.summary.flistHash == info.flistHash)
        #expect(index.summary.kind == .flist)
        #expect(index.summary.codec == .xxteaSnappy)
        #expect(index.summary.blockSize == 512 << 10)
    }

    @Test("has nothing where the flist says nothing")
    func emptyMetadata() throws {
        let index = try builder(IndexModel.info()).finish()
        #expect(index.tags.isEmpty && index.routes.isEmpty && index.routerYAML == nil && index.backend == nil)
    }

    @Test("is readable by its owner alone, and leaves nothing else behind")
    func mode() throws {
        let tree = try builder(IndexModel.info())
        try tree.finish(to: folder.file("index"))
        try tree.finish(to: folder.file("index"))
        #expect(try folder.names == ["index"])
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.file("index"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test("leaves nothing behind when it fails")
    func failure() throws {
        try FileManager.default.createDirectory(atPath: folder.file("index"), withIntermediateDirectories: false)
        let tree = try builder(IndexModel.info())
        #expect(throws: FlistError.self) { try tree.finish(to: folder.file("index")) }
        #expect(try folder.names == ["index"])
        do {
            try tree.finish(to: folder.file("none/index"))
            Issue.record("was written into a folder that does not exist")
        } catch {
            #expect(error.code == .notFound)
            #expect(error.message == "cannot create index \(folder.file("none/index"))")
        }
    }

    @Test("stays as it was for who has it open while another takes its name")
    func replaced() throws {
        var tree = try builder(IndexModel.info())
        try tree.finish(to: folder.file("index"))
        let old = try TreeIndex.open(folder.file("index"))
        try tree.add(IndexValidationTests.entry(2, "new"))
        try tree.finish(to: folder.file("index"))
        #expect(old.resolve(path: Array("/new".utf8)) == nil)
        #expect(try TreeIndex.open(folder.file("index")).resolve(path: Array("/new".utf8)) == 2)
    }

    @Test("resolves paths without following symlinks")
    func paths() throws {
        var tree = try IndexValidationTests.builder()
        try tree.add(IndexValidationTests.entry(3, "f", in: 2))
        try tree.add(IndexValidationTests.entry(4, "l", .symlink))
        let index = try tree.finish()
        let paths: [(String, InodeNumber?)] = [
            ("", 1), ("/", 1), ("//d/", 2), ("d/f", 4), ("/d/./f", 4), ("/d/../l", 3), ("/..", 1), ("/l/f", nil),
            ("/d/f/.", nil), ("/d/f/..", nil), ("/x", nil),
        ]
        for (path, number) in paths { #expect(index.resolve(path: Array(path.utf8)) == number, "\(path)") }
        #expect(index.path(of: 4) == Array("/d/f".utf8))
        #expect(index.path(of: 1) == Array("/".utf8))
        #expect(index.path(of: 5) == Array("/".utf8))
    }

    @Test("has records of the sizes that the format says")
    func layout() {
        #expect(MemoryLayout<InodeRecord>.stride == 80)
        #expect(MemoryLayout<XattrRecord>.stride == 24)
        #expect(MemoryLayout<XattrSetRecord>.stride == 8)
        #expect(MemoryLayout<SectionRecord>.stride == 24)
        #expect(MemoryLayout<HeaderRecord>.size <= TreeIndexLayout.sectionTableOffset)
        let tableEnd = TreeIndexLayout.sectionTableOffset + 24 * TreeIndexLayout.Section.allCases.count
        #expect(tableEnd <= TreeIndexLayout.checksumOffset)
    }

    @Test("gives device numbers and modes as the kernel has them")
    func numbers() throws {
        var entry = IndexValidationTests.entry(2, "dev", .characterDevice)
        entry.major = 4095
        entry.minor = 1_048_575
        entry.permissions = 0o4755
        var tree = try builder(IndexModel.info())
        try tree.add(entry)
        let attributes = try #require(try tree.finish().attributes(of: 2))
        #expect(attributes.rdev == 0xffff_ffff)
        #expect(attributes.mode == 0o024755)
        #expect(FileType.allCases.map(\.modeBits).map(FileType.init(mode:)) == FileType.allCases)
        #expect(FileType(mode: 0o644) == nil)
    }

    @Test("holds 1,000,000 entries")
    func million() throws {
        var tree = try builder(IndexModel.info(kind: .rfs))
        let directories: UInt64 = 10_000
        for id in 2...1_000_000 as ClosedRange<UInt64> {
            let isDirectory = id <= directories
            let parent = isDirectory ? 1 : 2 + id % (directories - 1)
            try tree.add(IndexValidationTests.entry(id, "entry-\(id)", isDirectory ? .directory : .regular, in: parent))
        }
        let index = try tree.finish()
        #expect(index.summary.entries == 1_000_000)
        #expect(index.summary.directories == 10_000)
        #expect(index.summary.files == 990_000)
        #expect(index.children(of: 1)?.count == 9_999)
        #expect(index.attributes(of: 1)?.nlink == 10_001)
        let children = (1...10_000).map { index.children(of: $0)?.count ?? 0 }
        #expect(children.reduce(1, +) == 1_000_000)
        let path = Array("/entry-\(2 + 999_999 % (directories - 1))/entry-999999".utf8)
        let number = try #require(index.resolve(path: path))
        #expect(index.path(of: number) == path)
    }
}
