internal import BlockCodec
internal import CLinux
internal import Glibc
internal import Support

/// The file beside a partial content that says which blocks are there.
///
/// A header of 64 bytes (magic, version, length of a key, boot, size, block size, count, checksum; integers are
/// little-endian), then a byte for each block, then its keys, so that what is there can be checked without the flist.
/// Bytes are written one by one with pwrite after the block's own bytes: a mapping would raise SIGBUS on a full disk.
/// Nothing here is synced: whatever was lost with the machine belongs to another boot, and is suspect.
final class BlockMap: Sendable {
    static let headerLength = 64
    private static let magic: [UInt8] = Array("flistmap".utf8)
    private static let version: UInt32 = 1

    let descriptor: FileDescriptor
    let layout: BlockLayout

    /// Takes a file that holds a map of this layout, or that one is written to next.
    init(_ descriptor: consuming FileDescriptor, layout: BlockLayout) {
        self.descriptor = descriptor
        self.layout = layout
    }

    /// Opens the file at a path, of whatever layout its header says; nil if it has no valid header.
    convenience init?(opening path: String) {
        guard let file = try? FileDescriptor(path, O_RDWR | O_NOFOLLOW) else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.headerLength) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer)[..<Self.headerLength])
            count = (try? file.read(into: raw, at: 0)) ?? 0
        }
        guard let header = Header(bytes) else { return nil }
        self.init(file, layout: header.layout)
    }

    /// What the header says.
    struct Header: Equatable {
        var layout: BlockLayout
        var digestLength: BLAKE2b.Length
        var boot: BootID

        /// 64 bytes.
        var encoded: [UInt8] {
            var bytes = BlockMap.magic
            bytes.append(littleEndian: BlockMap.version)
            bytes.append(littleEndian: UInt32(digestLength.rawValue))
            bytes += boot.bytes
            bytes.append(littleEndian: layout.size)
            bytes.append(littleEndian: UInt64(layout.blockSize))
            bytes.append(littleEndian: UInt64(layout.count))
            bytes += BLAKE2b.hash(bytes, .bytes16).bytes.prefix(8)
            return bytes
        }

        init(layout: BlockLayout, digestLength: BLAKE2b.Length, boot: BootID) {
            self.layout = layout
            self.digestLength = digestLength
            self.boot = boot
        }

        /// Nil for anything that `encoded` would not give.
        init?(_ bytes: [UInt8]) {
            guard bytes.count == BlockMap.headerLength,
                let digestLength = BLAKE2b.Length(rawValue: Int(bytes.integer(at: 12) as UInt32)),
                let boot = BootID(Array(bytes[16..<32])),
                let blockSize = Int(exactly: bytes.integer(at: 40) as UInt64)
            else { return nil }
            let layout = BlockLayout(size: bytes.integer(at: 32), blockSize: blockSize)
            self.init(layout: layout, digestLength: digestLength, boot: boot)
            guard layout.isValid, encoded == bytes else { return nil }
        }
    }

    /// Bytes of the whole file.
    static func length(_ layout: BlockLayout, _ digestLength: BLAKE2b.Length) -> Int {
        headerLength + layout.count * (1 + digestLength.rawValue)
    }

    /// The header; nil if it is damaged, or of another version, or cannot be read.
    func header() -> Header? {
        guard let bytes = read(Self.headerLength, at: 0) else { return nil }
        return Header(bytes)
    }

    /// The states of some blocks; nil if the map is too short or cannot be read.
    func states(of blocks: Range<Int>) -> [BlockState]? {
        read(blocks.count, at: Self.headerLength + blocks.lowerBound)?.map { BlockState(stored: $0) }
    }

    /// Whether all blocks are present, but for holes, of which the map says nothing.
    func hasAll(of blocks: some BlockList) -> Bool {
        guard let states = states(of: 0..<layout.count) else { return false }
        return states.indices.allSatisfy { states[$0] == .present || blocks[$0] == nil }
    }

    /// The keys of all blocks; nil if the map is too short or cannot be read.
    func keys(_ digestLength: BLAKE2b.Length) -> [Digest]? {
        let length = digestLength.rawValue
        guard let bytes = read(layout.count * length, at: Self.headerLength + layout.count) else { return nil }
        return (0..<layout.count).compactMap { Digest(Array(bytes[($0 * length)..<($0 + 1) * length])) }
    }

    func set(_ block: Int, _ state: BlockState) throws(Errno) {
        let byte = state.rawValue
        let offset = UInt64(Self.headerLength + block)
        var outcome: Errno?
        withUnsafeBytes(of: byte) { bytes in
            do throws(Errno) { try descriptor.write(bytes, at: offset) } catch { outcome = error }
        }
        if let outcome { throw outcome }
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(Errno) {
        var outcome: Errno?
        bytes.withUnsafeBytes { bytes in
            do throws(Errno) { try descriptor.write(bytes, at: UInt64(offset)) } catch { outcome = error }
        }
        if let outcome { throw outcome }
    }

    /// Runs `body` with the map locked against other processes, which waits for theirs.
    func withLock<Result>(_ body: () -> Result) -> Result {
        let number = descriptor.number
        _ = try? systemCall { flock(number, LOCK_EX) }
        defer { flock(number, LOCK_UN) }
        return body()
    }

    private func read(_ count: Int, at offset: Int) -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            filled =
                (try? descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: raw[..<count]), at: UInt64(offset)))
                ?? 0
        }
        return bytes.count == count ? bytes : nil
    }
}

extension [UInt8] {
    fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// The little-endian integer at a place that must be within the array.
    func integer<Value: FixedWidthInteger>(at offset: Int) -> Value {
        withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self)) }
    }
}
