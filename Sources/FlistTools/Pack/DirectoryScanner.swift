internal import CLinux
internal import FlistImage
internal import Glibc
internal import Support

/// Walks a directory in the order of names, never through a symlink, and hands its files to the workers.
struct DirectoryScanner {
    /// Not packed: they are written while packing, or would be.
    struct Own: Hashable {
        let device: UInt64
        let number: UInt64
    }

    private struct Level {
        let directory: OpenDirectory
        let node: Int
        let names: [[UInt8]]
        var next = 0
    }

    private let excludes: [ExcludePattern]
    private let oneFileSystem: Bool
    private let own: Set<Own>
    private let queue: PackQueue
    private let journal: PackJournal
    private var tree: PackTree
    private var levels: [Level] = []
    /// Inodes with several names.
    private var linked: [Own: Int] = [:]
    private let device: UInt64

    /// Opens the top.
    init(
        _ options: PackOptions, own: Set<Own>, queue: PackQueue, journal: PackJournal
    ) throws(FlistError) {
        excludes = options.excludes
        oneFileSystem = options.oneFileSystem
        self.own = own
        self.queue = queue
        self.journal = journal
        do throws(Errno) {
            let top = try OpenDirectory.open(path: options.source)
            let status = try FileStatus.of(top.descriptor.number)
            device = status.device
            tree = PackTree(root: status, xattrs: try XattrReader.of(top.descriptor.number))
            levels.append(Level(directory: top, node: PackTree.root, names: try top.names()))
        } catch {
            throw FlistError("cannot read \(options.source)", errno: error)
        }
        journal.found()
    }

    /// Walks everything; nil when packing has been given up.
    mutating func scan() -> PackTree? {
        while let last = levels.indices.last {
            let level = levels[last]
            guard level.next < level.names.count else {
                levels.removeLast()
                continue
            }
            levels[last].next += 1
            guard visit(level.names[level.next], in: level) else { return nil }
        }
        return tree
    }

    /// False when packing has been given up.
    private mutating func visit(_ name: [UInt8], in level: Level) -> Bool {
        let directory = level.directory
        let path = directory.path(of: name)
        let status: FileStatus
        do throws(Errno) {
            status = try FileStatus.of(name, in: directory.descriptor.number)
        } catch {
            journal.lost(path, "cannot look at it", error)
            return true
        }
        if excludes.contains(where: { $0.matches(path: path, isDirectory: status.type == .directory) }) {
            journal.excluded()
            return true
        }
        let identity = Own(device: status.device, number: status.number)
        if own.contains(identity) {
            journal.warn(path, "is written by this command; left out")
            return true
        }
        if status.type == .directory {
            enter(name, status, level)
            return true
        }
        if status.links > 1 {
            if let inode = linked[identity] {
                journal.found()
                tree.addName(name, in: level.node, of: inode)
                return true
            }
        }
        var inode = PackTree.Inode(status: status)
        if status.type == .regular {
            let file = PackFile(.folder(directory, name: name), status)
            inode.file = file
            guard queue.add(file) else { return false }
        } else {
            do throws(Errno) {
                inode.xattrs = try XattrReader.of(name, in: directory.descriptor.number)
                if status.type == .symlink {
                    inode.linkTarget = try directory.linkTarget(name, size: status.size)
                }
            } catch {
                journal.lost(path, "cannot read it", error)
                return true
            }
        }
        journal.found()
        let node = tree.add(inode, named: name, in: level.node)
        if status.links > 1 { linked[identity] = tree.nodes[node].inode }
        return true
    }

    private mutating func enter(_ name: [UInt8], _ status: FileStatus, _ level: Level) {
        let path = level.directory.path(of: name)
        var inode = PackTree.Inode(status: status)
        var entered: OpenDirectory?
        var names: [[UInt8]] = []
        let isElsewhere = oneFileSystem && status.device != device
        do throws(Errno) {
            let directory = try level.directory.open(name)
            inode.status = try FileStatus.of(directory.descriptor.number)
            inode.xattrs = try XattrReader.of(directory.descriptor.number)
            if !isElsewhere {
                names = try directory.names()
                entered = directory
            }
        } catch {
            if error == .noEntry { return journal.vanished(path) }
            // As tar does: the directory is packed, without what could not be read.
            journal.failed(path, "cannot read what is in it: \(error)")
        }
        journal.found()
        let node = tree.add(inode, named: name, in: level.node)
        if let entered, !names.isEmpty { levels.append(Level(directory: entered, node: node, names: names)) }
    }
}
