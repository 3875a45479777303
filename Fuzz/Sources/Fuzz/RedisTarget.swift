@testable import BlockStore

/// Replies of a 0-db, cut where the network may cut them: the first byte says how long each piece is.
enum RedisTarget {
    static func run(_ bytes: UnsafeRawBufferPointer) {
        guard let first = bytes.first else { return }
        var reader = RedisReplyReader()
        var rest = bytes.dropFirst()
        var replies = 0
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Int(first) + 1))
            rest = rest.dropFirst(piece.count)
            do throws(RedisReplyReader.Violation) {
                try reader.consume(
                    piece, limit: { () throws(RedisReplyReader.Violation) in replies % 3 == 2 ? nil : 4096 }
                ) { reply in
                    replies += 1
                    if case .block(let buffer) = reply { require(buffer.count <= 4096, "no more than the limit") }
                }
            } catch {
                require(error.reason.utf8.count < 1024, "a short reason")
                return
            }
        }
    }
}
