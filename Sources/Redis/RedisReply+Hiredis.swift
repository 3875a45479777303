internal import CHiredis

extension RedisReply {
    /// Copies what hiredis read. Arrays are as deep as hiredis allows, which is 7.
    init(_ reply: redisReply) {
        let text = UnsafeRawBufferPointer(start: reply.str, count: reply.str == nil ? 0 : Int(reply.len))
        switch reply.type {
        case REDIS_REPLY_NIL: self = .null
        case REDIS_REPLY_INTEGER: self = .integer(reply.integer)
        case REDIS_REPLY_STRING: self = .bytes([UInt8](text))
        case REDIS_REPLY_STATUS: self = .status(Self.printable(text))
        case REDIS_REPLY_ERROR: self = .error(Self.printable(text))
        case REDIS_REPLY_ARRAY:
            let elements = UnsafeBufferPointer(start: reply.element, count: Int(reply.elements))
            self = .array(elements.map { $0.map { RedisReply($0.pointee) } ?? .null })
        default: self = .other
        }
    }
}
