internal import BlockCodec
internal import Glibc
internal import Support

/// Blocks that one core decodes side by side, and then hands to the contents that they belong to.
struct DecodeBatch: ~Copyable {
    /// What is in a batch; as much as a mount decodes together on up to six cores.
    struct Size {
        private(set) var bytes = 0
        private(set) var blocks = 0

        /// Counts a block; false when the batch is too large with it.
        mutating func add(_ block: BlockReference) -> Bool {
            blocks += 1
            bytes += block.plainLength
            return blocks <= 16 && bytes <= 4 << 20
        }
    }

    private let stored: [Digest: BlockBuffer]
    private var decoder = BlockDecoder()
    private var waiting: [(block: BlockReference, output: DecodeOutput)] = []
    private var size = Size()

    init(blocks: [Digest: BlockBuffer]) { stored = blocks }

    /// Adds a block; decodes those before it when it is one too many.
    mutating func add(_ block: BlockReference, to output: DecodeOutput) {
        if !size.add(block), !waiting.isEmpty {
            decode()
            _ = size.add(block)
        }
        waiting.append((block, output))
    }

    /// Decodes all that wait.
    mutating func decode() {
        let known = waiting.compactMap { item in
            stored[item.block.id].map { (block: item.block, output: item.output, stored: $0) }
        }
        for item in waiting where stored[item.block.id] == nil {
            item.output.fail(FlistError(.notFound, "block \(item.block.id) was not loaded"))
        }
        waiting = []
        size = Size()
        let plains = known.map { BlockBufferPool.shared.buffer(capacity: $0.block.plainLength) }
        var decodings = zip(known, plains).map { item, plain in
            BlockDecoding(
                stored: item.stored.bytes, reference: item.block,
                plain: UnsafeMutableRawBufferPointer(rebasing: plain.memory[..<item.block.plainLength]))
        }
        withExtendedLifetime((known, plains)) {
            decoder.decode(&decodings)
            for (decoding, item) in zip(decodings, known) {
                if let error = decoding.error {
                    item.output.fail(FlistError(.io, "cannot decode block \(item.block.id)", cause: error))
                } else {
                    item.output.write(UnsafeRawBufferPointer(decoding.plain))
                }
            }
        }
    }
}

/// A content that is decoded, and the file that it becomes. For one thread.
final class DecodeOutput {
    let blocks: [BlockReference]
    /// Of what was decoded, in bytes.
    private(set) var size = 0
    private var file: FileDescriptor?
    private var error: FlistError?

    /// - Parameter path: of a new file; nil to write nothing.
    init(_ blocks: [BlockReference], path: String?) {
        self.blocks = blocks
        guard let path else { return }
        do throws(Errno) {
            file = try FileDescriptor(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        } catch {
            fail(FlistError("cannot write \(path)", errno: error))
        }
    }

    func fail(_ error: FlistError) { self.error = self.error ?? error }

    /// Appends a block's bytes.
    func write(_ plain: UnsafeRawBufferPointer) {
        defer { size += plain.count }
        do throws(Errno) {
            try file?.write(plain, at: UInt64(size))
        } catch {
            fail(FlistError("cannot write what was decoded", errno: error))
        }
    }

    /// The error that it ended with.
    func close() -> FlistError? {
        file = nil
        return error
    }
}
