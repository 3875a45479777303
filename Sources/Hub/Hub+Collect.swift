internal import Support

extension Hub {
    /// Removes flists that no fetch has answered for that long, by the wall clock; blocks on the disk.
    ///
    /// - Parameter keeping: whether the flist of this MD5 (lower case) is still in use; asked for each old one.
    /// - Returns: how many were removed, and the bytes of their files.
    public func collect(olderThan age: Duration, keeping: (String) -> Bool) -> (removed: Int, bytes: UInt64) {
        TemporaryFile.removeAbandoned(in: folder.path)
        let latest = WallClock.now - age.components.seconds
        let uses = book.lastUses()
        var (removed, bytes): (Int, UInt64) = (0, 0)
        for md5 in folder.all() where isUnused(md5, uses, since: latest) && !keeping(md5.description) {
            let size = holds.remove(md5) { () -> UInt64? in
                // A fetch may have ended since the times were read.
                guard isUnused(md5, book.lastUses(), since: latest) else { return nil }
                return folder.remove(md5)
            }
            guard let size else { continue }
            removed += 1
            bytes += size
        }
        book.removeEntries { (try? FileStamp(path: folder.path(of: $0))) != nil }
        return (removed, bytes)
    }

    private func isUnused(_ md5: Digest, _ uses: [Digest: Int64], since latest: Int64) -> Bool {
        guard let stamp = try? FileStamp(path: folder.path(of: md5)) else { return false }
        return max(stamp.written, uses[md5] ?? .min) <= latest
    }
}
