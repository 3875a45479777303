internal import CLinux
internal import Glibc
internal import Support

/// Makes trees of files with all that a root filesystem may hold, the same from the same seed. Needs root.
public struct RandomTree {
    private var state: UInt64
    private let folder: String
    private let blockSize: Int
    private var files: [[UInt8]] = []
    private var contents: [[UInt8]] = []

    /// Fills an empty folder with about `count` entries.
    public static func make(in folder: String, seed: UInt64, count: Int, blockSize: Int = 512 << 10) throws {
        var tree = RandomTree(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1, folder: folder, blockSize: blockSize)
        try tree.fill(count)
    }

    private init(state: UInt64, folder: String, blockSize: Int) {
        self.state = state
        self.folder = folder
        self.blockSize = blockSize
    }

    /// xorshift64*: good enough, and the same everywhere.
    private mutating func random(_ limit: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    private mutating func fill(_ count: Int) throws {
        var folders: [[UInt8]] = [[]]
        var all: [[UInt8]] = []
        for number in 0..<count {
            let parent = folders[random(folders.count)]
            var path = parent
            path.append(UInt8(ascii: "/"))
            path.append(contentsOf: name(number))
            let full = self.full(path)
            switch random(20) {
            case 0...3:
                _ = try systemCall { mkdir(Self.text(full), 0o755) }
                folders.append(path)
            case 4...5: _ = try systemCall { symlink(target(), Self.text(full)) }
            case 6:
                guard !files.isEmpty else { continue }
                let other = self.full(files[random(files.count)])
                _ = try systemCall { link(Self.text(other), Self.text(full)) }
                continue
            case 7: try special(full)
            default:
                try file(full)
                files.append(path)
            }
            all.append(path)
        }
        // Folders last, since what is made in them changes their times.
        for path in all.reversed() { try dress(full(path)) }
        try dress(full([]))
    }

    private func full(_ path: [UInt8]) -> [UInt8] {
        var full = [UInt8](folder.utf8)
        full.append(contentsOf: path)
        return full
    }

    /// Unique by the number; odd bytes, long names and names that are not UTF-8 among them.
    private mutating func name(_ number: Int) -> [UInt8] {
        var name = [UInt8]("n\(number)".utf8)
        switch random(8) {
        case 0: name.append(contentsOf: [0xff, 0xfe, 0x80] as [UInt8])
        case 1: name.append(contentsOf: "\n\t \"'\\$*?\u{1b}".utf8)
        case 2: name.append(contentsOf: [UInt8](repeating: UInt8(ascii: "x"), count: 255 - name.count))
        case 3: name.append(contentsOf: "äöü€🙂".utf8)
        case 4: name.insert(UInt8(ascii: "."), at: 0)
        case 5: name.insert(UInt8(ascii: "-"), at: 0)
        default: break
        }
        return name
    }

    private mutating func target() -> [CChar] {
        let choices = ["/etc/passwd", "../..", ".", "n1", String(repeating: "long/", count: 200), "\u{7f}ä"]
        return Self.text([UInt8](choices[random(choices.count)].utf8))
    }

    private mutating func special(_ path: [UInt8]) throws {
        let modes: [mode_t] = [0o010000, 0o140000, 0o020000, 0o060000]
        let mode = modes[random(modes.count)]
        let device = gnu_dev_makedev(UInt32(random(4095)), UInt32(random(1 << 20)))
        _ = try systemCall { mknod(Self.text(path), mode | 0o600, device) }
    }

    private mutating func file(_ path: [UInt8]) throws {
        let number = try systemCall { open(Self.text(path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
        let file = FileDescriptor(owning: number)
        let sizes = [0, 1, blockSize - 1, blockSize, blockSize + 1, 3 * blockSize + 7, 100, 4096, 10_000]
        switch random(12) {
        case 0:
            // Data, a hole of some blocks, data, and a hole at the end.
            _ = try systemCall { ftruncate(number, off_t(7 * blockSize + 11)) }
            try write(bytes(4096), to: file, at: 0)
            try write(bytes(4096), to: file, at: UInt64(4 * blockSize))
        case 1:
            _ = try systemCall { ftruncate(number, off_t(2 * blockSize)) }
        case 2 where !contents.isEmpty:
            try write(contents[random(contents.count)], to: file, at: 0)
        default:
            let content = bytes(sizes[random(sizes.count)])
            contents.append(content)
            try write(content, to: file, at: 0)
        }
    }

    private func write(_ bytes: [UInt8], to file: borrowing FileDescriptor, at offset: UInt64) throws {
        let number = file.number
        var done = 0
        while done < bytes.count {
            done += try systemCall {
                bytes.withUnsafeBytes { bytes -> Int in
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                    return pwrite(number, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
                }
            }
        }
    }

    /// Compressible to some degree.
    private mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let value = UInt8(truncatingIfNeeded: random(256))
            for _ in 0..<min(1 + random(16), count - bytes.count) { bytes.append(value) }
        }
        return bytes
    }

    /// Owner, permissions, xattrs and time.
    private mutating func dress(_ path: [UInt8]) throws {
        let text = Self.text(path)
        var status = stat()
        _ = try systemCall { lstat(text, &status) }
        let type = status.st_mode & S_IFMT
        _ = try systemCall { lchown(text, uid_t(random(70_000)), gid_t(random(70_000))) }
        if type == S_IFREG || type == S_IFDIR, random(3) == 0 {
            for number in 0...random(3) {
                let value = bytes(random(200))
                _ = try systemCall { lsetxattr(text, "user.test\(number)", value, value.count, 0) }
            }
        }
        if type == S_IFREG, random(6) == 0 {
            // cap_net_raw+ep, linux/capability.h, revision 2.
            let value: [UInt8] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            _ = try systemCall { lsetxattr(text, "security.capability", value, value.count, 0) }
        }
        if type != S_IFLNK { _ = try systemCall { chmod(text, mode_t(random(0o10000))) } }
        let seconds = [0, -1, 1_700_000_000, 2_147_483_648, 5_000_000_000, 1]
        var times = [timespec(), timespec()]
        times[1].tv_sec = time_t(seconds[random(seconds.count)])
        times[1].tv_nsec = random(1_000_000_000)
        _ = try systemCall { utimensat(AT_FDCWD, text, times, AT_SYMLINK_NOFOLLOW) }
    }

    private static func text(_ path: [UInt8]) -> [CChar] {
        var text: [CChar] = path.map { CChar(bitPattern: $0) }
        text.append(0)
        return text
    }
}
