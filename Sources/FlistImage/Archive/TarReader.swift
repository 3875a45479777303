internal import CArchive
internal import Glibc
public import Support

/// Reads a tar file member by member, whatever it is compressed with. Not thread-safe; blocks on the disk.
public final class TarReader {
    private let archive: TarArchive
    private let path: String
    /// Of the member that was answered last: the hole at its end, and how far it was read.
    private var holeAtEnd: Range<UInt64> = 0..<0
    private var position: UInt64 = 0

    /// Opens a tar file.
    /// - Throws: `FlistError` that names the path.
    public init(_ path: String) throws(FlistError) {
        self.path = path
        let file: FileDescriptor
        do throws(Errno) {
            file = try FileDescriptor(path, O_RDONLY)
        } catch {
            throw FlistError("cannot open \(path)", errno: error)
        }
        do throws(DatabaseError) {
            archive = try TarArchive(file, limit: .none)
        } catch {
            throw FlistError(.invalid, "\(path): \(error)")
        }
    }

    /// The next member; nil at the end of the file.
    public func next() throws(FlistError) -> TarEntry? {
        do throws(DatabaseError) {
            guard try archive.next(), let entry = archive.entry else { return nil }
            let member = try TarEntry(entry)
            // libarchive fills holes between data with zeros, but leaves out one at the end.
            holeAtEnd = member.dataRegions.map { ($0.last?.upperBound ?? 0)..<member.size } ?? 0..<0
            position = 0
            return member
        } catch {
            throw FlistError(.invalid, "\(path): \(error)")
        }
    }

    /// Reads the content of the member that `next` answered last, from where the last read ended.
    ///
    /// Holes read as zeros. Answers the number of bytes, less than the buffer takes only at the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(FlistError) -> Int {
        do throws(DatabaseError) {
            var done = 0
            while done < buffer.count {
                let count = try archive.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
                if count == 0 { break }
                done += count
                position += UInt64(count)
            }
            if done < buffer.count, holeAtEnd.contains(position) {
                let rest = min(buffer.count - done, Int(clamping: holeAtEnd.upperBound - position))
                UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + rest])
                    .initializeMemory(as: UInt8.self, repeating: 0)
                done += rest
                position += UInt64(rest)
            }
            return done
        } catch {
            throw FlistError(.invalid, "\(path): \(error)")
        }
    }
}

extension TarEntry {
    init(_ entry: OpaquePointer) throws(DatabaseError) {
        // A C string ends at the first NUL, so that names of pax headers with one inside arrive cut: libarchive has no
        // call that tells. What arrives holds none.
        guard let name = archive_entry_pathname(entry) else { throw DatabaseError("holds a member without a name") }
        var path = Self.bytes(name)
        let shown = String(decoding: path, as: UTF8.self)
        while path.count > 1, path.last == UInt8(ascii: "/") { path.removeLast() }
        self.path = path
        losses = []
        hardLinkTarget = archive_entry_hardlink(entry).map(Self.bytes)
        type = hardLinkTarget == nil ? FileType(mode: UInt32(archive_entry_filetype(entry))) : nil
        guard type != nil || hardLinkTarget != nil else { throw DatabaseError("\(shown) is of an unknown type") }
        permissions = UInt16(archive_entry_perm(entry) & 0o7777)
        guard let uid = UInt32(exactly: archive_entry_uid(entry)), let gid = UInt32(exactly: archive_entry_gid(entry))
        else { throw DatabaseError("\(shown) has an owner's number that is out of range") }
        self.uid = uid
        self.gid = gid
        let nanoseconds = UInt32(exactly: archive_entry_mtime_nsec(entry)) ?? 0
        mtime = Timestamp(
            seconds: Int64(archive_entry_mtime(entry)), nanoseconds: nanoseconds < 1_000_000_000 ? nanoseconds : 0)
        guard let size = UInt64(exactly: archive_entry_size(entry)) else {
            throw DatabaseError("\(shown) has a negative size")
        }
        self.size = type == .regular ? size : 0
        linkTarget = type == .symlink ? archive_entry_symlink(entry).map(Self.bytes) ?? [] : []
        let isDevice = type == .characterDevice || type == .blockDevice
        major = isDevice ? UInt32(truncatingIfNeeded: archive_entry_rdevmajor(entry)) : 0
        minor = isDevice ? UInt32(truncatingIfNeeded: archive_entry_rdevminor(entry)) : 0
        xattrs = Self.xattrs(entry)
        // libarchive 3.6 refuses sparse maps of what has no content; others may not.
        dataRegions = Self.dataRegions(entry, size: self.size)
        appendACLs(entry)
    }

    private static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
        [UInt8](UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }

    private static func xattrs(_ entry: OpaquePointer) -> [(name: [UInt8], value: [UInt8])] {
        var list: [(name: [UInt8], value: [UInt8])] = []
        archive_entry_xattr_reset(entry)
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var count = 0
        while archive_entry_xattr_next(entry, &name, &value, &count) == ARCHIVE_OK {
            guard let name else { continue }
            list.append((bytes(name), [UInt8](UnsafeRawBufferPointer(start: value, count: count))))
        }
        return list
    }

    private static func dataRegions(_ entry: OpaquePointer, size: UInt64) -> [Range<UInt64>]? {
        guard archive_entry_sparse_reset(entry) > 0 else { return nil }
        var regions: [Range<UInt64>] = []
        var offset: Int64 = 0
        var length: Int64 = 0
        while archive_entry_sparse_next(entry, &offset, &length) == ARCHIVE_OK {
            guard let start = UInt64(exactly: offset), let count = UInt64(exactly: length), start <= size,
                count <= size - start, start >= regions.last?.upperBound ?? 0
            else { return nil }
            if count > 0 { regions.append(start..<start + count) }
        }
        return regions
    }
}
