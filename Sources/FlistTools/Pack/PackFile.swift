internal import FlistImage
internal import Support
internal import Synchronization

/// A regular file on its way into a flist. Thread-safe: several workers may read parts of it.
final class PackFile: Sendable {
    /// Marks a hole among the positions of blocks.
    static let hole = UInt32.max

    /// What is known of it once it is open.
    struct State: Sendable {
        var attributes: FileStatus
        var xattrs: [(name: [UInt8], value: [UInt8])] = []
        /// Positions in the block table.
        var blocks: [UInt32] = []
        var size: UInt64 = 0
        /// Parts that have yet to be read.
        var pending = 0
        /// A read ended before the size that the file had.
        var wasShort = false
        /// Its blocks are the base's, and it is not read.
        var isFromBase = false
        /// It is not in the flist: it went away or cannot be read.
        var isLost = false
    }

    private let folder: [UInt8]
    let name: [UInt8]
    let state: Mutex<State>

    /// - Parameters:
    ///   - name: in the folder, or a whole path where that is empty.
    ///   - folder: its path from the source on, of which all files of a folder share the memory.
    init(_ name: [UInt8], in folder: [UInt8] = [], _ attributes: FileStatus) {
        self.name = name
        self.folder = folder
        state = Mutex(State(attributes: attributes))
    }

    /// For people.
    var path: [UInt8] { folder.isEmpty ? name : folder + [UInt8(ascii: "/")] + name }

    /// Gives the file up.
    func lose() { state.withLock { $0.isLost = true } }

    /// Notes the block at `index`.
    func set(_ index: Int, block: UInt32) {
        state.withLock { if index < $0.blocks.count { $0.blocks[index] = block } }
    }
}

/// A file that is being read, and how far its parts are given out.
final class OpenFile: Sendable {
    let file: PackFile
    let descriptor: FileDescriptor
    let status: FileStatus
    let blockCount: Int
    /// The file says that it occupies less than its size: it may have holes.
    let mayHaveHoles: Bool

    init(_ file: PackFile, _ descriptor: consuming FileDescriptor, _ status: FileStatus, blockCount: Int) {
        self.file = file
        self.descriptor = descriptor
        self.status = status
        self.blockCount = blockCount
        mayHaveHoles = status.occupied < status.size
    }
}
