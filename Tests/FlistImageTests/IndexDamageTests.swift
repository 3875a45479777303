import BlockCodec
import FlistImage
import Support
import TestSupport
import Testing

@Suite("Tree index damage")
struct IndexDamageTests {
    private let folder: IndexFolder

    init() throws { folder = try IndexFolder() }

    /// A small index that has something in every section.
    private func bytes(entries: Int) throws -> [UInt8] {
        let model = IndexModel(entries: entries, seed: 11, scattered: false)
        var builder = try model.builder(seed: 12)
        try builder.addXattr(to: 1, name: Array("user.root".utf8), value: [1, 2, 3])
        try builder.finish(to: folder.file("index"))
        return try folder.read("index")
    }

    private func error(_ bytes: [UInt8]) throws -> FlistError? {
        let path = try folder.write(bytes, to: "damaged")
        do {
            _ = try TreeIndex.open(path)
            return nil
        } catch {
            return error
        }
    }

    @Test("is refused whichever byte is flipped", arguments: [UInt8(0x01), 0x80, 0xff])
    func flips(mask: UInt8) throws {
        let good = try bytes(entries: 25)
        #expect(try error(good) == nil)
        var accepted: [Int] = []
        var codes: Set<FlistError.Code> = []
        for position in good.indices {
            var bad = good
            bad[position] ^= mask
            if let error = try error(bad) { codes.insert(error.code) } else { accepted.append(position) }
        }
        #expect(accepted == [])
        #expect(codes == [.corrupt])
    }

    @Test("is refused wherever it is cut short, and when it is longer")
    func truncation() throws {
        let good = try bytes(entries: 25)
        var accepted: [Int] = []
        for length in 0..<good.count where try error(Array(good[..<length])) == nil { accepted.append(length) }
        #expect(accepted == [])
        #expect(try error(good + [0])?.code == .corrupt)
        #expect(try error(good + Array(repeating: 0, count: 8))?.code == .corrupt)
    }

    @Test("says what is wrong and what to do")
    func messages() throws {
        let good = try bytes(entries: 25)
        let path = folder.file("damaged")
        let remedy = "delete it, it is built again when needed"
        #expect(try error([])?.message == "index \(path): too short; \(remedy)")
        var bad = good
        bad[0] ^= 1
        #expect(try error(bad)?.message == "index \(path): not an index; \(remedy)")
        bad = good
        bad[8] = 3
        #expect(try error(bad)?.message == "index \(path): of version 3, not 2; \(remedy)")
        bad = good
        bad[100] ^= 1
        #expect(try error(bad)?.message == "index \(path): damaged in its header; \(remedy)")
        bad = good
        bad[512] ^= 1
        #expect(try error(bad)?.message == "index \(path): damaged in its inodes; \(remedy)")
        bad = good
        bad[good.count - 1] ^= 1
        #expect(try error(bad)?.message == "index \(path): damaged in its metadata; \(remedy)")
        #expect(throws: FlistError.self) { try TreeIndex.open(folder.file("none")) }
        #expect(throws: FlistError.self) { try TreeIndex.open(folder.path) }
    }

    @Test("never crashes an access, even when checksums are not looked at", .timeLimit(.minutes(5)))
    func fuzz() throws {
        let good = try bytes(entries: 40)
        var random = SeededGenerator(seed: 99)
        var opened = 0
        var sum = 0
        for _ in 0..<5_000 {
            var bad = good
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                // The inode records are where damage leads astray most; the header mostly stops it at the door.
                let position = Int.random(
                    in: (Int.random(in: 0..<8, using: &random) == 0 ? 0 : 512)..<bad.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bad[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bad[position] = 0xff
                case 2: for offset in position..<min(position + 8, bad.count) { bad[offset] = 0xff }
                default: bad[position] = .random(in: 0...255, using: &random)
                }
            }
            let path = try folder.write(bad, to: "damaged")
            guard let index = try? TreeIndex.open(path, verifying: false) else { continue }
            opened += 1
            sum &+= touchAll(index)
        }
        #expect(opened > 2_000)
        #expect(sum != 0)
    }

    /// Calls every accessor for every number and beyond, and looks at every byte that comes back.
    private func touchAll(_ index: TreeIndex) -> Int {
        var sum = index.tags.count + index.routes.count + (index.routerYAML?.count ?? 0) + index.byteCount
        for number in Array(0...min(index.lastNumber, 60)) + [index.lastNumber &+ 1, .max] {
            sum &+= index.attributes(of: number).map { Int($0.mode) &+ Int($0.rdev) } ?? 0
            sum &+= Int(index.type(of: number)?.rawValue ?? 0) &+ Int(index.inodeNumber(of: number) ?? 0)
            let name = index.name(of: number)
            sum &+= name.count &+ name.reduce(0) { $0 &+ Int($1) }
            let parent = index.parent(of: number)
            sum &+= Int(index.lookup(name, in: parent) ?? 0) &+ Int(index.lookup([0x61], in: number) ?? 0)
            sum &+= index.linkTarget(of: number)?.reduce(0) { $0 &+ Int($1) } ?? 0
            let path = index.path(of: number)
            sum &+= path.count &+ Int(index.resolve(path: path) ?? 0)
            sum &+= index.children(of: number)?.prefix(100).reduce(0) { $0 &+ index.name(of: $1).count } ?? 0
            for (name, value) in index.xattrs(of: number).prefix(100) {
                sum &+= name.reduce(0) { $0 &+ Int($1) } &+ value.reduce(0) { $0 &+ Int($1) }
                sum &+= index.xattr(name, of: number)?.count ?? 0
            }
            guard let blocks = index.blocks(of: number) else { continue }
            for position in [-1, 0, 1, blocks.count / 2, blocks.count - 1, blocks.count, .max] {
                sum &+= blocks[position].map { $0.plainLength &+ Int($0.id.first) } ?? 0
            }
        }
        return sum
    }
}
