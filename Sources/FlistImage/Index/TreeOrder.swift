internal import Support

/// Where every node of a builder goes: parents resolved, directories sorted, numbers given breadth first.
///
/// Positions are those in the builder's `nodes`. Building it proves that there is one root, that everything hangs on
/// it without cycles, that only directories hold entries, and that no directory has a name twice.
struct TreeOrder {
    private(set) var ids: IDMap
    /// The directory's position; the root's own for the root.
    private(set) var parents: [UInt32]
    /// The position of the inode: another one for further names.
    private(set) var inodes: [UInt32]
    /// Directories: 2 and the subdirectories. Everything else: the names.
    private(set) var links: [UInt32]
    /// Positions in the order of numbers; that of number 1 comes first.
    private(set) var order: [UInt32] = []
    /// Numbers by position.
    private(set) var numbers: [UInt32]
    /// Of directories: the number of the first child.
    private(set) var firstChildren: [UInt32]
    /// Of directories.
    private(set) var childCounts: [UInt32]
    private var root = 0

    init(_ builder: borrowing TreeIndexBuilder) throws(FlistError) {
        let count = builder.nodes.count
        var maximum: UInt64 = 0
        for node in builder.nodes where !node.isFurtherName { maximum = max(maximum, node.id) }
        ids = IDMap(count: count, maximum: maximum)
        parents = Array(repeating: 0, count: count)
        inodes = parents
        links = parents
        numbers = parents
        firstChildren = parents
        childCounts = parents
        try findRoot(builder)
        try resolve(builder)
        try number(builder)
    }

    /// Enters all ids and finds the only entry that is its own parent.
    private mutating func findRoot(_ builder: borrowing TreeIndexBuilder) throws(FlistError) {
        var root: Int?
        for position in builder.nodes.indices where !builder.nodes[position].isFurtherName {
            let id = builder.nodes[position].id
            guard ids.insert(id, UInt32(truncatingIfNeeded: position)) else {
                throw builder.fault(position, "another entry has the same id")
            }
            guard id == builder.nodes[position].parent else { continue }
            if let root {
                throw builder.fault(position, "a second root; entry \(builder.nodes[root].id) is one already")
            }
            root = position
        }
        guard let root else { throw FlistError(.invalid, "the flist has no root") }
        self.root = root
    }

    /// Finds parents and the inodes of further names, and counts children and links.
    private mutating func resolve(_ builder: borrowing TreeIndexBuilder) throws(FlistError) {
        for position in builder.nodes.indices {
            let node = builder.nodes[position]
            if node.isFurtherName {
                guard let inode = ids.find(node.id) else {
                    throw builder.fault(position, "a further name of an entry that does not exist")
                }
                guard builder.nodes[inode].type != .directory else {
                    throw builder.fault(position, "a further name of a directory")
                }
                inodes[position] = UInt32(truncatingIfNeeded: inode)
                links[inode] += 1
            } else {
                inodes[position] = UInt32(truncatingIfNeeded: position)
                links[position] += node.type == .directory ? 2 : 1
            }
            guard let parent = ids.find(node.parent) else {
                throw builder.fault(position, "its directory, entry \(node.parent), does not exist")
            }
            guard builder.nodes[parent].type == .directory else {
                throw builder.fault(position, "its parent, entry \(node.parent), is not a directory")
            }
            parents[position] = UInt32(truncatingIfNeeded: parent)
            if position == root { continue }
            childCounts[parent] += 1
            if node.type == .directory, !node.isFurtherName { links[parent] += 1 }
        }
    }

    /// Numbers the nodes breadth first, every directory's entries in the order of their names.
    private mutating func number(_ builder: borrowing TreeIndexBuilder) throws(FlistError) {
        var (children, starts) = childLists()
        let sorter = NameSorter(builder)
        order.reserveCapacity(parents.count)
        order.append(UInt32(truncatingIfNeeded: root))
        var cursor = 0
        var levelEnd = 1
        var depth = 0
        while cursor < order.count {
            if cursor == levelEnd {
                levelEnd = order.count
                depth += 1
                guard depth <= builder.limits.depth else {
                    throw builder.fault(
                        at: Int(order[cursor]), self, "more than \(builder.limits.depth) directories below one another")
                }
            }
            let position = Int(order[cursor])
            cursor += 1
            numbers[position] = UInt32(truncatingIfNeeded: cursor)
            // Only directories have children, but an empty one has a place as well.
            firstChildren[position] = UInt32(truncatingIfNeeded: order.count + 1)
            let range = starts[position]..<starts[position] + Int(childCounts[position])
            guard !range.isEmpty else { continue }
            if let duplicate = sorter.sort(&children, range) {
                throw builder.fault(at: duplicate, self, "two entries have this name")
            }
            order.append(contentsOf: children[range])
        }
        guard order.count == parents.count else {
            let lost = numbers.firstIndex(of: 0) ?? root
            throw builder.fault(lost, "cannot be reached from the root")
        }
    }

    /// All positions but the root's, grouped by directory, and where each directory's group starts.
    private func childLists() -> (children: [UInt32], starts: [Int]) {
        var starts = Array(repeating: 0, count: parents.count)
        var total = 0
        for position in parents.indices {
            starts[position] = total
            total += Int(childCounts[position])
        }
        var free = starts
        var children: [UInt32] = Array(repeating: 0, count: total)
        for position in parents.indices where position != root {
            let parent = Int(parents[position])
            children[free[parent]] = UInt32(truncatingIfNeeded: position)
            free[parent] += 1
        }
        return (children, starts)
    }
}
