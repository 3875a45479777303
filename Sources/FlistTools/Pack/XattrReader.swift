internal import CLinux
internal import Glibc
internal import Support

/// Reads all extended attributes that the caller may see: POSIX access control lists and file capabilities among them.
enum XattrReader {
    typealias Xattr = (name: [UInt8], value: [UInt8])

    /// The kernel's limit for one value and for all names of a file, xattr(7).
    private static let limit = 65536

    /// Of an open file or directory.
    static func of(_ descriptor: Int32) throws(Errno) -> [Xattr] {
        try read(
            list: { flistxattr(descriptor, $0, $1) },
            get: { fgetxattr(descriptor, $0, $1, $2) })
    }

    /// Of an entry that cannot be opened, such as a symlink or a device.
    static func of(_ name: [UInt8], in directory: Int32) throws(Errno) -> [Xattr] {
        // There is no llistxattrat before Linux 6.13; the descriptor's name in /proc does the same.
        let path = Array("/proc/self/fd/\(directory)/".utf8) + name
        let outcome = path.withCString { path -> Result<[Xattr], Errno> in
            do throws(Errno) {
                return .success(
                    try read(list: { llistxattr(path, $0, $1) }, get: { lgetxattr(path, $0, $1, $2) }))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private static func read(
        list: (UnsafeMutablePointer<CChar>?, Int) -> Int,
        get: (UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
    ) throws(Errno) -> [Xattr] {
        let size: Int
        do throws(Errno) {
            size = try systemCall { list(nil, 0) }
        } catch {
            // File systems without xattrs.
            if error == .notSupported || error == .notImplemented { return [] }
            throw error
        }
        guard size > 0 else { return [] }
        var names = [CChar](repeating: 0, count: limit)
        let length = try systemCall { list(&names, names.count) }
        var xattrs: [Xattr] = []
        for name in names.prefix(length).split(separator: 0) {
            let text = Array(name) + [0]
            var value = [UInt8](repeating: 0, count: limit)
            do throws(Errno) {
                let count = try systemCall { get(text, &value, value.count) }
                xattrs.append((name.map { UInt8(bitPattern: $0) }, [UInt8](value.prefix(count))))
            } catch {
                // Removed since it was listed.
                if error != .noData { throw error }
            }
        }
        return xattrs.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }
}
