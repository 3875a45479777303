/// Makes rows of a database share one long value, which SQLite itself never writes.
///
/// The format is <https://www.sqlite.org/fileformat2.html>: a row that does not fit in its page ends with the number of
/// the first page of the rest, and nothing keeps two rows from naming the same one.
struct SharedPages {
    private(set) var bytes: [UInt8]
    private let pageSize: Int

    /// - Parameters:
    ///   - bytes: a database whose table at `root` has a row with a blob of `length` bytes in its second column as the
    ///     first, and rows with short blobs there behind it. The first column holds 4 bytes, the third an empty blob.
    init(_ bytes: [UInt8], root: Int, length: Int) {
        self.bytes = bytes
        pageSize = Int(bytes[16]) << 8 | Int(bytes[17])
        var rest: ArraySlice<UInt8>?
        for leaf in leaves(root) {
            for cell in cells(leaf) {
                let (payload, afterLength) = varint(cell)
                let (row, content) = varint(afterLength)
                guard let rest else {
                    let end = content + local(payload)
                    rest = self.bytes[end..<end + 4]
                    continue
                }
                // Serial types: 4 for four bytes, an even number for a blob. See "Record format".
                let types = [4] + Self.varint(length * 2 + 12) + Self.varint(12)
                let head = [UInt8(types.count + 1)] + types + self.bytes[number(content)..<number(content) + 4]
                let whole = head.count + length
                let new =
                    Self.varint(whole) + Self.varint(row) + head
                    + [UInt8](repeating: 0, count: local(whole) - head.count) + rest
                guard new.count <= content - cell + payload else { continue }
                self.bytes.replaceSubrange(cell..<cell + new.count, with: new)
            }
        }
    }

    private func leaves(_ page: Int) -> [Int] {
        let start = (page - 1) * pageSize
        guard bytes[start] == 5 else { return [start] }
        let children = (0..<integer(start + 3, 2)).map { start + integer(start + 12 + 2 * $0, 2) }
        return (children + [start + 8]).flatMap { leaves(integer($0, 4)) }
    }

    private func cells(_ leaf: Int) -> [Int] {
        (0..<integer(leaf + 3, 2)).map { leaf + integer(leaf + 8 + 2 * $0, 2) }
    }

    /// How many bytes of a row are in its own page.
    private func local(_ payload: Int) -> Int {
        guard payload > pageSize - 35 else { return payload }
        let minimum = (pageSize - 12) * 32 / 255 - 23
        let surplus = minimum + (payload - minimum) % (pageSize - 4)
        return surplus <= pageSize - 35 ? surplus : minimum
    }

    /// Where the first column's value is in a row's content.
    private func number(_ content: Int) -> Int { content + varint(content).value }

    private func integer(_ place: Int, _ count: Int) -> Int {
        bytes[place..<place + count].reduce(0) { $0 << 8 | Int($1) }
    }

    private func varint(_ place: Int) -> (value: Int, end: Int) {
        var value = 0
        var place = place
        while true {
            value = value << 7 | Int(bytes[place] & 127)
            place += 1
            if bytes[place - 1] < 128 { return (value, place) }
        }
    }

    private static func varint(_ value: Int) -> [UInt8] {
        var bytes = [UInt8(value & 127)]
        var rest = value >> 7
        while rest > 0 {
            bytes.insert(UInt8(rest & 127) | 128, at: 0)
            rest >>= 7
        }
        return bytes
    }
}
