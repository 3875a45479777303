import Benchmark
import BlockCodec
import FlistImage
import Support

/// Lookups and listings in a tree of a million entries: 10,000 directories of 99 files.
func index() {
    let tree = Tree()
    Benchmark("Index.lookup.1M", configuration: .init(scalingFactor: .kilo)) { benchmark in
        let tree = tree.index
        for position in benchmark.scaledIterations {
            // Far from one another, as by chance: the next is in no cache of the processor.
            let directory = InodeNumber(2 + position &* 7919 % 10_000)
            guard let found = tree.lookup(Tree.names[position % 99], in: directory) else { fatalError("not found") }
            blackHole(tree.attributes(of: found))
        }
    }
    Benchmark("Index.readdir.99of1M", configuration: .init(scalingFactor: .kilo)) { benchmark in
        let tree = tree.index
        for position in benchmark.scaledIterations {
            for child in tree.children(of: InodeNumber(2 + position &* 7919 % 10_000)) ?? 1..<1 {
                tree.withName(of: child) { blackHole($0.count) }
                blackHole(tree.attributes(of: child))
            }
        }
    }
}

/// Built when it is first used, since it takes seconds: benchmarks may be left out by a filter.
private final class Tree: Sendable {
    static let names = (0..<99).map { Array("file-\($0 < 10 ? "0" : "")\($0).txt".utf8) }

    private static let made = prepared {
        var builder = TreeIndexBuilder(
            info: TreeIndexInfo(
                flistHash: BLAKE2b.hash([1], .bytes32), kind: .zstd, codec: .gcmZstd, blockSize: 512 << 10))
        try builder.add(TreeEntry(id: 1, parent: 1, name: [], type: .directory, permissions: 0o755))
        var next: UInt64 = 2
        for number in 0..<10_000 {
            let directory = next
            try builder.add(
                TreeEntry(id: directory, parent: 1, name: Array("d\(number)".utf8), type: .directory, permissions: 0o755))
            next += 1
            for name in names {
                try builder.add(TreeEntry(id: next, parent: directory, name: name, type: .regular, permissions: 0o644))
                next += 1
            }
        }
        return try builder.finish()
    }

    var index: TreeIndex { Self.made }
}
