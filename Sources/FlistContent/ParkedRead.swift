internal import BlockCodec
internal import BlockStore
internal import FlistImage
internal import Support
internal import Synchronization

/// A read that waits for blocks without holding a thread.
///
/// Within one stored block the fetched bytes are handed on as they lie. Over several, the pieces are gathered in one buffer;
/// every piece has its own place there, so they may arrive in any order and on any thread.
final class ParkedRead: Sendable {
    private let range: Range<UInt64>
    private let file: ContentFile
    private let completion: @Sendable (Result<UnsafeRawBufferPointer, FetchError>) -> Void
    private let counters: ContentCounters
    /// Blocks that have not arrived, and one for the start itself.
    private let pending = Atomic<Int>(1)
    private let failure = Mutex<FetchError?>(nil)
    /// The block, when it is a single stored one; else the pieces are gathered.
    private let single: BlockReference?
    private let gathered: BlockBuffer?
    private let first: Int
    private let last: Int

    init(
        _ range: Range<UInt64>, of file: ContentFile, counters: ContentCounters,
        completion: @escaping @Sendable (Result<UnsafeRawBufferPointer, FetchError>) -> Void
    ) {
        self.range = range
        self.file = file
        self.counters = counters
        self.completion = completion
        first = Int(range.lowerBound / UInt64(file.blocks.blockSize))
        last = Int((range.upperBound - 1) / UInt64(file.blocks.blockSize))
        single = first == last ? file.blocks[first] : nil
        gathered = single == nil ? BlockBufferPool.shared.buffer(capacity: range.count) : nil
        gathered?.count = range.count
    }

    /// Asks for what is missing. The read is answered by whoever brings the last block.
    func start(_ loader: BlockLoader) {
        guard let gathered else {
            if let single { startSingle(loader, single) }
            return
        }
        for block in first...last {
            let part = part(of: block)
            if file.isLocal(block), file.readLocal(part, into: place(of: part, in: gathered)) { continue }
            // Holes are local and cannot fail.
            guard let reference = file.blocks[block] else { continue }
            pending.wrappingAdd(1, ordering: .relaxed)
            loader.load(block, reference, of: file, .demand) { [self] result in
                switch result {
                case .success(let buffer):
                    place(of: part, in: gathered).copyMemory(from: slice(buffer.bytes, of: block, part))
                case .failure(let error):
                    failure.withLock { $0 = $0 ?? error }
                }
                arrive()
            }
        }
        arrive()
    }

    private func startSingle(_ loader: BlockLoader, _ reference: BlockReference) {
        if file.isLocal(first) {
            let buffer = BlockBufferPool.shared.buffer(capacity: range.count)
            if file.readLocal(range, into: UnsafeMutableRawBufferPointer(rebasing: buffer.memory[..<range.count])) {
                buffer.count = range.count
                withExtendedLifetime(buffer) { succeed(buffer.bytes) }
                return
            }
        }
        loader.load(first, reference, of: file, .demand) { [self] result in
            switch result {
            case .success(let buffer): succeed(slice(buffer.bytes, of: first, range))
            case .failure(let error): fail(error)
            }
        }
    }

    private func arrive() {
        guard pending.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        if let error = failure.withLock({ $0 }) {
            fail(error)
        } else if let gathered {
            succeed(gathered.bytes)
        }
    }

    private func succeed(_ bytes: UnsafeRawBufferPointer) {
        counters.bytesRead.count(UInt64(bytes.count))
        completion(.success(bytes))
    }

    private func fail(_ error: FetchError) {
        counters.failedReads.count()
        completion(.failure(error))
    }

    /// The part of the range that lies in a block. Sizes are below 2^63 and blocks below 2^31: nothing overflows.
    private func part(of block: Int) -> Range<UInt64> {
        let start = UInt64(block) * UInt64(file.blocks.blockSize)
        return max(start, range.lowerBound)..<min(start + UInt64(file.blocks.blockSize), range.upperBound)
    }

    private func place(of part: Range<UInt64>, in buffer: BlockBuffer) -> UnsafeMutableRawBufferPointer {
        let start = Int(part.lowerBound - range.lowerBound)
        return UnsafeMutableRawBufferPointer(rebasing: buffer.memory[start..<(start + part.count)])
    }

    /// The bytes of a part within the block that holds it. The fetcher has checked the block's length.
    private func slice(
        _ bytes: UnsafeRawBufferPointer, of block: Int, _ part: Range<UInt64>
    ) -> UnsafeRawBufferPointer {
        let start = Int(part.lowerBound - UInt64(block) * UInt64(file.blocks.blockSize))
        return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + part.count)])
    }
}
