/// The first 8 bytes of a name as a number, highest first and filled up with zeros.
///
/// Names hold no NUL, so where prefixes differ they are in the order of the names.
enum NamePrefix {
    @inline(__always)
    static func of(_ name: UnsafeRawBufferPointer) -> UInt64 {
        if name.count >= 8 { return UInt64(bigEndian: name.loadUnaligned(as: UInt64.self)) }
        var prefix: UInt64 = 0
        for byte in name { prefix = prefix << 8 | UInt64(byte) }
        // A shift by 64, for the empty name, gives 0.
        return prefix << (UInt64(8 - name.count) * 8)
    }
}
