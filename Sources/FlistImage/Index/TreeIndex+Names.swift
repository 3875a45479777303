extension TreeIndex {
    /// The numbers of a directory's entries, sorted by name bytes; nil for what is not a directory.
    public func children(of number: InodeNumber) -> Range<InodeNumber>? {
        guard let record = record(number), record.type == FileType.directory.rawValue else { return nil }
        return children(of: record)
    }

    @inline(__always)
    private func children(of record: InodeRecord) -> Range<InodeNumber>? {
        let first = UInt64(UInt32(truncatingIfNeeded: record.content))
        let end = first + record.content >> 32
        guard first >= 1, end <= UInt64(inodeSection.count / MemoryLayout<InodeRecord>.stride) + 1,
            let last = InodeNumber(exactly: end)
        else { return nil }
        return InodeNumber(truncatingIfNeeded: first)..<last
    }

    /// The entry of a directory that has this name: the number of its record. `attributes(of:)` of that gives the
    /// inode's own number, which differs for further names of a hard link.
    public func lookup(_ name: UnsafeRawBufferPointer, in directory: InodeNumber) -> InodeNumber? {
        guard let range = children(of: directory) else { return nil }
        let wanted = NamePrefix.of(name)
        var low = range.lowerBound
        var high = range.upperBound
        while low < high {
            let middle = low + (high - low) / 2
            guard let prefix = prefixSection.record(Int(middle) - 1, as: UInt64.self) else { return nil }
            let isBefore: Bool
            if prefix != wanted {
                isBefore = prefix < wanted
            } else {
                guard let record = record(middle), let other = nameBytes(of: record) else { return nil }
                let order = orderBytes(other, name)
                if order == 0 { return middle }
                isBefore = order < 0
            }
            if isBefore { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// The entry of a directory that has this name.
    public func lookup(_ name: [UInt8], in directory: InodeNumber) -> InodeNumber? {
        name.withUnsafeBytes { lookup($0, in: directory) }
    }

    @inline(__always)
    func nameBytes(of record: InodeRecord) -> UnsafeRawBufferPointer? {
        nameSection.bytes(at: record.name >> 8, count: record.name & 0xff)
    }

    /// Lends the name of an entry: empty for the root. Nil for a number that is not in the tree.
    public func withName<Result>(of number: InodeNumber, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        guard let record = record(number), let name = nameBytes(of: record) else { return nil }
        return body(name)
    }

    /// The name of an entry: empty for the root, and for a number that is not in the tree.
    public func name(of number: InodeNumber) -> [UInt8] {
        withName(of: number) { [UInt8]($0) } ?? []
    }

    /// The directory that holds the entry: the root for itself, and for a number that is not in the tree.
    public func parent(of number: InodeNumber) -> InodeNumber {
        guard let record = record(number), self.record(record.parent) != nil else { return Self.root }
        return record.parent
    }
}
