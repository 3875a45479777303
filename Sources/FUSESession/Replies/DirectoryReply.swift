internal import CFUSE
public import Support

/// The answer to a directory read: entries are appended until it is full, then it is sent.
///
/// The entries are written into the worker's memory: unlike the other replies it must be answered during the file
/// system's method. Dropped, it answers EIO. Appending does not allocate.
public struct DirectoryReply: ~Copyable {
    /// Whether the kernel wants attributes with the names, to save the lookups.
    public let isPlus: Bool
    let token: RequestToken
    private let buffer: UnsafeMutableRawBufferPointer
    private var used = 0

    init(plus: Bool, token: consuming RequestToken, buffer: UnsafeMutableRawBufferPointer) {
        isPlus = plus
        self.token = token
        self.buffer = buffer
    }

    /// Appends an entry that the kernel learns as if it had looked it up; false when it does not fit any more.
    ///
    /// `nextOffset` is where a later read goes on after this entry: any value but 0.
    public mutating func append(
        name: UnsafeRawBufferPointer, node: NodeID, attributes: FileAttributes, nextOffset: UInt64
    ) -> Bool {
        guard isPlus else {
            return append(name: name, inode: attributes.inode, mode: attributes.mode, nextOffset: nextOffset)
        }
        let entry = fuse_entry_out(node: node, attributes: attributes)
        return write(entry, name: name, inode: attributes.inode, mode: attributes.mode, nextOffset: nextOffset)
    }

    /// Appends only name, inode number and type; false when it does not fit any more.
    ///
    /// Right for `.` and `..` always, and for anything when `isPlus` is false.
    public mutating func append(
        name: UnsafeRawBufferPointer, inode: UInt64, mode: UInt32, nextOffset: UInt64
    ) -> Bool {
        // Node 0 means: not looked up.
        write(isPlus ? fuse_entry_out() : nil, name: name, inode: inode, mode: mode, nextOffset: nextOffset)
    }

    /// Answers with what was appended; with nothing appended the directory has ended.
    public consuming func send() {
        token.send(UnsafeRawBufferPointer(buffer.prefix(used).rebased))
    }

    public consuming func fail(_ error: Errno) { token.fail(error) }

    /// Writes a `fuse_direntplus` or `fuse_dirent`, padded to eight bytes.
    private mutating func write(
        _ entry: fuse_entry_out?, name: UnsafeRawBufferPointer, inode: UInt64, mode: UInt32, nextOffset: UInt64
    ) -> Bool {
        // The kernel refuses the whole answer over one name like these: better to leave the entry out.
        guard !name.isEmpty, name.count <= 1024, !name.contains(UInt8(ascii: "/")) else { return true }
        let entrySize = entry == nil ? 0 : MemoryLayout<fuse_entry_out>.size
        let headerSize = MemoryLayout<fuse_dirent>.size
        let length = entrySize + headerSize + name.count
        let padded = (length + 7) & ~7
        guard padded <= buffer.count - used else { return false }
        let record = buffer[used..<used + padded].rebased
        if let entry { record.storeBytes(of: entry, as: fuse_entry_out.self) }
        var header = fuse_dirent()
        header.ino = inode
        header.off = nextOffset
        header.namelen = UInt32(name.count)
        header.type = (mode & 0o170000) >> 12
        record.storeBytes(of: header, toByteOffset: entrySize, as: fuse_dirent.self)
        record[(entrySize + headerSize)...].rebased.copyMemory(from: name)
        for index in length..<padded { record[index] = 0 }
        used += padded
        return true
    }
}
