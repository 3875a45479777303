internal import FlistImage
internal import Support

/// The names and inodes that the scanner has found. Used by one thread at a time.
struct PackTree {
    struct Node {
        /// The root's is itself.
        var parent: Int
        var name: [UInt8]
        var inode: Int
        /// A later member of the tar file took its place.
        var isReplaced = false
    }

    struct Inode {
        var status: FileStatus
        var linkTarget: [UInt8] = []
        var xattrs: [(name: [UInt8], value: [UInt8])] = []
        /// Of regular files with content: status and xattrs are in there once it is read.
        var file: PackFile?
    }

    static let root = 0

    private(set) var nodes: [Node]
    private(set) var inodes: [Inode]

    init(root: FileStatus, xattrs: [(name: [UInt8], value: [UInt8])] = []) {
        nodes = [Node(parent: 0, name: [], inode: 0)]
        inodes = [Inode(status: root, xattrs: xattrs)]
    }

    /// Adds a new inode under a name; answers the node.
    @discardableResult
    mutating func add(_ inode: Inode, named name: [UInt8], in parent: Int) -> Int {
        inodes.append(inode)
        return addName(name, in: parent, of: inodes.count - 1)
    }

    /// Adds a name of an inode that is there.
    @discardableResult
    mutating func addName(_ name: [UInt8], in parent: Int, of inode: Int) -> Int {
        nodes.append(Node(parent: parent, name: name, inode: inode))
        return nodes.count - 1
    }

    mutating func replace(_ node: Int) { nodes[node].isReplaced = true }

    mutating func update(inode: Int, _ body: (inout Inode) -> Void) { body(&inodes[inode]) }

    /// The nodes of each directory, sorted by name.
    func children() -> [[Int]] {
        var children = [[Int]](repeating: [], count: nodes.count)
        for index in nodes.indices.dropFirst() where !nodes[index].isReplaced {
            children[nodes[index].parent].append(index)
        }
        for index in children.indices where children[index].count > 1 {
            children[index].sort { nodes[$0].name.lexicographicallyPrecedes(nodes[$1].name) }
        }
        return children
    }
}
