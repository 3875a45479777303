internal import CMessagePack

extension MessagePackValue {
    /// The most bytes that a message may have: requests of the bus have some hundred.
    public static let sizeLimit = 1 << 20

    /// Reads the first value; what follows it is not looked at, as in Go.
    public init(decoding bytes: [UInt8], limit: Int = MessagePackValue.sizeLimit) throws(MessagePackError) {
        guard bytes.count <= limit else { throw .tooLarge(bytes.count) }
        let result = bytes.withUnsafeBytes { bytes -> Result<MessagePackValue, MessagePackError> in
            do throws(MessagePackError) {
                return .success(try Self.decode(bytes))
            } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer) throws(MessagePackError) -> MessagePackValue {
        let length = try MessagePackBounds.length(of: bytes)
        var unpacked = msgpack_unpacked()
        msgpack_unpacked_init(&unpacked)
        defer { msgpack_unpacked_destroy(&unpacked) }
        var offset = 0
        switch msgpack_unpack_next(&unpacked, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), length, &offset) {
        case MSGPACK_UNPACK_SUCCESS, MSGPACK_UNPACK_EXTRA_BYTES: return MessagePackValue(unpacked.data)
        case MSGPACK_UNPACK_NOMEM_ERROR: throw .outOfMemory
        // The pass over the bounds lets nothing through that ends here.
        default: throw .truncated
        }
    }

    /// Copies what msgpack-c read; as deep as the pass over the bounds allows.
    private init(_ object: msgpack_object) {
        let via = object.via
        switch object.type {
        case MSGPACK_OBJECT_BOOLEAN: self = .bool(via.boolean)
        case MSGPACK_OBJECT_POSITIVE_INTEGER:
            self = Int64(exactly: via.u64).map { .int($0) } ?? .uint(via.u64)
        case MSGPACK_OBJECT_NEGATIVE_INTEGER: self = .int(via.i64)
        case MSGPACK_OBJECT_FLOAT32, MSGPACK_OBJECT_FLOAT64: self = .double(via.f64)
        case MSGPACK_OBJECT_STR: self = .string(Self.bytes(via.str.ptr, via.str.size))
        case MSGPACK_OBJECT_BIN: self = .binary(Self.bytes(via.bin.ptr, via.bin.size))
        case MSGPACK_OBJECT_EXT: self = .ext(via.ext.type, Self.bytes(via.ext.ptr, via.ext.size))
        case MSGPACK_OBJECT_ARRAY:
            self = .array(
                UnsafeBufferPointer(start: via.array.ptr, count: Int(via.array.size)).map { MessagePackValue($0) })
        case MSGPACK_OBJECT_MAP:
            self = .map(
                UnsafeBufferPointer(start: via.map.ptr, count: Int(via.map.size)).map {
                    Pair(MessagePackValue($0.key), MessagePackValue($0.val))
                })
        default: self = .nil
        }
    }

    private static func bytes(_ start: UnsafePointer<CChar>?, _ count: UInt32) -> [UInt8] {
        [UInt8](UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(count)))
    }
}
