import Glibc
import Support
import Testing

/// A file that is written until it may grow no more, with content that tells each place from every other.
struct FillingFile {
    let path: String
    /// Bytes that were written without an error.
    private(set) var length: UInt64 = 0

    init(_ path: String) { self.path = path }

    private static func piece(at offset: UInt64, _ count: Int) -> [UInt8] {
        var state = offset &+ 0x9e37_79b9_7f4a_7c15
        return (0..<count / 8).flatMap { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return withUnsafeBytes(of: state) { Array($0) }
        }
    }

    /// Appends pieces of 64 KiB, at most up to `end`; answers the error that ended it.
    mutating func fill(upTo end: UInt64) throws -> Errno? {
        let file = try FileDescriptor(path, O_WRONLY | O_CREAT, mode: 0o644)
        let number = file.number
        while length < end {
            let piece = Self.piece(at: length, 65536)
            let count = pwrite(number, piece, piece.count, Int(length))
            if count < 0 { return .current }
            length += UInt64(count)
            // The next piece starts where this one ended only if it was whole.
            if count < piece.count { return nil }
        }
        return fsync(number) == 0 ? nil : .current
    }

    /// Whether the file holds exactly what was written.
    func isWhole() throws -> Bool {
        let file = try FileDescriptor(path, O_RDONLY)
        var buffer = [UInt8](repeating: 0, count: 65536)
        var offset: UInt64 = 0
        while true {
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
            if count == 0 { return offset == length }
            guard buffer[..<count].elementsEqual(Self.piece(at: offset, 65536)[..<count]) else { return false }
            offset += UInt64(count)
        }
    }
}
