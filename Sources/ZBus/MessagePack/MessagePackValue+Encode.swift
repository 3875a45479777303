internal import CMessagePack

extension MessagePackValue {
    /// The value's bytes. Lengths and counts of more than 32 bits do not exist here: no such value fits in memory twice.
    public var encoded: [UInt8] {
        var buffer = msgpack_sbuffer()
        msgpack_sbuffer_init(&buffer)
        defer { msgpack_sbuffer_destroy(&buffer) }
        return withUnsafeMutablePointer(to: &buffer) { buffer in
            var packer = msgpack_packer()
            msgpack_packer_init(&packer, buffer, msgpack_sbuffer_write)
            encode(&packer)
            return [UInt8](UnsafeRawBufferPointer(start: buffer.pointee.data, count: buffer.pointee.size))
        }
    }

    private func encode(_ packer: inout msgpack_packer) {
        switch self {
        case .nil: msgpack_pack_nil(&packer)
        case .bool(true): msgpack_pack_true(&packer)
        case .bool(false): msgpack_pack_false(&packer)
        case .int(let value): msgpack_pack_int64(&packer, value)
        case .uint(let value): msgpack_pack_fix_uint64(&packer, value)
        case .double(let value): msgpack_pack_double(&packer, value)
        case .string(let bytes):
            msgpack_pack_str(&packer, bytes.count)
            msgpack_pack_str_body(&packer, bytes, bytes.count)
        case .binary(let bytes):
            msgpack_pack_bin(&packer, bytes.count)
            msgpack_pack_bin_body(&packer, bytes, bytes.count)
        case .ext(let type, let bytes):
            msgpack_pack_ext(&packer, bytes.count, type)
            msgpack_pack_ext_body(&packer, bytes, bytes.count)
        case .array(let values):
            msgpack_pack_array(&packer, values.count)
            for value in values { value.encode(&packer) }
        case .map(let pairs):
            msgpack_pack_map(&packer, pairs.count)
            for pair in pairs {
                pair.key.encode(&packer)
                pair.value.encode(&packer)
            }
        }
    }
}
