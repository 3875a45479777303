/// Sorts the entries of a directory by the bytes of their names.
struct NameSorter {
    private let nodes: [TreeIndexBuilder.Node]
    private let names: [UInt8]

    private struct Key {
        var prefix: UInt64
        var position: UInt32
    }

    init(_ builder: borrowing TreeIndexBuilder) {
        nodes = builder.nodes
        names = builder.names
    }

    /// Sorts the positions in `range` by name; answers one of two that have the same name, if any.
    func sort(_ positions: inout [UInt32], _ range: Range<Int>) -> Int? {
        names.withUnsafeBytes { names in
            nodes.withUnsafeBufferPointer { nodes in
                sort(&positions, range) { position in
                    let node = nodes[Int(position)]
                    let start = node.nameOffset
                    return UnsafeRawBufferPointer(rebasing: names[start..<start + Int(node.nameLength)])
                }
            }
        }
    }

    @inline(__always)
    private func sort(
        _ positions: inout [UInt32], _ range: Range<Int>, name: (UInt32) -> UnsafeRawBufferPointer
    ) -> Int? {
        var keys: [Key] = []
        keys.reserveCapacity(range.count)
        for position in positions[range] {
            keys.append(Key(prefix: NamePrefix.of(name(position)), position: position))
        }
        keys.sort { a, b in
            a.prefix != b.prefix ? a.prefix < b.prefix : orderBytes(name(a.position), name(b.position)) < 0
        }
        var output = range.lowerBound
        var previous: Key?
        for key in keys {
            if let previous, previous.prefix == key.prefix,
                orderBytes(name(previous.position), name(key.position)) == 0
            {
                return Int(key.position)
            }
            previous = key
            positions[output] = key.position
            output += 1
        }
        return nil
    }
}
