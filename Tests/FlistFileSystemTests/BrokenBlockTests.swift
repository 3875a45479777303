import FlistContent
import Foundation
import Glibc
import Support
import Testing

@Suite("Broken blocks", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct BrokenBlockTests {
    private static let names = (0..<6).map { "f\($0)" }

    private func contents(_ name: String) -> [UInt8] {
        MountPlace.noise(3000, seed: UInt64(name.utf8.last ?? 0))
    }

    private func place() throws -> MountPlace {
        let place = try MountPlace()
        for name in Self.names { try place.write(contents(name), name) }
        try place.pack()
        return place
    }

    /// The file of the block that holds a source file.
    private func blockFile(_ place: MountPlace, _ name: String, _ open: OpenFlist) throws -> URL {
        let inode = try #require(open.index.resolve(path: Array(name.utf8)))
        let id = try #require(open.index.blocks(of: inode)?[0]).id.description
        return URL(fileURLWithPath: place.path("blocks/\(id.prefix(2))/\(id)"))
    }

    enum Damage: CaseIterable { case flipped, missing, truncated, swapped, empty }

    private func damage(_ kind: Damage, _ file: URL, other: URL) throws {
        var bytes = try Data(contentsOf: file)
        switch kind {
        case .flipped: bytes[bytes.count / 2] ^= 1
        case .missing: return try FileManager.default.removeItem(at: file)
        case .truncated: bytes.removeLast(7)
        case .swapped: bytes = try Data(contentsOf: other)
        case .empty: bytes = Data()
        }
        try bytes.write(to: file)
    }

    @Test("give EIO for their file alone, until they are mended", .timeLimit(.minutes(5)), arguments: Damage.allCases)
    func alone(kind: Damage) throws {
        let place = try place()
        try place.mounted(place.path("tree.fl"), place.options()) { open throws in
            let file = try blockFile(place, "f1", open)
            let whole = try Data(contentsOf: file)
            try damage(kind, file, other: blockFile(place, "f2", open))
            #expect(MountPlace.read(place.path("target/f1")) == .failure(.io))
            for name in Self.names where name != "f1" {
                #expect(MountPlace.read(place.path("target/\(name)")) == .success(contents(name)))
            }
            try whole.write(to: file)
            #expect(MountPlace.read(place.path("target/f1")) == .success(contents("f1")))
        }
    }

    @Test("are healed by a replica", .timeLimit(.minutes(5)), arguments: Damage.allCases)
    func healed(kind: Damage) throws {
        let place = try place()
        try place.shell("cp -r blocks replica")
        let options = try place.options(stores: ["dir://\(place.path("blocks"))", "dir://\(place.path("replica"))"])
        try place.mounted(place.path("tree.fl"), options) { open throws in
            for name in Self.names {
                try damage(kind, blockFile(place, name, open), other: blockFile(place, "f0", open))
                // The first file's block stays what the others are swapped with.
                if name == "f0", kind == .swapped { continue }
                #expect(MountPlace.read(place.path("target/\(name)")) == .success(contents(name)))
            }
        }
    }
}
