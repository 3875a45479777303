internal import BlockCodec
internal import Support

/// A builder's tree with all checks passed but those of single files: what is written into an index.
struct IndexTree {
    private let builder: TreeIndexBuilder
    private let order: TreeOrder
    private let attachments: TreeAttachments
    private let metadata: [UInt8]

    init(_ builder: TreeIndexBuilder) throws(FlistError) {
        try builder.checkInfo()
        let info = builder.info
        let metadata = IndexMetadata(
            tags: info.tags, routes: info.routes, routerYAML: info.routerYAML, backend: info.backend,
            profile: info.profile.isEmpty ? nil : ProfileText.encode(info.profile))
        guard let encoded = metadata.encoded() else {
            throw FlistError(.invalid, "the flist's tags, routes or router are larger than 4 GiB")
        }
        self.builder = builder
        self.metadata = encoded
        order = try TreeOrder(builder)
        attachments = try TreeAttachments(builder, order)
    }

    /// Writes the index and answers its file.
    func write(to file: consuming FileDescriptor, name: String, synced: Bool) throws(FlistError) -> FileDescriptor {
        var writer = IndexFileWriter(file, name: name)
        let summary = try writeInodes(&writer)
        try writer.endSection()
        try forEachName { name throws(FlistError) in try writer.append(NamePrefix.of(name)) }
        try writer.endSection()
        try forEachName { name throws(FlistError) in try writer.append(name) }
        try writer.endSection()
        try writer.append(builder.targets)
        try writer.endSection()
        try writer.append(builder.blockBytes)
        try writer.endSection()
        try writer.append(attachments.sets)
        try writer.endSection()
        for record in attachments.records { try writer.append(builder.xattrs.records[Int(record)]) }
        try writer.endSection()
        try writer.append(builder.xattrs.bytes)
        try writer.endSection()
        try writer.append(metadata)
        try writer.endSection()
        return try writer.finish(summary, synced: synced)
    }

    private func writeInodes(_ writer: inout IndexFileWriter) throws(FlistError) -> TreeSummary {
        let info = builder.info
        var summary = TreeSummary(
            flistHash: info.flistHash, kind: info.kind, codec: info.codec, blockSize: info.blockSize)
        var nameOffset: UInt64 = 0
        for position in order.order {
            let position = Int(position)
            var record = try record(position, &summary)
            let length = builder.nodes[position].nameLength
            record.name = nameOffset << 8 | UInt64(length)
            nameOffset += UInt64(length)
            try writer.append(record)
        }
        summary.entries = order.order.count
        summary.inodes = summary.entries - summary.hardLinkNames
        summary.blockReferences = builder.blockCount
        summary.xattrs = attachments.xattrCount
        summary.hasACLs = attachments.hasACLs
        return summary
    }

    /// Names in the order of their records: those of a directory lie next to one another.
    private func forEachName(_ body: (UnsafeRawBufferPointer) throws(FlistError) -> Void) throws(FlistError) {
        var failure: FlistError?
        builder.names.withUnsafeBytes { names in
            do throws(FlistError) {
                for position in order.order {
                    let node = builder.nodes[Int(position)]
                    let end = node.nameOffset + Int(node.nameLength)
                    try body(UnsafeRawBufferPointer(rebasing: names[node.nameOffset..<end]))
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// The record of a node but for its name, which `summary` counts.
    private func record(_ position: Int, _ summary: inout TreeSummary) throws(FlistError) -> InodeRecord {
        let inode = Int(order.inodes[position])
        let node = builder.nodes[inode]
        var record = InodeRecord()
        record.parent = order.numbers[Int(order.parents[position])]
        record.type = node.type.rawValue
        guard inode == position else {
            record.flags = InodeRecord.furtherName
            record.content = UInt64(order.numbers[inode])
            summary.hardLinkNames += 1
            return record
        }
        record.size = node.size
        record.mtime = node.mtime.seconds
        record.mtimeNanoseconds = node.mtime.nanoseconds
        record.ctime = node.ctime.seconds
        record.ctimeNanoseconds = node.ctime.nanoseconds
        record.uid = node.uid
        record.gid = node.gid
        record.nlink = order.links[position]
        record.permissions = node.permissions
        record.content = node.content
        if !attachments.setNumbers.isEmpty { record.xattrSet = attachments.setNumbers[position] }
        switch node.type {
        case .regular:
            try attach(&record, position, &summary)
        case .directory:
            summary.directories += 1
            record.content = UInt64(order.childCounts[position]) << 32 | UInt64(order.firstChildren[position])
        case .symlink:
            summary.symlinks += 1
        case .characterDevice, .blockDevice, .fifo, .socket:
            summary.specials += 1
        }
        if node.type == .directory { record.sectors = record.size.sectors }
        return record
    }

    /// Gives a regular file its blocks.
    private func attach(
        _ record: inout InodeRecord, _ position: Int, _ summary: inout TreeSummary
    ) throws(FlistError) {
        let blockSize = UInt64(builder.info.blockSize)
        let needed = record.size / blockSize + (record.size % blockSize == 0 ? 0 : 1)
        guard needed <= 1 << 32 else {
            throw builder.fault(at: position, order, "\(record.size) bytes would be more than 2^32 blocks")
        }
        let number = Int(attachments.runs[position])
        let found = number == 0 ? 0 : builder.blockRuns[number - 1].count
        var held = record.size
        if number == 0 {
            if record.size > 0 {
                record.flags |= InodeRecord.withoutBlocks
                summary.filesWithoutBlocks += 1
            }
        } else {
            guard UInt64(found) == needed else {
                throw builder.fault(
                    at: position, order, "has \(found) blocks, but \(record.size) bytes are \(needed)")
            }
            let run = builder.blockRuns[number - 1]
            record.content = UInt64(run.first)
            // At most 2^32 blocks of at most 64 MiB: cannot overflow.
            held = UInt64(found - run.holes) * blockSize
            if !run.endsWithHole { held -= needed * blockSize - record.size }
        }
        record.sectors = held.sectors
        summary.files += 1
        let (total, overflow) = summary.totalSize.addingReportingOverflow(record.size)
        guard !overflow, total <= UInt64(Int64.max) else {
            throw FlistError(.invalid, "the sizes of the flist's files add up to more than 2^63 - 1")
        }
        summary.totalSize = total
        if record.flags & InodeRecord.withoutBlocks == 0 { summary.storedPlainSize += held }
        summary.largestFile = max(summary.largestFile, record.size)
        if record.size >= TreeSummary.largeFileSize { summary.bytesInLargeFiles += record.size }
    }
}

extension UInt64 {
    /// 512-byte units that so many bytes take.
    fileprivate var sectors: UInt64 { self / 512 + (self % 512 == 0 ? 0 : 1) }
}
