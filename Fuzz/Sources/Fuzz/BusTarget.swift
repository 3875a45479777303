import Support

@testable import ZBus

/// Messages of the bus, as a server and as a client reads them.
enum BusTarget {
    static func run(_ bytes: UnsafeRawBufferPointer) {
        let bytes = [UInt8](bytes)
        if let value = try? MessagePackValue(decoding: bytes) {
            let again = try? MessagePackValue(decoding: value.encoded, limit: .max)
            // Numbers that are none are not equal to themselves.
            require(again?.encoded == value.encoded, "what was written is read again")
            _ = value.time
            _ = ZBusStatus(value)
        }
        _ = try? ZBusRequest(decoding: bytes)
        _ = ZBusResponse(decoding: bytes, limit: 1 << 20)
    }
}
