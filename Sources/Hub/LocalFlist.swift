internal import BlockStore
internal import CLinux
internal import Glibc
internal import Support

/// A flist that is a file of this machine. Its bytes are copied: it may change while it is mounted.
struct LocalFlist {
    let path: String
    let limit: UInt64

    /// Opens a regular file.
    static func openFile(_ path: String) throws(Errno) -> FileDescriptor {
        // Opening a fifo would wait for a writer without O_NONBLOCK.
        let file = try FileDescriptor(path, O_RDONLY | O_NONBLOCK)
        guard try FileStamp(file).isRegular else { throw .invalid }
        return file
    }

    /// By which an unchanged file is recognized; nil while it is so fresh that a change might not show.
    func mark() throws(HubTrouble) -> String? {
        do throws(Errno) {
            let stamp = try FileStamp(try Self.openFile(path))
            return stamp.isSettled ? stamp.text : nil
        } catch {
            throw trouble(error)
        }
    }

    /// Copies the bytes into an empty file, sharing them where the file system can (btrfs, XFS).
    func copy(to target: borrowing FileDescriptor) throws(HubTrouble) {
        do throws(Errno) {
            let file = try Self.openFile(path)
            let stamp = try FileStamp(file)
            guard stamp.size <= limit else { throw Errno(rawValue: EFBIG) }
            guard stamp.size > 0 else { throw .noData }
            try Self.copy(file, to: target, stamp.size)
            guard try FileStamp(file) == stamp, try FileStamp(target).size == stamp.size else { throw .busy }
        } catch {
            throw trouble(error)
        }
    }

    private static func copy(
        _ file: borrowing FileDescriptor, to target: borrowing FileDescriptor, _ size: UInt64
    ) throws(Errno) {
        let (from, to) = (file.number, target.number)
        var done: UInt64 = 0
        while done < size {
            let length = Int(clamping: min(size - done, 1 << 30))
            do throws(Errno) {
                let count = try systemCall { linux_copy_file_range(from, to, length) }
                // The file was cut short, or its file system does not copy.
                guard count > 0 else { break }
                done += UInt64(count)
            } catch  where [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EPERM, EIO].contains(error.rawValue) {
                break
            }
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        while done < size {
            let count = try file.read(into: buffer, at: done)
            guard count > 0 else { return }
            try target.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: done)
            done += UInt64(count)
        }
    }

    private func trouble(_ errno: Errno) -> HubTrouble {
        switch errno {
        case .busy: HubTrouble(.local, .busy, "it changed while it was read; try again when it is complete")
        case .noData: HubTrouble(.answer, .invalid, "it is empty")
        case .invalid, .isDirectory: HubTrouble(.local, .invalid, "it is not a regular file")
        case .noEntry, .notDirectory, .accessDenied: HubTrouble("cannot read it", errno)
        case _ where errno.rawValue == EFBIG: HubTrouble(HTTPFailure.tooLarge, limit: limit)
        default: HubTrouble("cannot copy it", errno)
        }
    }
}
