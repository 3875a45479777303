internal import BlockStore
internal import Glibc
internal import Support

/// What an earlier fetch of an address brought.
struct KnownFlist: Sendable, Hashable {
    let md5: Digest
    /// By which the file at the address can be recognized: a validator of HTTP, or the stamp of a local file.
    let mark: String?
}

/// Which flist each address led to, for the time when its hub cannot be asked.
///
/// One small file for each, `by-url/<hash of the address>`: addresses may hold passwords. The time of its last
/// write is that of the last fetch. A file that is old, broken or gone does no harm: it only names a flist, which is
/// checked, and a mark, which the hub compares. So none is synced. Thread-safe; blocks on the disk.
struct AddressBook: Sendable {
    private let folder: String

    private static let header = "flist address 1"
    private static let maximumLength = 1024

    init(in parent: String) throws(FlistError) {
        folder = "\(parent)/by-url"
        do throws(Errno) { try Folder.make(folder, mode: 0o700, parents: false) } catch {
            throw FlistError("cannot make the folder \(folder)", errno: error)
        }
        TemporaryFile.removeAbandoned(in: folder)
    }

    func recall(_ key: Digest) -> KnownFlist? { read("\(folder)/\(key)") }

    private func read(_ path: String) -> KnownFlist? {
        guard let file = try? FileDescriptor(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { return nil }
        var bytes = [UInt8](repeating: 0, count: Self.maximumLength)
        guard let count = bytes.withUnsafeMutableBytes({ try? file.read(into: $0, at: 0) }),
            count < Self.maximumLength, let text = String(validating: bytes[..<count], as: UTF8.self)
        else { return nil }
        // The last line is empty: what a crash cut short has no end.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4, lines[0] == Self.header, lines[3].isEmpty,
            let md5 = Digest(hex: String(lines[1])), md5.count == 16
        else { return nil }
        return KnownFlist(md5: md5, mark: lines[2].isEmpty ? nil : String(lines[2]))
    }

    /// Notes that an address was fetched just now. Does nothing where it cannot: it is only a help.
    func note(_ flist: KnownFlist, _ key: Digest) {
        let path = "\(folder)/\(key)"
        if recall(key) == flist, utimensat(AT_FDCWD, path, nil, 0) == 0 { return }
        guard let temporary = try? TemporaryFile(in: folder) else { return }
        let text = Array("\(Self.header)\n\(flist.md5)\n\(flist.mark ?? "")\n".utf8)
        guard text.withUnsafeBytes({ try? temporary.descriptor.write($0, at: 0) }) != nil else { return }
        rename(temporary.path, path)
    }

    /// For each flist that an address led to, when it was fetched last: seconds of 1970.
    func lastUses() -> [Digest: Int64] {
        var times: [Digest: Int64] = [:]
        for name in Folder.names(in: folder) {
            let path = "\(folder)/\(name)"
            guard let known = read(path), let stamp = try? FileStamp(path: path) else { continue }
            times[known.md5] = max(times[known.md5] ?? .min, stamp.written)
        }
        return times
    }

    /// Removes what leads to a flist that is not there.
    func removeEntries(unless isThere: (Digest) -> Bool) {
        for name in Folder.names(in: folder) where !name.hasPrefix(TemporaryFile.prefix) {
            let path = "\(folder)/\(name)"
            if let known = read(path), isThere(known.md5) { continue }
            unlink(path)
        }
    }
}
