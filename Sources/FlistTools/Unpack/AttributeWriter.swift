internal import CLinux
internal import FlistImage
internal import Glibc
internal import Support

/// Gives entries their owner, xattrs, permissions and times, in the order in which none of them undoes another.
struct AttributeWriter: Sendable {
    let index: TreeIndex
    let keepOwners: Bool

    /// Of an open file or folder.
    func apply(_ number: InodeNumber, _ attributes: InodeAttributes, to descriptor: Int32) throws(AttributeError) {
        try apply(
            number, attributes,
            owner: { fchown(descriptor, $0, $1) },
            xattr: { fsetxattr(descriptor, $0, $1, $2, 0) },
            mode: { fchmod(descriptor, $0) },
            times: { futimens(descriptor, $0) })
    }

    /// Of a symlink or special file, which cannot be opened.
    func apply(
        _ number: InodeNumber, _ attributes: InodeAttributes, to name: [UInt8], in folder: TargetFolder
    ) throws(AttributeError) {
        let directory = folder.descriptor.number
        let isSymlink = attributes.type == .symlink
        // The descriptor's name in /proc leads to the entry itself without a race: there is no lsetxattrat before
        // Linux 6.13, and fchmodat follows symlinks.
        let path = Array("/proc/self/fd/\(directory)/".utf8) + name
        let outcome = path.withCString { path -> Result<Void, AttributeError> in
            name.withCString { name -> Result<Void, AttributeError> in
                do throws(AttributeError) {
                    try apply(
                        number, attributes,
                        owner: { fchownat(directory, name, $0, $1, AT_SYMLINK_NOFOLLOW) },
                        xattr: { lsetxattr(path, $0, $1, $2, 0) },
                        mode: { isSymlink ? 0 : Self.change(mode: $0, of: name, in: directory) },
                        times: { utimensat(directory, name, $0, AT_SYMLINK_NOFOLLOW) })
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
        }
        try outcome.get()
    }

    private func apply(
        _ number: InodeNumber, _ attributes: InodeAttributes, owner: (uid_t, gid_t) -> Int32,
        xattr: (UnsafePointer<CChar>, UnsafeRawPointer?, Int) -> Int32, mode: (mode_t) -> Int32,
        times: (UnsafePointer<timespec>) -> Int32
    ) throws(AttributeError) {
        // Before the mode: a change of owner takes the setuid bit away, and file capabilities too.
        if keepOwners, owner(attributes.uid, attributes.gid) != 0 { throw AttributeError("its owner", .current) }
        for (name, value) in index.xattrs(of: number) {
            let failure = [UInt8](name).withCString { name -> Errno? in
                xattr(name, value.baseAddress, value.count) == 0 ? nil : .current
            }
            if let failure {
                throw AttributeError("its attribute \(PathText.escaped([UInt8](name)))", failure)
            }
        }
        // Who takes the owner's place must not lend his rights to those who run the file.
        let lent: UInt16 = keepOwners || attributes.type == .directory ? 0 : 0o6000
        if mode(mode_t(attributes.permissions & ~lent)) != 0 { throw AttributeError("its permissions", .current) }
        var values = [timespec(), timespec()]
        // UTIME_OMIT, for the time of the last access.
        values[0].tv_nsec = (1 << 30) - 2
        values[1].tv_sec = time_t(attributes.mtime.seconds)
        values[1].tv_nsec = Int(attributes.mtime.nanoseconds)
        if times(values) != 0 { throw AttributeError("its time", .current) }
    }

    /// By a descriptor that only names it: what bears the name now is changed, or nothing.
    private static func change(mode: mode_t, of name: UnsafePointer<CChar>, in directory: Int32) -> Int32 {
        // O_PATH, which Glibc shows to Swift only with _GNU_SOURCE.
        let descriptor = openat(directory, name, 0o10000000 | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return -1 }
        defer { close(descriptor) }
        return chmod("/proc/self/fd/\(descriptor)", mode)
    }
}

/// What of an entry could not be set, and why.
struct AttributeError: Error {
    let what: String
    let errno: Errno

    init(_ what: String, _ errno: Errno) {
        self.what = what
        self.errno = errno
    }
}
