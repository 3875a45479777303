public import BlockCodec
public import Support
internal import Synchronization

/// Names what a file holds, so that all flists and mounts that have the same content share one cached copy.
public enum ContentID {
    /// The name of a list's content: BLAKE2b-32 over a tag, the size, the block size, and each block's key.
    ///
    /// Integers are 64 bits, little-endian; each key is preceded by its length in one byte. A hole counts as the key
    /// of as many zeros, with as many bytes as the first key that is there (32 where there is none). So the name
    /// follows from the bytes alone: a cached copy can be checked without its flist, and a sparse file shares its
    /// copy with one whose zeros are stored. Reads every reference once; thread-safe; does not block.
    public static func of(_ blocks: any BlockList) -> Digest {
        let layout = BlockLayout(blocks)
        var hash = ContentHash(size: layout.size, blockSize: layout.blockSize)
        let digestLength = digestLength(of: blocks)
        for index in 0..<layout.count {
            hash.add(blocks[index]?.key ?? ZeroKeys.key(of: layout.length(of: index), digestLength))
        }
        return hash.finalize()
    }

    /// The length of a list's digests: that of its first block which is no hole.
    static func digestLength(of blocks: any BlockList) -> BLAKE2b.Length {
        for index in 0..<max(0, blocks.count) {
            if let reference = blocks[index] { return BLAKE2b.Length(rawValue: reference.key.count) ?? .bytes32 }
        }
        return .bytes32
    }
}

/// Computes a content's name from its keys, one after another.
struct ContentHash {
    private var hasher = BLAKE2b(.bytes32)

    init(size: UInt64, blockSize: Int) {
        hasher.update(Array("flist content 1\0".utf8))
        withUnsafeBytes(of: size.littleEndian) { hasher.update($0) }
        withUnsafeBytes(of: UInt64(max(0, blockSize)).littleEndian) { hasher.update($0) }
    }

    mutating func add(_ key: Digest) {
        withUnsafeBytes(of: UInt8(key.count)) { hasher.update($0) }
        key.withBytes { hasher.update($0) }
    }

    func finalize() -> Digest { hasher.finalize() }
}

/// Keys of blocks of zeros, computed once for each length in use. Thread-safe.
enum ZeroKeys {
    private struct Entry {
        let length: Int
        let digestLength: BLAKE2b.Length
        let key: Digest
    }

    // In practice the block sizes of the mounted flists; the odd lengths of last blocks push each other out.
    private static let limit = 32
    private static let known = Mutex<[Entry]>([])

    static func key(of length: Int, _ digestLength: BLAKE2b.Length) -> Digest {
        let found = known.withLock { entries in
            entries.first { $0.length == length && $0.digestLength == digestLength }?.key
        }
        if let found { return found }
        let zeros = BlockBufferPool.shared.buffer(capacity: length)
        let plain = UnsafeMutableRawBufferPointer(rebasing: zeros.memory[..<length])
        plain.initializeMemory(as: UInt8.self, repeating: 0)
        let key = BLAKE2b.hash(UnsafeRawBufferPointer(plain), digestLength)
        known.withLock { entries in
            if entries.count == limit { entries.removeFirst() }
            entries.append(Entry(length: length, digestLength: digestLength, key: key))
        }
        return key
    }
}
