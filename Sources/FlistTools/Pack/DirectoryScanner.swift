internal import CLinux
internal import FlistImage
internal import Glibc
internal import Support
internal import Synchronization

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
        /// The directory in the base.
        let base: InodeNumber?
        var next = 0
    }

    private let excludes: [ExcludePattern]
    private let oneFileSystem: Bool
    private let own: Set<Own>
    private let shared: PackShared
    private let base: PackBase?
    private var tree: PackTree
    private var levels: [Level] = []
    /// Inodes with several names.
    private var linked: [Own: Int] = [:]
    private let device: UInt64
    /// Files that are yet to be handed over.
    private var found: [PackQueue.Waiting] = []
    private var foundBytes: UInt64 = 0
    /// A job is no larger than a part of a large file.
    private let jobBytes: UInt64

    private var journal: PackJournal { shared.journal }

    /// Opens the top.
    init(_ options: PackOptions, own: Set<Own>, _ shared: PackShared) throws(FlistError) {
        excludes = options.excludes
        oneFileSystem = options.oneFileSystem
        self.own = own
        self.shared = shared
        base = options.base
        jobBytes = UInt64(shared.blockSize) * UInt64(PackQueue.blocksPerPart)
        do throws(Errno) {
            let top = try OpenDirectory.open(path: options.source)
            let status = try FileStatus.of(top.descriptor.number)
            device = status.device
            tree = PackTree(root: status, xattrs: try XattrReader.of(top.descriptor.number))
            levels.append(Level(directory: top, node: PackTree.root, names: try top.names(), base: base?.root))
        } catch {
            throw FlistError("cannot read \(options.source)", errno: error)
        }
        shared.journal.found()
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
        return handOver() ? tree : nil
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
            let file = PackFile(name, in: directory.path, status)
            inode.file = file
            let isUnchanged: Bool
            do throws(Errno) { isUnchanged = try takeFromBase(file, name, status, level) } catch {
                journal.lost(path, "cannot read its attributes", error)
                return true
            }
            guard isUnchanged || add(file, in: directory, status.size) else { return false }
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
        if let entered, !names.isEmpty {
            let number = base.flatMap { base in level.base.flatMap { base.directory(name, in: $0) } }
            levels.append(Level(directory: entered, node: node, names: names, base: number))
        }
    }

    /// False when packing has been given up.
    private mutating func add(_ file: PackFile, in directory: OpenDirectory, _ size: UInt64) -> Bool {
        found.append(PackQueue.Waiting(file: file, directory: directory))
        // No overflow: a size is below 2^63, and the sum before it below that of a job.
        foundBytes += size
        return found.count < PackQueue.filesPerJob && foundBytes < jobBytes || handOver()
    }

    private mutating func handOver() -> Bool {
        defer {
            found = []
            foundBytes = 0
        }
        return found.isEmpty || shared.queue.add(found)
    }

    /// Gives a file the blocks that it has in the base, without opening it; false when it has to be read.
    private func takeFromBase(
        _ file: PackFile, _ name: [UInt8], _ status: FileStatus, _ level: Level
    ) throws(Errno) -> Bool {
        guard let base, let directory = level.base,
            let blocks = base.blocks(name, in: directory, status, known: shared.table)
        else { return false }
        let xattrs = try XattrReader.of(name, in: level.directory.descriptor.number)
        file.state.withLock { state in
            state.xattrs = xattrs
            state.size = status.size
            state.blocks = blocks
            state.isFromBase = true
        }
        return true
    }
}
