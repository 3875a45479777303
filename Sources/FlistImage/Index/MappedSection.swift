internal import Glibc

/// A part of the mapped file; every access to it is checked.
struct MappedSection {
    let base: UnsafeRawPointer?
    let count: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        base = bytes.baseAddress
        count = bytes.count
    }

    /// The value at `position` in an array of them; nil when out of bounds.
    @inline(__always)
    func record<Record: BitwiseCopyable>(_ position: Int, as type: Record.Type) -> Record? {
        let stride = MemoryLayout<Record>.stride
        guard let base, position >= 0, position < count / stride else { return nil }
        return base.loadUnaligned(fromByteOffset: position * stride, as: type)
    }

    /// The bytes from `offset` on; nil when some are out of bounds.
    @inline(__always)
    func bytes(at offset: UInt64, count length: UInt64) -> UnsafeRawBufferPointer? {
        guard offset <= UInt64(count), length <= UInt64(count) - offset else { return nil }
        guard let base else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: base + Int(offset), count: Int(length))
    }
}

/// Orders byte strings: by memcmp(3), a prefix before what it begins.
@inline(__always)
func orderBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let common = min(a.count, b.count)
    if common > 0, let first = a.baseAddress, let second = b.baseAddress {
        let order = memcmp(first, second, common)
        if order != 0 { return Int(order) }
    }
    return a.count - b.count
}
