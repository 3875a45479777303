internal import Support

/// The file name of a cached content: its id and its block size, which together say how to check the bytes.
struct ObjectName: Hashable, Sendable, CustomStringConvertible {
    let content: Digest
    let blockSize: Int
    /// 64 hexadecimal digits, a dash, the block size in hexadecimal digits.
    let description: String

    init(content: Digest, blockSize: Int) {
        self.content = content
        self.blockSize = blockSize
        description = "\(content)-\(String(blockSize, radix: 16))"
    }

    /// Reads a file name; nil for anything that `description` would not give.
    init?(parsing name: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 64, let content = Digest(hex: String(parts[0])),
            let blockSize = Int(parts[1], radix: 16), blockSize > 0
        else { return nil }
        self.init(content: content, blockSize: blockSize)
        guard description == name else { return nil }
    }

    /// The sub-folder: so that no folder of 1,000,000 contents has more than some 4,000 entries.
    var shard: Substring { description.prefix(2) }
}
