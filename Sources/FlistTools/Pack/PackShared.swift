internal import BlockCodec
internal import Support
internal import Synchronization

/// What the threads of one packing share. Thread-safe.
final class PackShared: Sendable {
    let codec: BlockCodec
    let level: Int32
    let blockSize: Int
    /// The format has holes.
    let keepsHoles: Bool
    let queue = PackQueue()
    let table: BlockTable
    let uploads: UploadQueue
    let journal: PackJournal
    private let bytes = Atomic<UInt64>(0)
    private let repeated = Atomic<UInt64>(0)

    init(_ options: PackOptions, _ table: BlockTable, uploads: UploadQueue, journal: PackJournal) {
        codec = options.format == .zstd ? .gcmZstd : .gcmSnappy
        level = options.level
        blockSize = options.blockSize
        keepsHoles = options.format == .zstd
        self.table = table
        self.uploads = uploads
        self.journal = journal
    }

    /// In how many blocks a file is cut; nil for more than the cache takes of one content, and memory would.
    func blockCount(_ size: UInt64) -> Int? {
        let (whole, rest) = size.quotientAndRemainder(dividingBy: UInt64(blockSize))
        return whole < Self.mostBlocks ? Int(whole) + (rest == 0 ? 0 : 1) : nil
    }

    private static let mostBlocks = 1 << 26

    func count(_ length: Int) { bytes.add(UInt64(length), ordering: .relaxed) }

    func countRepeated(_ length: Int) { repeated.add(UInt64(length), ordering: .relaxed) }

    var progress: PackProgress {
        var progress = PackProgress()
        progress.entries = journal.current.entries
        progress.bytes = bytes.load(ordering: .relaxed)
        progress.repeatedBytes = repeated.load(ordering: .relaxed)
        progress.storedBytes = uploads.stored
        return progress
    }

    /// Ends the work of all threads.
    func give(up error: FlistError) {
        journal.end(error)
        queue.abort()
        uploads.abort()
    }
}
