/// A struct inside a message. Fields that the writer's schema did not have read as zero, empty or null.
///
/// Positions are those that `capnp compile -ocapnp` prints. Valid with its message; not thread-safe.
public struct CapnpStruct {
    let message: CapnpMessage
    let segment: Int
    let start: Int
    let dataWords: Int
    let pointers: Int
    let depth: Int

    /// The unsigned integer at a byte of the data section, which is a multiple of its size.
    public func integer<Value: UnsignedInteger & FixedWidthInteger>(at byte: Int, as: Value.Type) -> Value {
        let size = Value.bitWidth / 8
        guard byte >= 0, byte + size <= dataWords * 8 else { return 0 }
        // The data section was checked to lie inside the message when the struct was read.
        let offset = message.segments[segment].start + start * 8 + byte
        var value: Value = 0
        for index in 0..<size { value |= Value(message.bytes[offset + index]) << Value(index * 8) }
        return value
    }

    /// The bytes of a Data field.
    public func data(_ pointer: Int) throws(FormatError) -> ArraySlice<UInt8> {
        guard pointer >= 0, pointer < pointers else { return [] }
        return message.bytes[try message.readBytes(segment: segment, word: start + dataWords + pointer)]
    }

    /// The bytes of a Text field without the NUL at its end. They need not be UTF-8.
    public func text(_ pointer: Int) throws(FormatError) -> ArraySlice<UInt8> {
        let bytes = try data(pointer)
        guard let last = bytes.last else { return [] }
        guard last == 0 else { throw .malformed("a text does not end with NUL") }
        return bytes.dropLast()
    }

    /// The struct in a pointer field.
    public func structure(_ pointer: Int) throws(FormatError) -> CapnpStruct {
        guard pointer >= 0, pointer < pointers else {
            return CapnpStruct(message: message, segment: 0, start: 0, dataWords: 0, pointers: 0, depth: depth + 1)
        }
        return try message.readStruct(segment: segment, word: start + dataWords + pointer, depth: depth + 1)
    }

    /// The list of structs in a pointer field.
    public func structures(_ pointer: Int) throws(FormatError) -> CapnpStructList {
        guard pointer >= 0, pointer < pointers else {
            return CapnpStructList(
                message: message, segment: 0, start: 0, count: 0, dataWords: 0, pointers: 0, depth: depth + 1)
        }
        return try message.readStructs(segment: segment, word: start + dataWords + pointer, depth: depth + 1)
    }
}

/// A list of structs inside a message. Valid with its message; not thread-safe.
public struct CapnpStructList {
    let message: CapnpMessage
    let segment: Int
    let start: Int
    /// The number of structs.
    public let count: Int
    let dataWords: Int
    let pointers: Int
    let depth: Int

    /// The struct at `index`; nil when there is none.
    public func element(_ index: Int) throws(FormatError) -> CapnpStruct? {
        guard index >= 0, index < count else { return nil }
        return CapnpStruct(
            message: message, segment: segment, start: start + index * (dataWords + pointers), dataWords: dataWords,
            pointers: pointers, depth: depth + 1)
    }
}
