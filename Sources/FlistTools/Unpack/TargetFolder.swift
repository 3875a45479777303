internal import CLinux
internal import FlistImage
internal import Glibc
internal import Support

/// A folder that is being unpacked into, held open: entries are made in it whatever is renamed or linked above.
/// Thread-safe.
final class TargetFolder: Sendable {
    let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    private var number: Int32 { descriptor.number }

    /// Opens a folder in it, never through a symlink.
    func open(_ name: [UInt8]) throws(Errno) -> TargetFolder {
        let number = number
        return TargetFolder(
            FileDescriptor(
                owning: try name.withCString { name throws(Errno) in
                    try systemCall { openat(number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
                }))
    }

    /// Makes a folder, or takes one that is there.
    func makeFolder(_ name: [UInt8], replacing: Bool) throws(Errno) -> TargetFolder {
        let number = number
        do throws(Errno) {
            try name.withCString { name throws(Errno) in _ = try systemCall { mkdirat(number, name, 0o700) } }
        } catch {
            guard error == .exists, replacing else { throw error }
            if let folder = try? open(name) { return folder }
            try remove(name)
            try name.withCString { name throws(Errno) in _ = try systemCall { mkdirat(number, name, 0o700) } }
        }
        return try open(name)
    }

    /// Makes an empty file, for its owner alone until it is complete.
    func makeFile(_ name: [UInt8], replacing: Bool) throws(Errno) -> FileDescriptor {
        let number = number
        return FileDescriptor(
            owning: try make(name, replacing: replacing) { name throws(Errno) in
                try systemCall { openat(number, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600) }
            })
    }

    func makeSymlink(_ name: [UInt8], to target: [UInt8], replacing: Bool) throws(Errno) {
        let number = number
        try make(name, replacing: replacing) { name throws(Errno) in
            try target.withCString { target throws(Errno) in _ = try systemCall { symlinkat(target, number, name) } }
        }
    }

    func makeSpecial(_ name: [UInt8], _ attributes: InodeAttributes, replacing: Bool) throws(Errno) {
        let number = number
        let device = gnu_dev_makedev(attributes.major, attributes.minor)
        let mode = attributes.type.modeBits | 0o600
        try make(name, replacing: replacing) { name throws(Errno) in
            _ = try systemCall { mknodat(number, name, mode, device) }
        }
    }

    /// Makes a further name of a file of another folder.
    func makeLink(_ name: [UInt8], to other: [UInt8], in folder: TargetFolder, replacing: Bool) throws(Errno) {
        let number = number
        let source = folder.number
        try make(name, replacing: replacing) { name throws(Errno) in
            try other.withCString { other throws(Errno) in _ = try systemCall { linkat(source, other, number, name, 0) }
            }
        }
    }

    private func make<Result>(
        _ name: [UInt8], replacing: Bool, _ body: (UnsafePointer<CChar>) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        do throws(Errno) {
            return try name.withCString(body)
        } catch {
            guard error == .exists, replacing else { throw error }
            try remove(name)
            return try name.withCString(body)
        }
    }

    /// Removes anything but a folder that is not empty.
    func remove(_ name: [UInt8]) throws(Errno) {
        let number = number
        try name.withCString { name throws(Errno) in
            if unlinkat(number, name, 0) == 0 { return }
            guard errno == EISDIR || errno == EPERM else { throw Errno.current }
            _ = try systemCall { unlinkat(number, name, AT_REMOVEDIR) }
        }
    }

    func isEmpty() throws(Errno) -> Bool {
        let copy = try descriptor.duplicate().release()
        guard let stream = fdopendir(copy) else {
            let error = Errno.current
            close(copy)
            throw error
        }
        defer { closedir(stream) }
        // "." and ".." and one more.
        for _ in 0..<3 where readdir(stream) == nil { return true }
        return false
    }
}
