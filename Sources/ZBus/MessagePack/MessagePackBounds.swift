/// Finds where a value ends, and refuses one that declares more than is there.
///
/// msgpack-c makes room for as many elements as an array declares before it has seen one of them, so 5 bytes could ask
/// for 100 GB. After this pass every element is known to exist.
enum MessagePackBounds {
    /// Arrays and maps within each other. Messages of the bus have 3; msgpack-c knows 32.
    static let depth = 16

    /// The bytes of the first value.
    static func length(of bytes: UnsafeRawBufferPointer) throws(MessagePackError) -> Int {
        var position = 0
        // Values still to come of each array and map that is open.
        var open = [1]
        while let left = open.popLast() {
            guard left > 0 else { continue }
            open.append(left - 1)
            guard position < bytes.count else { throw .truncated }
            let code = bytes[position]
            position += 1
            let head = try Head(code)
            let rest = bytes.count - position
            guard head.width <= rest else { throw .truncated }
            var count = head.count
            for byte in bytes[position..<(position + head.width)] { count = count << 8 | Int(byte) }
            position += head.width
            // Every element takes a byte at least.
            guard count <= bytes.count - position, count * head.unit + head.extra <= bytes.count - position else {
                throw .truncated
            }
            if head.isContainer {
                guard open.count <= depth else { throw .tooDeep }
                open.append(count * head.unit)
            } else {
                position += count * head.unit + head.extra
            }
        }
        return position
    }

    /// What the first byte of a value says about the rest.
    private struct Head {
        /// Bytes of a count that follows, at most 4.
        var width = 0
        /// The count, when the first byte holds it.
        var count = 0
        /// Values or bytes for each one counted.
        var unit = 1
        /// Bytes that come anyway.
        var extra = 0
        var isContainer = false

        init(_ code: UInt8) throws(MessagePackError) {
            switch code {
            case 0x00...0x7f, 0xe0...0xff, 0xc0, 0xc2, 0xc3: break
            case 0x80...0x8f: (count, unit, isContainer) = (Int(code & 15), 2, true)
            case 0x90...0x9f: (count, isContainer) = (Int(code & 15), true)
            case 0xa0...0xbf: count = Int(code & 31)
            case 0xc4, 0xd9: width = 1
            case 0xc5, 0xda: width = 2
            case 0xc6, 0xdb: width = 4
            case 0xc7: (width, extra) = (1, 1)
            case 0xc8: (width, extra) = (2, 1)
            case 0xc9: (width, extra) = (4, 1)
            case 0xca, 0xce, 0xd2: count = 4
            case 0xcb, 0xcf, 0xd3: count = 8
            case 0xcc, 0xd0: count = 1
            case 0xcd, 0xd1: count = 2
            case 0xd4...0xd8: (count, extra) = (1 << Int(code - 0xd4), 1)
            case 0xdc: (width, isContainer) = (2, true)
            case 0xdd: (width, isContainer) = (4, true)
            case 0xde: (width, unit, isContainer) = (2, 2, true)
            case 0xdf: (width, unit, isContainer) = (4, 2, true)
            default: throw .invalid(code)
            }
        }
    }
}
