extension CodecError {
    /// Compares a length that compressed data declares with the one that the block must have.
    static func check(declared: UInt64, expected: Int) throws(CodecError) {
        guard declared <= UInt64(expected) else {
            throw .tooLarge(declared: Int(clamping: declared), limit: expected)
        }
        guard declared == UInt64(expected) else {
            throw .wrongLength(found: Int(clamping: declared), expected: expected)
        }
    }
}
