public import FlistImage
internal import BlockCodec

/// The regular files that some paths stand for: each once, directories with all below them.
public struct PrefetchTree: Sendable {
    /// In the order of the paths, and below a directory in that of the index.
    public private(set) var files: [InodeNumber] = []
    /// Plain bytes of their blocks, without holes.
    public private(set) var bytes: UInt64 = 0
    private let index: TreeIndex
    private var seen: [Bool]

    public init(_ index: TreeIndex) {
        self.index = index
        seen = Array(repeating: false, count: Int(index.lastNumber) + 1)
    }

    /// Adds a file, or all files below a directory.
    public mutating func add(_ entry: InodeNumber) {
        var waiting = [entry]
        while let entry = waiting.popLast() {
            guard let number = index.inodeNumber(of: entry), Int(number) < seen.count, !seen[Int(number)] else {
                continue
            }
            seen[Int(number)] = true
            switch index.type(of: number) {
            case .regular:
                files.append(number)
                bytes += Self.storedBytes(index.blocks(of: number))
            case .directory:
                // The first child is to be popped first.
                if let children = index.children(of: number) { waiting += children.reversed() }
            default: continue
            }
        }
    }

    /// All blocks of all files.
    public var spans: some Sequence<ContentSpan> {
        files.lazy.map { ContentSpan(inode: $0, blocks: 0..<Int.max) }
    }

    private static func storedBytes(_ blocks: TreeIndexBlocks?) -> UInt64 {
        guard let blocks else { return 0 }
        return (0..<blocks.count).reduce(0) { $0 + UInt64(blocks[$1]?.plainLength ?? 0) }
    }
}
