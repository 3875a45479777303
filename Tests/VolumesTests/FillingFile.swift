import Glibc
import Support
import Testing

/// A file that is written until it may grow no more, with content that tells each place from every other.
struct FillingFile {
    let path: String
    /// Bytes that were written without an error.
    private(set) var length: UInt64 = 0

    init(_ path: String) { self.path = path }

    private static let pieceSize = 65536
    private static let noise = (0..<pieceSize).map { _ in UInt8.random(in: 0...255) }

    /// What belongs at an offset, up to the end of its piece: noise, and on each page where it belongs.
    private static func content(at offset: UInt64) -> ArraySlice<UInt8> {
        let start = offset / UInt64(pieceSize) * UInt64(pieceSize)
        var piece = noise
        piece.withUnsafeMutableBytes { bytes in
            for page in stride(from: 0, to: pieceSize, by: 4096) {
                bytes.storeBytes(of: start + UInt64(page), toByteOffset: page, as: UInt64.self)
            }
        }
        return piece[Int(offset - start)...]
    }

    /// Appends to the file, at most up to `end`; answers the error that ended it.
    mutating func fill(upTo end: UInt64) throws -> Errno? {
        let file = try FileDescriptor(path, O_WRONLY | O_CREAT, mode: 0o644)
        let number = file.number
        while length < end {
            // Where the space ends, a write may be short; the next one fails.
            let count = Self.content(at: length).withUnsafeBytes {
                pwrite(number, $0.baseAddress, $0.count, Int(length))
            }
            if count < 0 { return .current }
            length += UInt64(count)
        }
        return fsync(number) == 0 ? nil : .current
    }

    /// Whether the file holds exactly what was written.
    func isWhole() throws -> Bool {
        let file = try FileDescriptor(path, O_RDONLY)
        var buffer = [UInt8](repeating: 0, count: Self.pieceSize)
        var offset: UInt64 = 0
        while true {
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
            if count == 0 { return offset == length }
            // memcmp: a build for debugging compares byte by byte very slowly.
            let isSame = Self.content(at: offset).withUnsafeBytes { content in
                buffer.withUnsafeBytes { bytes in
                    guard let content = content.baseAddress, let bytes = bytes.baseAddress else { return false }
                    return memcmp(content, bytes, count) == 0
                }
            }
            guard isSame else { return false }
            offset += UInt64(count)
        }
    }
}
