internal import BlockCodec
internal import Support

/// The blocks and xattrs of a builder, by the positions of its nodes.
struct TreeAttachments {
    /// The position in the builder's `blockRuns` plus 1; 0 for no blocks.
    private(set) var runs: [UInt32]
    /// The position in `sets` plus 1; 0 for no xattrs.
    private(set) var setNumbers: [UInt32] = []
    private(set) var sets: [XattrSetRecord] = []
    /// Records of all sets, each set's in the order of their names.
    private(set) var records: [UInt32] = []
    private(set) var xattrCount = 0
    private(set) var hasACLs = false

    init(_ builder: borrowing TreeIndexBuilder, _ order: TreeOrder) throws(FlistError) {
        runs = Array(repeating: 0, count: builder.nodes.count)
        try attachBlocks(builder, order)
        if !builder.xattrs.pairs.isEmpty { try attachXattrs(builder, order) }
    }

    private mutating func attachBlocks(
        _ builder: borrowing TreeIndexBuilder, _ order: TreeOrder
    ) throws(FlistError) {
        guard builder.blockRuns.count < UInt32.max else { throw FlistError(.invalid, "the flist has too many blocks") }
        for index in builder.blockRuns.indices {
            let id = builder.blockRuns[index].id
            guard let position = order.ids.find(id) else {
                throw FlistError(.invalid, "entry \(id): has blocks but does not exist")
            }
            guard builder.nodes[position].type == .regular else {
                throw builder.fault(at: position, order, "has blocks but is not a regular file")
            }
            guard runs[position] == 0 else {
                throw builder.fault(at: position, order, "its blocks do not come one after another")
            }
            runs[position] = UInt32(truncatingIfNeeded: index + 1)
        }
    }

    private mutating func attachXattrs(
        _ builder: borrowing TreeIndexBuilder, _ order: TreeOrder
    ) throws(FlistError) {
        // The position in the upper half, the record in the lower: sorting numbers groups them by inode.
        var pairs: [UInt64] = []
        pairs.reserveCapacity(builder.xattrs.pairs.count)
        for pair in builder.xattrs.pairs {
            guard let position = order.ids.find(pair.id) else {
                throw FlistError(.invalid, "entry \(pair.id): has xattrs but does not exist")
            }
            pairs.append(UInt64(position) << 32 | UInt64(pair.record))
        }
        pairs.sort()
        setNumbers = Array(repeating: 0, count: builder.nodes.count)
        // Most inodes have one xattr or none: their sets are found without hashing.
        var singles: [UInt32] = Array(repeating: 0, count: builder.xattrs.records.count)
        var known: [[UInt32]: UInt32] = [:]
        var start = 0
        while start < pairs.count {
            let position = Int(pairs[start] >> 32)
            var end = start + 1
            while end < pairs.count, Int(pairs[end] >> 32) == position { end += 1 }
            let number: UInt32
            if end - start == 1 {
                let record = UInt32(truncatingIfNeeded: pairs[start])
                if singles[Int(record)] == 0 { singles[Int(record)] = append([record]) }
                number = singles[Int(record)]
            } else {
                let set = try sorted(pairs[start..<end], at: position, builder, order)
                number = known[set] ?? append(set)
                known[set] = number
            }
            setNumbers[position] = number
            start = end
        }
        xattrCount = pairs.count
        hasACLs = builder.xattrs.records.indices.contains { record in
            builder.xattrs.name(UInt32(truncatingIfNeeded: record)).starts(with: "system.posix_acl_".utf8)
        }
    }

    private func sorted(
        _ pairs: ArraySlice<UInt64>, at position: Int, _ builder: borrowing TreeIndexBuilder, _ order: TreeOrder
    ) throws(FlistError) -> [UInt32] {
        let table = builder.xattrs
        let set = pairs.map { UInt32(truncatingIfNeeded: $0) }.sorted { a, b in
            table.name(a).lexicographicallyPrecedes(table.name(b))
        }
        var listLength = 0
        for (index, record) in set.enumerated() {
            let name = table.name(record)
            if index > 0, name.elementsEqual(table.name(set[index - 1])) {
                throw builder.fault(at: position, order, "has the xattr \"\(EscapedBytes.render(name))\" twice")
            }
            listLength += name.count + 1
        }
        // XATTR_LIST_MAX, include/uapi/linux/limits.h: listxattr(2) cannot give more.
        if listLength > 65_536 {
            throw builder.fault(at: position, order, "the names of its xattrs take more than 65536 bytes")
        }
        return set
    }

    private mutating func append(_ set: [UInt32]) -> UInt32 {
        sets.append(
            XattrSetRecord(
                first: UInt32(truncatingIfNeeded: records.count), count: UInt32(truncatingIfNeeded: set.count)))
        records.append(contentsOf: set)
        return UInt32(truncatingIfNeeded: sets.count)
    }
}
