extension RedisLink {
    /// Sends commands of words that are copied, see `commands`; the replies in order.
    public func pipeline(_ commands: [[[UInt8]]]) throws(RedisError) -> [RedisReply] {
        // One piece of memory for all words, so that pointers into it live long enough.
        let all = commands.flatMap { $0.flatMap { $0 } }
        let result = all.withUnsafeBytes { bytes -> Result<[RedisReply], RedisError> in
            var start = 0
            let parts = commands.map { words in
                words.map { word in
                    defer { start += word.count }
                    return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + word.count)])
                }
            }
            do throws(RedisError) {
                return .success(try self.commands(parts))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// One command of words that are copied.
    @discardableResult
    public func command(_ words: [[UInt8]]) throws(RedisError) -> RedisReply {
        try pipeline([words]).first ?? .other
    }

    /// One command of texts.
    @discardableResult
    public func command(_ words: String...) throws(RedisError) -> RedisReply {
        try command(words.map { [UInt8]($0.utf8) })
    }
}
