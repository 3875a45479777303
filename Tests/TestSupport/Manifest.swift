internal import CLinux
internal import Glibc
internal import Support

/// All that can be seen of a tree of files: two trees are equal when their manifests are.
public struct Manifest: Equatable, Sendable {
    /// One name.
    public struct Entry: Equatable, Sendable, CustomStringConvertible {
        /// Type and the 12 permission bits, as `st_mode`.
        public var mode: UInt32
        public var uid: UInt32
        public var gid: UInt32
        /// Bytes of files, else 0.
        public var size: UInt64
        public var mtime: [Int64]
        public var device: UInt64
        public var links: UInt64
        public var target: [UInt8]
        public var xattrs: [String: [UInt8]]
        /// Of the content.
        public var hash: String
        /// The first path, by bytes, of those with the same inode.
        public var firstName: [UInt8]

        public var description: String {
            let facts: [String] = [
                String(mode, radix: 8), "\(uid):\(gid)", "\(size)", "\(mtime)", "\(device)", "x\(links)",
                String(decoding: target, as: UTF8.self), "\(xattrs)", String(hash.prefix(8)),
                String(decoding: firstName, as: UTF8.self),
            ]
            return facts.joined(separator: " ")
        }
    }

    /// What the rfs format cannot hold.
    public enum Detail: Sendable {
        case all, rfs
    }

    /// By path from the top, which is empty.
    public var entries: [[UInt8]: Entry] = [:]

    /// Reads a tree through the system.
    public init(of folder: String, _ detail: Detail = .all) throws {
        var inodes: [[UInt64]: [UInt8]] = [:]
        var pending: [[UInt8]] = [[]]
        var paths: [[UInt8]] = []
        while let path = pending.popLast() {
            paths.append(path)
            for name in try Self.names(folder, path) {
                var child = path
                if !path.isEmpty { child.append(UInt8(ascii: "/")) }
                child.append(contentsOf: name)
                pending.append(child)
            }
        }
        for path in paths.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            var status = stat()
            let full = Self.full(folder, path)
            guard lstat(full, &status) == 0 else { throw Errno.current }
            let inode = [UInt64(status.st_dev), UInt64(status.st_ino)]
            let first = inodes[inode] ?? path
            inodes[inode] = first
            let type = status.st_mode & S_IFMT
            entries[path] = Entry(
                mode: status.st_mode, uid: status.st_uid, gid: status.st_gid,
                size: type == S_IFREG ? UInt64(status.st_size) : 0,
                mtime: [Int64(status.st_mtim.tv_sec), detail == .all ? Int64(status.st_mtim.tv_nsec) : 0],
                device: type == S_IFCHR || type == S_IFBLK ? UInt64(status.st_rdev) : 0,
                links: detail == .all && type != S_IFDIR ? UInt64(status.st_nlink) : 1,
                target: type == S_IFLNK ? try Self.target(full) : [],
                xattrs: detail == .all ? try Self.xattrs(full) : [:],
                hash: type == S_IFREG ? try Self.hash(full, UInt64(status.st_size)) : "",
                firstName: detail == .all ? first : path)
        }
    }

    /// What differs from another tree, a line each; empty when nothing does.
    public func differences(from other: Manifest) -> [String] {
        let paths: [[UInt8]] = Set(entries.keys).union(other.entries.keys).sorted { $0.lexicographicallyPrecedes($1) }
        return paths.compactMap { (path: [UInt8]) -> String? in
            guard entries[path] != other.entries[path] else { return nil }
            let here = entries[path]?.description ?? "missing"
            let there = other.entries[path]?.description ?? "missing"
            return "/\(String(decoding: path, as: UTF8.self)): \(here), expected \(there)"
        }
    }

    private static func full(_ folder: String, _ path: [UInt8]) -> [CChar] {
        var full = [UInt8](folder.utf8)
        full.append(UInt8(ascii: "/"))
        full.append(contentsOf: path)
        full.append(0)
        return full.map { CChar(bitPattern: $0) }
    }

    private static func names(_ folder: String, _ path: [UInt8]) throws -> [[UInt8]] {
        var status = stat()
        let full = full(folder, path)
        guard lstat(full, &status) == 0 else { throw Errno.current }
        guard status.st_mode & S_IFMT == S_IFDIR else { return [] }
        guard let stream = opendir(full) else { throw Errno.current }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { [UInt8]($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
        }
        return names
    }

    private static func target(_ path: [CChar]) throws -> [UInt8] {
        var target = [CChar](repeating: 0, count: 4096)
        let count = try systemCall { readlink(path, &target, target.count) }
        return target.prefix(count).map { UInt8(bitPattern: $0) }
    }

    private static func xattrs(_ path: [CChar]) throws -> [String: [UInt8]] {
        var names = [CChar](repeating: 0, count: 65536)
        let count = llistxattr(path, &names, names.count)
        if count < 0 {
            if errno == EOPNOTSUPP { return [:] }
            throw Errno.current
        }
        var xattrs: [String: [UInt8]] = [:]
        for name in names.prefix(count).split(separator: 0) {
            var value = [UInt8](repeating: 0, count: 65536)
            let name: [CChar] = Array(name) + [CChar(0)]
            let length = try systemCall { lgetxattr(path, name, &value, value.count) }
            xattrs[Self.string(name)] = [UInt8](value.prefix(length))
        }
        return xattrs
    }

    private static func string(_ text: [CChar]) -> String {
        let bytes: [UInt8] = text.dropLast().map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func hash(_ path: [CChar], _ size: UInt64) throws -> String {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw Errno.current }
        let file = FileDescriptor(owning: number)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var hash = BLAKE2b(.bytes32)
        var offset: UInt64 = 0
        while true {
            let count = try file.read(into: buffer, at: offset)
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += UInt64(count)
            if count < buffer.count { break }
        }
        return hash.finalize().description
    }
}
