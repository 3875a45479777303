import Foundation
import BlockCodec
import FlistImage
import Support
import Testing

@Suite("Fixtures of the formats in the field")
struct FixtureTests {
    static let fixtures = Workspace.fixtures

    private func manifest() throws -> [[UInt8]: ManifestEntry] {
        ManifestEntry.parse(try String(contentsOfFile: "\(Self.fixtures)/mini.manifest", encoding: .utf8))
    }

    private func differences(
        _ found: [[UInt8]: ManifestEntry], _ expected: [[UInt8]: ManifestEntry]
    ) -> [String] {
        Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }.map {
            let name = String(decoding: $0, as: UTF8.self)
            return "\(name): \(found[$0]?.description ?? "missing"), not \(expected[$0]?.description ?? "there")"
        }.sorted()
    }

    @Test("a genuine .flist is the tree it was made of")
    func miniFlist() throws {
        let index = try FlistReader.open("\(Self.fixtures)/zflist-mini/mini.flist", indexFolder: nil)
        var expected = try manifest()
        #expect(expected.count == 792)
        // The format gives the root fixed attributes, and its writer takes all special files for sockets; those with
        // numbers are read as character devices.
        let root = try #require(index.attributes(of: TreeIndex.root))
        #expect(root.permissions == 0o755)
        for (path, entry) in expected {
            if path == Array(".".utf8) { expected[path]?.mtime = root.mtime.seconds }
            if entry.type == "b" { expected[path]?.type = "c" }
            if entry.type == "p" { expected[path]?.type = "s" }
        }
        #expect(differences(ManifestEntry.tree(of: index), expected) == [])
        #expect(index.summary.kind == .flist)
        #expect(index.summary.codec == .xxteaSnappy)
        #expect(index.summary.blockSize == 524_288)
        #expect(index.backend == ImageBackend(host: "127.0.0.1", port: 9911))
        #expect(index.summary.filesWithoutBlocks == 0)
        try expectBlocks(of: index, in: "zflist-mini/blocks")
    }

    @Test("an .fl of rfs is the tree it was made of")
    func miniFungi() throws {
        let index = try FlistReader.open("\(Self.fixtures)/rfs-mini/mini.fl", indexFolder: nil)
        var expected = try manifest()
        // The writer went through lossy UTF-8.
        let bad = try #require(expected.keys.first { String(validating: $0, as: UTF8.self) == nil })
        expected[Array(String(decoding: bad, as: UTF8.self).utf8)] = expected.removeValue(forKey: bad)
        #expect(differences(ManifestEntry.tree(of: index), expected) == [])
        #expect(index.summary.kind == .rfs)
        #expect(index.summary.codec == .gcmSnappy)
        #expect(index.routes == [ImageRoute(start: 0, end: 255, url: "dir:///REPLACE/ME")])
        try expectBlocks(of: index, in: "rfs-mini/blocks")
    }

    /// The blocks that the index names are those of the store, all of them.
    private func expectBlocks(of index: TreeIndex, in store: String) throws {
        var named: Set<String> = []
        for number in 1...index.lastNumber {
            guard let blocks = index.blocks(of: number) else { continue }
            for position in 0..<blocks.count { named.insert(try #require(blocks[position]).id.description) }
        }
        let files = try FileManager.default.subpathsOfDirectory(atPath: "\(Self.fixtures)/\(store)")
        #expect(named == Set(files.compactMap { $0.contains("/") ? String($0.split(separator: "/")[1]) : nil }))
    }

    @Test("the .flist of a Debian root is its list of files")
    func debian() throws {
        let index = try FlistReader.open("\(Self.fixtures)/zflist-debian/debian.flist", indexFolder: nil)
        let found = ManifestEntry.tree(of: index)
        let workspace = try Workspace()
        let table = try workspace.run("zcat", "\(Self.fixtures)/zflist-debian/debian.find.tsv.gz")
        var problems: [String] = []
        var count = 0
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            try #require(fields.count >= 7)
            count += 1
            let path = fields[0].isEmpty ? Array(".".utf8) : Array(fields[0].utf8)
            guard let entry = found[path] else {
                problems.append("\(fields[0]): missing")
                continue
            }
            let type = fields[1] == "f" ? "-" : String(fields[1])
            let isData = type == "-" || type == "l"
            let expected = [
                type, String(fields[2]), String(fields[3]), String(fields[4]), isData ? String(fields[5]) : "0",
            ]
            let actual = [
                String(entry.type), String(entry.permissions, radix: 8), "\(entry.uid)", "\(entry.gid)",
                "\(entry.size)",
            ]
            if expected != actual { problems.append("\(fields[0]): \(actual), not \(expected)") }
            if path != Array(".".utf8), fields[6].split(separator: ".")[0] != "\(entry.mtime)" {
                problems.append("\(fields[0]): modified at \(entry.mtime), not \(fields[6])")
            }
            if type == "l", entry.link != Array(fields[7].utf8) { problems.append("\(fields[0]): another target") }
        }
        #expect(problems.prefix(10) == [])
        #expect(count == 11_316)
        #expect(found.count == count)
        #expect(index.summary.largestFile > 524_288)
    }
}
