/// Bounds on what decompressing a file may yield, against archives that are small only while they are packed.
struct ArchiveLimit {
    /// Bytes of output.
    let output: UInt64
    /// Bytes of output for each byte of input.
    let ratio: UInt64

    /// For flists: their databases pack 3 to 10 times; the largest ones known have some 500 MB.
    static let flist = ArchiveLimit(output: 4 << 30, ratio: 2000)

    /// For archives that their owner asks to have packed: tar files of zeros are allowed.
    static let none = ArchiveLimit(output: .max, ratio: .max)

    /// Output that is allowed whatever the ratio: empty databases pack well.
    static let floor: UInt64 = 16 << 20

    func allows(output: UInt64, input: UInt64) -> Bool {
        let (scaled, overflow) = max(input, 1).multipliedReportingOverflow(by: ratio)
        return output <= self.output && (output <= Self.floor || overflow || output <= scaled)
    }
}
