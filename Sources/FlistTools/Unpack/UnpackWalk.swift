internal import FlistImage
internal import Glibc
internal import Support

/// Makes all entries of a tree but the contents of files. Used by one thread.
struct UnpackWalk {
    private struct Level {
        let folder: TargetFolder
        let number: InodeNumber
        var rest: Range<InodeNumber>
    }

    private let unpacker: Unpacker
    private let top: TargetFolder
    private let writers: Unpacker.Writers
    private var levels: [Level] = []
    /// The names of inodes that have several, as records of the index; the first made comes first.
    private var names: [InodeNumber: [InodeNumber]] = [:]

    init(_ unpacker: Unpacker, top: TargetFolder, writers: Unpacker.Writers) {
        self.unpacker = unpacker
        self.top = top
        self.writers = writers
    }

    private var index: TreeIndex { unpacker.index }
    private var replacing: Bool { unpacker.options.force }

    mutating func run() {
        levels.append(Level(folder: top, number: TreeIndex.root, rest: index.children(of: TreeIndex.root) ?? 0..<0))
        while let last = levels.indices.last {
            guard let number = levels[last].rest.first else {
                // A folder gets its time when all in it is made: contents do not change it.
                complete(levels.removeLast())
                continue
            }
            levels[last].rest.removeFirst()
            make(number, in: levels[last].folder)
        }
    }

    private func complete(_ level: Level) {
        guard let attributes = index.attributes(of: level.number) else { return }
        unpacker.made()
        do throws(AttributeError) {
            try unpacker.attributeWriter.apply(level.number, attributes, to: level.folder.descriptor.number)
        } catch {
            unpacker.failed(level.number, error)
        }
    }

    private mutating func make(_ number: InodeNumber, in folder: TargetFolder) {
        guard let attributes = index.attributes(of: number) else { return }
        let name = index.name(of: number)
        do throws(Errno) {
            if attributes.nlink > 1, attributes.type != .directory {
                if let first = names[attributes.number]?.first {
                    try link(number, name, to: first, in: folder)
                    names[attributes.number]?.append(number)
                    unpacker.made()
                    return
                }
            }
            switch attributes.type {
            case .directory:
                let made = try folder.makeFolder(name, replacing: replacing)
                levels.append(Level(folder: made, number: number, rest: index.children(of: number) ?? 0..<0))
            case .regular:
                guard try makeFile(number, attributes, name, in: folder) else { return }
            case .symlink:
                try folder.makeSymlink(name, to: index.linkTarget(of: number) ?? [], replacing: replacing)
                finish(number, attributes, name, in: folder)
            case .characterDevice, .blockDevice, .fifo, .socket:
                try folder.makeSpecial(name, attributes, replacing: replacing)
                finish(number, attributes, name, in: folder)
            }
            // Only to what was made here may others be linked: a target that was there before may have had the name.
            if attributes.nlink > 1, attributes.type != .directory { names[attributes.number] = [number] }
        } catch {
            unpacker.failed(number, "cannot make it: \(error)")
        }
    }

    private func finish(
        _ number: InodeNumber, _ attributes: InodeAttributes, _ name: [UInt8], in folder: TargetFolder
    ) {
        unpacker.made()
        do throws(AttributeError) {
            try unpacker.attributeWriter.apply(number, attributes, to: name, in: folder)
        } catch {
            unpacker.failed(number, error)
        }
    }

    /// Whether it was made.
    private func makeFile(
        _ number: InodeNumber, _ attributes: InodeAttributes, _ name: [UInt8], in folder: TargetFolder
    ) throws(Errno) -> Bool {
        if attributes.isWithoutBlocks {
            unpacker.failed(number, "the flist names no blocks for it; left out")
            return false
        }
        let contents = index.blocks(of: number)
        let descriptor = try folder.makeFile(name, replacing: replacing)
        var pending = 2
        if let contents { for position in 0..<contents.count where contents[position] != nil { pending += 1 } }
        let file = UnpackFile(number, attributes, descriptor, pending: pending)
        unpacker.fill(file, contents, in: folder, name: name, writers)
        return true
    }

    /// Links to the first name, whose folder is opened again name by name: it may have been closed since.
    private func link(
        _ number: InodeNumber, _ name: [UInt8], to first: InodeNumber, in folder: TargetFolder
    ) throws(Errno) {
        try folder.makeLink(
            name, to: index.name(of: first), in: try self.folder(of: first), replacing: replacing)
    }

    private func folder(of number: InodeNumber) throws(Errno) -> TargetFolder {
        var chain: [InodeNumber] = []
        var parent = index.parent(of: number)
        while parent != TreeIndex.root {
            chain.append(parent)
            parent = index.parent(of: parent)
        }
        var folder = top
        for number in chain.reversed() { folder = try folder.open(index.name(of: number)) }
        return folder
    }

    /// Removes further names of files whose contents could not be had.
    func removeNames(of lost: Set<InodeNumber>) {
        for inode in lost {
            for number in names[inode] ?? [] { try? folder(of: number).remove(index.name(of: number)) }
        }
    }
}
