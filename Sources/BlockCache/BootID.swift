internal import CLinux
internal import Glibc
internal import Support

/// Which run of the machine this is. What was written in it is in the page cache at least, and so can be trusted.
struct BootID: Hashable, Sendable {
    /// 16 bytes.
    let bytes: [UInt8]

    init?(_ bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    private init(random: Void) {
        var generator = SystemRandomNumberGenerator()
        bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// Never any boot's.
    static let none = BootID(zeros: ())

    private init(zeros: Void) { bytes = Array(repeating: 0, count: 16) }

    /// The kernel's (random(4), `/proc/sys/kernel/random/boot_id`). One of its own where that cannot be read: then
    /// nothing that was there before is trusted.
    static var current: BootID {
        let text = smallFile("/proc/sys/kernel/random/boot_id") ?? []
        let digits = String(decoding: text, as: UTF8.self).filter { $0.isHexDigit }
        return Hex.decode(digits).flatMap { BootID($0) } ?? BootID(random: ())
    }
}

/// At most 4 KiB of a file; nil if it cannot be read. Blocks.
func smallFile(_ path: String) -> [UInt8]? {
    guard let descriptor = try? FileDescriptor(path, O_RDONLY | O_NOFOLLOW) else { return nil }
    return [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
        count = (try? descriptor.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)) ?? 0
    }
}
