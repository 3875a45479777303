import Benchmark
import BlockCodec
import FlistImage
import Support

/// Lookups and listings in a tree of a million entries: 10,000 directories of 99 files.
func index() {
    Benchmark("Index.lookup.1M", configuration: .init(scalingFactor: .kilo)) { (benchmark, tree: TreeIndex) throws in
        for position in benchmark.scaledIterations {
            guard let found = tree.lookup(Million.names[position % 99], in: Million.directory(position)) else {
                throw BenchmarkFailed(reason: "a name is not in the tree")
            }
            blackHole(tree.attributes(of: found))
        }
    } setup: {
        try Million.tree.get()
    }
    Benchmark("Index.readdir.99of1M", configuration: .init(scalingFactor: .kilo)) {
        (benchmark, tree: TreeIndex) throws in
        for position in benchmark.scaledIterations {
            guard let children = tree.children(of: Million.directory(position)) else {
                throw BenchmarkFailed(reason: "a directory is not in the tree")
            }
            for child in children {
                tree.withName(of: child) { blackHole($0.count) }
                blackHole(tree.attributes(of: child))
            }
        }
    } setup: {
        try Million.tree.get()
    }
}

private enum Million {
    static let names = (0..<99).map { Array("file-\($0 < 10 ? "0" : "")\($0).txt".utf8) }

    /// Far from one another, as by chance: the next is in no cache of the processor. Directories follow the root.
    static func directory(_ position: Int) -> InodeNumber { InodeNumber(2 + position &* 7919 % 10_000) }

    /// Built when it is first used, since it takes seconds: benchmarks may be left out by a filter.
    static let tree = Result<TreeIndex, any Error> {
        var builder = TreeIndexBuilder(
            info: TreeIndexInfo(
                flistHash: BLAKE2b.hash([1], .bytes32), kind: .zstd, codec: .gcmZstd, blockSize: 512 << 10))
        try builder.add(TreeEntry(id: 1, parent: 1, name: [], type: .directory, permissions: 0o755))
        var next: UInt64 = 2
        for number in 0..<10_000 {
            let directory = next
            let name = Array("d\(number)".utf8)
            try builder.add(TreeEntry(id: directory, parent: 1, name: name, type: .directory, permissions: 0o755))
            next += 1
            for name in names {
                try builder.add(TreeEntry(id: next, parent: directory, name: name, type: .regular, permissions: 0o644))
                next += 1
            }
        }
        return try builder.finish()
    }
}
