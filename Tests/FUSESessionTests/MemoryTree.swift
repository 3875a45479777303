import FUSESession
import Support

/// A small tree in memory: nodes are positions from 1, the root being the first.
struct MemoryTree: Sendable {
    struct Node: Sendable {
        var attributes: FileAttributes
        var content: [UInt8] = []
        var children: [(name: [UInt8], node: NodeID)] = []
        var index: [[UInt8]: NodeID] = [:]
        var xattrs: [(name: String, value: [UInt8])] = []
        var parent: NodeID = 1
        /// Where a hole begins that goes to the end of the file.
        var hole: UInt64?
    }

    private(set) var nodes: [Node] = [Node(attributes: FileAttributes(inode: 1, mode: 0o040755, nlink: 2))]

    subscript(node: NodeID) -> Node? {
        get { node >= 1 && node <= nodes.count ? nodes[Int(node) - 1] : nil }
        set { if let newValue, node >= 1, node <= nodes.count { nodes[Int(node) - 1] = newValue } }
    }

    @discardableResult
    mutating func add(_ name: [UInt8], to parent: NodeID = 1, mode: UInt32, _ content: [UInt8] = []) -> NodeID {
        let node = NodeID(nodes.count + 1)
        var attributes = FileAttributes(inode: node, mode: mode)
        attributes.size = UInt64(content.count)
        attributes.sectors = UInt64((content.count + 511) / 512)
        nodes.append(Node(attributes: attributes, content: content, parent: parent))
        nodes[Int(parent) - 1].children.append((name, node))
        nodes[Int(parent) - 1].index[name] = node
        return node
    }

    @discardableResult
    mutating func file(_ name: String, _ content: String = "", in parent: NodeID = 1) -> NodeID {
        add(Array(name.utf8), to: parent, mode: 0o100644, Array(content.utf8))
    }

    @discardableResult
    mutating func folder(_ name: String, in parent: NodeID = 1) -> NodeID {
        add(Array(name.utf8), to: parent, mode: 0o040755)
    }

    @discardableResult
    mutating func link(_ name: String, to target: String, in parent: NodeID = 1) -> NodeID {
        add(Array(name.utf8), to: parent, mode: 0o120777, Array(target.utf8))
    }
}
