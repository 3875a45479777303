import Foundation
import Glibc
import Support

@testable import FlistImage

/// A mapped index, with its checksums left unread: they would hide all that lies behind.
///
/// The input is what is changed in a sound one: four bytes a change, three of them the place.
enum IndexTarget {
    private static let sound: [UInt8] = {
        let fixtures = getenv("FLIST_FUZZ_FIXTURES").map { String(cString: $0) } ?? "Tests/Fixtures"
        let folder = String(ScratchFile.path.dropLast("/input".count))
        do {
            let index = try FlistReader.open("\(fixtures)/zflist-mini/mini.flist", indexFolder: folder)
            let path = "\(folder)/\(index.summary.flistHash).tree"
            defer {
                // The index, and what the reader remembers of the file beside the index, for the next time.
                for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                    unlink("\(folder)/\(name)")
                }
            }
            let file = try FileDescriptor(path, O_RDONLY)
            return try [UInt8](unsafeUninitializedCapacity: 16 << 20) { bytes, count in
                count = try file.read(into: UnsafeMutableRawBufferPointer(bytes), at: 0)
            }
        } catch {
            print("no index to begin with: \(error)")
            exit(2)
        }
    }()

    static func run(_ bytes: UnsafeRawBufferPointer) {
        var damaged = sound
        var rest = bytes[...]
        while rest.count >= 4 {
            let change = Array(rest.prefix(4))
            rest = rest.dropFirst(4)
            let place = Int(change[0]) << 16 | Int(change[1]) << 8 | Int(change[2])
            damaged[place % damaged.count] = change[3]
        }
        // One that is cut short besides.
        if let cut = rest.first { damaged.removeLast(Int(cut)) }
        let path = damaged.withUnsafeBytes { ScratchFile.write($0) }
        guard let index = try? TreeIndex.open(path, verifying: false) else { return }
        _ = index.tags.count + index.routes.count + (index.routerYAML?.count ?? 0) + index.profile.count
        for number in Array(0...min(index.lastNumber, 100)) + [index.lastNumber &+ 1, .max] { touch(number, of: index) }
    }

    /// Calls every accessor.
    private static func touch(_ number: InodeNumber, of index: TreeIndex) {
        _ = index.attributes(of: number).map { ($0.mode, $0.rdev) }
        _ = (index.type(of: number), index.inodeNumber(of: number))
        let parent = index.parent(of: number)
        _ = (index.lookup(index.name(of: number), in: parent), index.lookup([0x61], in: number))
        _ = index.linkTarget(of: number)?.count
        _ = index.resolve(path: index.path(of: number))
        for child in index.children(of: number)?.prefix(100) ?? 0..<0 { _ = index.name(of: child).count }
        for (name, value) in index.xattrs(of: number).prefix(100) {
            _ = value.count
            _ = index.xattr(name, of: number)?.count
        }
        guard let blocks = index.blocks(of: number) else { return }
        for position in [-1, 0, 1, blocks.count / 2, blocks.count - 1, blocks.count, .max] { _ = blocks[position] }
    }

    /// Walks a tree from its root; answers how many names it has.
    static func countAll(_ index: TreeIndex) -> Int {
        var count = 1
        var pending = [TreeIndex.root]
        while let folder = pending.popLast() {
            for child in index.children(of: folder) ?? 0..<0 {
                count += 1
                touch(child, of: index)
                if index.type(of: child) == .directory { pending.append(child) }
            }
        }
        return count
    }
}
