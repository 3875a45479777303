/// The extended attributes of a tree while it is built; equal pairs of name and value are kept once.
struct XattrTable {
    /// Which record an inode of the source has.
    struct Pair {
        var id: UInt64
        var record: UInt32
    }

    private(set) var pairs: [Pair] = []
    private(set) var records: [XattrRecord] = []
    private(set) var bytes: [UInt8] = []
    private var known: [UInt64: UInt32] = [:]

    /// Linux: `XATTR_NAME_MAX` and `XATTR_SIZE_MAX`, include/uapi/linux/limits.h.
    static func fault(name: [UInt8], value: [UInt8]) -> String? {
        if name.isEmpty { return "the name is empty" }
        if name.count > 255 { return "the name has \(name.count) bytes, more than 255" }
        if name.contains(0) { return "the name holds a NUL byte" }
        let spaces = ["user.", "trusted.", "security.", "system."]
        guard let space = spaces.first(where: { name.starts(with: $0.utf8) }) else {
            return "the name is in no namespace that Linux knows"
        }
        if name.count == space.utf8.count { return "the name is a namespace and nothing else" }
        if value.count > 65_536 { return "the value has \(value.count) bytes, more than 65536" }
        return nil
    }

    /// Adds a pair that `fault` found nothing wrong with.
    mutating func add(to id: UInt64, name: [UInt8], value: [UInt8]) {
        pairs.append(Pair(id: id, record: record(name, value)))
    }

    private mutating func record(_ name: [UInt8], _ value: [UInt8]) -> UInt32 {
        var hash = value.withUnsafeBytes { value in
            name.withUnsafeBytes { XXH3.hash(value, seed: XXH3.hash($0)) }
        }
        // A few probes: whoever makes hashes collide on purpose wins a larger index, not a slow build.
        var free: UInt64?
        for _ in 0..<4 {
            guard let position = known[hash] else {
                free = hash
                break
            }
            if self.name(position).elementsEqual(name), self.value(position).elementsEqual(value) { return position }
            hash &+= 1
        }
        let position = UInt32(truncatingIfNeeded: records.count)
        records.append(
            XattrRecord(
                nameOffset: UInt64(bytes.count), valueOffset: UInt64(bytes.count + name.count),
                nameLength: UInt32(truncatingIfNeeded: name.count),
                valueLength: UInt32(truncatingIfNeeded: value.count)))
        bytes.append(contentsOf: name)
        bytes.append(contentsOf: value)
        if let free { known[free] = position }
        return position
    }

    func name(_ record: UInt32) -> ArraySlice<UInt8> {
        let record = records[Int(record)]
        return bytes[Int(record.nameOffset)..<Int(record.nameOffset) + Int(record.nameLength)]
    }

    func value(_ record: UInt32) -> ArraySlice<UInt8> {
        let record = records[Int(record)]
        return bytes[Int(record.valueOffset)..<Int(record.valueOffset) + Int(record.valueLength)]
    }
}
