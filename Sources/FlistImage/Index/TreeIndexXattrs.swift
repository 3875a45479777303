/// The extended attributes of one inode, sorted by name; it keeps the index alive, and with it the bytes.
public struct TreeIndexXattrs: RandomAccessCollection, Sendable {
    /// Name and value; valid as long as the index.
    public typealias Element = (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)

    public let startIndex = 0
    public let endIndex: Int
    private let index: TreeIndex
    private let first: Int

    init(index: TreeIndex, number: InodeNumber) {
        self.index = index
        guard let (_, inode) = index.inode(number), inode.xattrSet > 0,
            let set = index.xattrSetSection.record(Int(inode.xattrSet) - 1, as: XattrSetRecord.self),
            Int(set.first) + Int(set.count) <= index.xattrSection.count / MemoryLayout<XattrRecord>.stride
        else {
            first = 0
            endIndex = 0
            return
        }
        first = Int(set.first)
        endIndex = Int(set.count)
    }

    /// Both are empty for a position out of bounds.
    public subscript(position: Int) -> Element {
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        guard position >= 0, position < endIndex,
            let record = index.xattrSection.record(first + position, as: XattrRecord.self)
        else { return (empty, empty) }
        let bytes = index.xattrByteSection
        return (
            bytes.bytes(at: record.nameOffset, count: UInt64(record.nameLength)) ?? empty,
            bytes.bytes(at: record.valueOffset, count: UInt64(record.valueLength)) ?? empty
        )
    }
}

extension TreeIndex {
    /// The extended attributes of an inode, sorted by name; empty for a number that is not in the tree.
    public func xattrs(of number: InodeNumber) -> TreeIndexXattrs { TreeIndexXattrs(index: self, number: number) }

    /// The value of an extended attribute, valid as long as the index; nil when the inode has none of this name.
    public func xattr(_ name: UnsafeRawBufferPointer, of number: InodeNumber) -> UnsafeRawBufferPointer? {
        let all = xattrs(of: number)
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            let (other, value) = all[middle]
            let order = orderBytes(other, name)
            if order == 0 { return value }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// The value of an extended attribute, copied.
    public func xattr(_ name: [UInt8], of number: InodeNumber) -> [UInt8]? {
        name.withUnsafeBytes { xattr($0, of: number).map { [UInt8]($0) } }
    }
}
