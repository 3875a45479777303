internal import BlockCodec
internal import Glibc
internal import Redis

/// Takes replies apart as their bytes come, and puts the bytes of a block straight into its buffer.
struct RedisReplyReader {
    enum Reply {
        case block(BlockBuffer)
        case null
        case error(String)
        /// A block nobody waits for any more was passed over.
        case skipped
        case tooLarge
    }

    struct Violation: Error { let reason: String }

    private enum State {
        case line
        case block(BlockBuffer, length: Int)
        case skip(rest: Int, reply: Reply)
        case end(Reply, expected: UInt8)
    }

    /// Longer lines than an error message can be are no RESP.
    private static let maximumLine = 64 << 10
    /// Of a line this much is kept.
    private static let keptLine = 512
    /// A value of this length is read and thrown away; for a longer one a new connection is cheaper.
    private static let maximumSkip = 16 << 20

    private var state = State.line
    private var line: [UInt8] = []
    private var lineLength = 0

    /// Where the next bytes of a block belong; nil between blocks.
    var target: UnsafeMutableRawBufferPointer? {
        guard case .block(let buffer, let length) = state, buffer.count < length else { return nil }
        return UnsafeMutableRawBufferPointer(rebasing: buffer.memory[buffer.count..<length])
    }

    /// Notes that so many bytes were put at `target`.
    mutating func filled(_ count: Int) {
        guard case .block(let buffer, let length) = state else { return }
        buffer.count += min(count, length - buffer.count)
        if buffer.count == length { state = .end(.block(buffer), expected: UInt8(ascii: "\r")) }
    }

    /// Takes bytes in.
    ///
    /// - Parameters:
    ///   - limit: the most bytes that the block of the next reply may have, nil when nobody waits for it; throws when
    ///     no reply is due.
    ///   - emit: called with each complete reply.
    mutating func consume(
        _ bytes: UnsafeRawBufferPointer, limit: () throws(Violation) -> Int?, emit: (Reply) -> Void
    ) throws(Violation) {
        var rest = bytes[...]
        while let byte = rest.first {
            switch state {
            case .line:
                try takeLine(&rest, limit, emit)
            case .block:
                guard let target else { throw Violation(reason: "a block without room") }
                let part = rest.prefix(target.count)
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
                rest = rest.dropFirst(part.count)
                filled(part.count)
            case .skip(let left, let reply):
                let count = min(left, rest.count)
                rest = rest.dropFirst(count)
                state = left > count ? .skip(rest: left - count, reply: reply) : .end(reply, expected: 13)
            case .end(let reply, let expected):
                guard byte == expected else { throw Violation(reason: "a value does not end where it said") }
                rest = rest.dropFirst()
                if expected == UInt8(ascii: "\r") {
                    state = .end(reply, expected: UInt8(ascii: "\n"))
                } else {
                    state = .line
                    emit(reply)
                }
            }
        }
    }

    private mutating func takeLine(
        _ rest: inout Slice<UnsafeRawBufferPointer>, _ limit: () throws(Violation) -> Int?, _ emit: (Reply) -> Void
    ) throws(Violation) {
        let part = rest.prefix { $0 != UInt8(ascii: "\n") }
        line.append(contentsOf: part.prefix(Self.keptLine - line.count))
        lineLength += part.count
        guard lineLength <= Self.maximumLine else { throw Violation(reason: "a line without end") }
        rest = rest.dropFirst(part.count)
        guard !rest.isEmpty else { return }
        rest = rest.dropFirst()
        defer {
            line.removeAll(keepingCapacity: true)
            lineLength = 0
        }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        let allowed = try limit()
        switch line.first {
        case UInt8(ascii: "$"):
            guard let length = Int(String(decoding: line.dropFirst(), as: UTF8.self)), length >= -1 else {
                throw Violation(reason: "a length that is none: \(RedisReply.printable(line))")
            }
            if length == -1 {
                emit(.null)
            } else if let allowed, length <= allowed {
                let buffer = BlockBufferPool.shared.buffer(capacity: length)
                buffer.count = 0
                state = .block(buffer, length: length)
                if length == 0 { filled(0) }
            } else {
                guard length <= Self.maximumSkip else { throw Violation(reason: "a value of \(length) bytes") }
                let reply = allowed == nil ? Reply.skipped : .tooLarge
                state = length > 0 ? .skip(rest: length, reply: reply) : .end(reply, expected: UInt8(ascii: "\r"))
            }
        case UInt8(ascii: "-"): emit(.error(RedisReply.printable(Array(line.dropFirst()))))
        case UInt8(ascii: "_"): emit(.null)
        default: throw Violation(reason: "no value in reply to GET: \(RedisReply.printable(line))")
        }
    }
}
