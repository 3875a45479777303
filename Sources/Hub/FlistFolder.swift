internal import BlockCodec
internal import Glibc
internal import Logging
internal import Support
internal import Synchronization

/// The folder of flists, each named by the MD5 of its bytes. Thread-safe; other processes may use it, too.
///
/// A file gets its name only once its bytes were hashed and are on disk, so a half-written one is never seen. What a
/// disk, or a person, did to it since is noticed by hashing it once in the life of a process, and again when its
/// stamp has changed: at some 600 MB/s that is below what the first building of its index takes. Later mounts do
/// not read it at all, since the index has a hash of its own.
final class FlistFolder: Sendable {
    let path: String
    private let intact = Mutex<[Digest: FileStamp]>([:])

    /// Makes the folder where it is missing, and clears up after ended processes.
    init(_ path: String) throws(FlistError) {
        var trimmed = path[...]
        while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
        self.path = String(trimmed)
        do throws(Errno) { try Folder.make(self.path, mode: 0o755, parents: true) } catch {
            throw FlistError("cannot make the folder for flists \(path)", errno: error)
        }
        TemporaryFile.removeAbandoned(in: self.path)
    }

    func path(of md5: Digest) -> String { "\(path)/\(md5)" }

    /// All that are here, as their names say.
    func all() -> [Digest] {
        Folder.names(in: path).compactMap { name in
            guard let md5 = Digest(hex: name), md5.count == 16, md5.description == name else { return nil }
            return md5
        }
    }

    /// Whether the flist is here and as it was stored. One that is not is removed.
    func has(_ md5: Digest, _ logger: Logger) -> Bool {
        let path = path(of: md5)
        guard let file = try? FileDescriptor(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
            let stamp = try? FileStamp(file), stamp.isRegular
        else { return false }
        if intact.withLock({ $0[md5] }) == stamp { return true }
        do throws(Errno) {
            guard try MD5.hash(of: file) == md5 else {
                logger.warning("\(path): its bytes have changed; it is removed and fetched again")
                unlink(path)
                return false
            }
        } catch {
            logger.warning("\(path): cannot be read, it is fetched again: \(error)")
            return false
        }
        intact.withLock { $0[md5] = stamp }
        return true
    }

    func makeTemporary() throws(HubTrouble) -> TemporaryFile {
        do throws(Errno) { return try TemporaryFile(in: path) } catch { throw trouble(error) }
    }

    /// Puts a file whose bytes have this MD5 under that name. Blocks until it is on disk.
    func store(_ file: borrowing TemporaryFile, as md5: Digest, _ logger: Logger) throws(HubTrouble) {
        // Not replaced: others may know the file by its inode.
        if has(md5, logger) { return }
        let (from, to, number) = (file.path, path(of: md5), file.descriptor.number)
        do throws(Errno) {
            _ = try systemCall { fsync(number) }
            _ = try systemCall { rename(from, to) }
            let stamp = try FileStamp(file.descriptor)
            intact.withLock { $0[md5] = stamp }
        } catch {
            throw trouble(error)
        }
    }

    /// Removes a flist; answers its bytes, nil when it was not there.
    func remove(_ md5: Digest) -> UInt64? {
        let path = path(of: md5)
        guard let stamp = try? FileStamp(path: path), unlink(path) == 0 else { return nil }
        intact.withLock { $0[md5] = nil }
        return stamp.size
    }

    private func trouble(_ errno: Errno) -> HubTrouble {
        HubTrouble("cannot write in \(path)", errno)
    }
}

extension MD5 {
    /// Of a whole file.
    static func hash(of file: borrowing FileDescriptor) throws(Errno) -> Digest {
        guard var hasher = MD5() else { throw .notSupported }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        var offset: UInt64 = 0
        while true {
            let count = try file.read(into: buffer, at: offset)
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += UInt64(count)
            if count < buffer.count { return hasher.finalize() }
        }
    }
}
