/// Something that a Cap'n Proto pointer leads to.
public indirect enum CapnpValue {
    case structure(data: [UInt64], pointers: [CapnpValue])
    /// Elements must have the same number of data words and pointers.
    case structures([(data: [UInt64], pointers: [CapnpValue])])
    case bytes([UInt8])
    /// A pointer word as it is, to make what no writer makes.
    case word(UInt64)
    case null

    /// Text, with its NUL.
    public static func text(_ bytes: [UInt8]) -> CapnpValue { .bytes(bytes + [0]) }
    public static func text(_ string: String) -> CapnpValue { .text(Array(string.utf8)) }
}

/// Makes Cap'n Proto messages, sound and otherwise.
public struct CapnpBuilder {
    /// How pointers lead to their objects.
    public enum Layout: CaseIterable, Sendable {
        /// Everything in one segment.
        case single
        /// Every object in a segment of its own, behind a landing pad.
        case far
        /// Every object in a segment of its own, with the landing pad in yet another one.
        case doubleFar
    }

    private let layout: Layout
    private var segments: [[UInt64]] = [[0]]

    public static func message(_ root: CapnpValue, layout: Layout = .single) -> [UInt8] {
        var builder = CapnpBuilder(layout: layout)
        builder.place(root, at: (0, 0))
        return frame(builder.segments)
    }

    /// Segments as a stream.
    public static func frame(_ segments: [[UInt64]]) -> [UInt8] {
        var table = [UInt32(segments.count - 1)] + segments.map { UInt32($0.count) }
        if table.count % 2 == 1 { table.append(0) }
        var bytes: [UInt8] = []
        for number in table { bytes += (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32($0 * 8)) } }
        for word in segments.joined() { bytes += (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) } }
        return bytes
    }

    private init(layout: Layout) { self.layout = layout }

    public static func structPointer(offset: Int, data: Int, pointers: Int) -> UInt64 {
        UInt64(UInt32(bitPattern: Int32(offset) << 2)) | UInt64(data) << 32 | UInt64(pointers) << 48
    }

    public static func listPointer(offset: Int, kind: UInt64, count: Int) -> UInt64 {
        UInt64(UInt32(bitPattern: Int32(offset) << 2)) | 1 | kind << 32 | UInt64(count) << 35
    }

    public static func farPointer(segment: Int, word: Int, double: Bool) -> UInt64 {
        2 | (double ? 4 : 0) | UInt64(word) << 3 | UInt64(segment) << 32
    }

    private mutating func place(_ value: CapnpValue, at pointer: (segment: Int, word: Int)) {
        switch value {
        case .null: break
        case .word(let word): segments[pointer.segment][pointer.word] = word
        case .bytes(let bytes):
            var words = [UInt64](repeating: 0, count: (bytes.count + 7) / 8)
            for (index, byte) in bytes.enumerated() { words[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8) }
            put(words, at: pointer) { Self.listPointer(offset: $0, kind: 2, count: bytes.count) }
        case .structure(let data, let pointers):
            let content = data + [UInt64](repeating: 0, count: pointers.count)
            let place = put(content, at: pointer) {
                Self.structPointer(offset: $0, data: data.count, pointers: pointers.count)
            }
            for (index, child) in pointers.enumerated() {
                self.place(child, at: (place.segment, place.word + data.count + index))
            }
        case .structures(let elements):
            let data = elements.first?.data.count ?? 0
            let pointers = elements.first?.pointers.count ?? 0
            let size = data + pointers
            var content = [Self.structPointer(offset: elements.count, data: data, pointers: pointers)]
            for element in elements { content += element.data + [UInt64](repeating: 0, count: pointers) }
            let place = put(content, at: pointer) {
                Self.listPointer(offset: $0, kind: 7, count: elements.count * size)
            }
            for (index, element) in elements.enumerated() {
                for (position, child) in element.pointers.enumerated() {
                    self.place(child, at: (place.segment, place.word + 1 + index * size + data + position))
                }
            }
        }
    }

    /// Places an object; answers where it begins.
    @discardableResult
    private mutating func put(
        _ words: [UInt64], at pointer: (segment: Int, word: Int), _ tag: (Int) -> UInt64
    ) -> (segment: Int, word: Int) {
        switch layout {
        case .single:
            let start = segments[0].count
            segments[0] += words
            segments[0][pointer.word] = tag(start - pointer.word - 1)
            return (0, start)
        case .far:
            segments.append([tag(0)] + words)
            segments[pointer.segment][pointer.word] = Self.farPointer(
                segment: segments.count - 1, word: 0, double: false)
            return (segments.count - 1, 1)
        case .doubleFar:
            segments.append(words)
            let content = segments.count - 1
            segments.append([Self.farPointer(segment: content, word: 0, double: false), tag(0)])
            segments[pointer.segment][pointer.word] = Self.farPointer(segment: content + 1, word: 0, double: true)
            return (content, 0)
        }
    }
}
