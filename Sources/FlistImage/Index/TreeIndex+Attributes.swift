extension TreeIndex {
    /// What stat(2) says of an inode; nil for a number that is not in the tree.
    public func attributes(of number: InodeNumber) -> InodeAttributes? {
        guard let (number, record) = inode(number), let type = FileType(rawValue: record.type) else { return nil }
        let isDevice = type == .characterDevice || type == .blockDevice
        return InodeAttributes(
            number: number,
            type: type,
            permissions: record.permissions & 0o7777,
            uid: record.uid,
            gid: record.gid,
            nlink: record.nlink,
            size: record.size,
            sectors: record.sectors,
            major: isDevice ? UInt32(truncatingIfNeeded: record.content >> 32) : 0,
            minor: isDevice ? UInt32(truncatingIfNeeded: record.content) : 0,
            mtime: Timestamp(seconds: record.mtime, nanoseconds: record.mtimeNanoseconds),
            ctime: Timestamp(seconds: record.ctime, nanoseconds: record.ctimeNanoseconds),
            isWithoutBlocks: record.flags & InodeRecord.withoutBlocks != 0)
    }

    /// The type alone: what a directory listing needs.
    public func type(of number: InodeNumber) -> FileType? {
        record(number).flatMap { FileType(rawValue: $0.type) }
    }

    /// The inode's own number: another one for further names of a hard link.
    public func inodeNumber(of number: InodeNumber) -> InodeNumber? { inode(number)?.number }

    /// Lends the target of a symlink; nil for anything else.
    public func withLinkTarget<Result>(
        of number: InodeNumber, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result? {
        guard let (_, record) = inode(number), record.type == FileType.symlink.rawValue,
            let target = targetSection.bytes(at: record.content, count: record.size)
        else { return nil }
        return body(target)
    }

    /// The target of a symlink; nil for anything else.
    public func linkTarget(of number: InodeNumber) -> [UInt8]? {
        withLinkTarget(of: number) { [UInt8]($0) }
    }
}
