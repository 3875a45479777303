internal import CYAML

/// A small YAML document. Scalars are texts; anchors and aliases are refused, sizes and depth bounded.
public enum YAMLNode: Sendable {
    case scalar(String)
    case sequence([YAMLNode])
    case mapping([(key: String, value: YAMLNode)])

    /// What is wrong with a document, and where.
    public struct Fault: Error, Equatable {
        public let reason: String

        /// There is nothing in the document, comments apart.
        public static let empty = Fault(reason: "it is empty")
    }

    private static let maximumBytes = 1 << 20
    private static let maximumDepth = 8
    private static let maximumNodes = 100_000

    /// Reads the only document in `bytes`.
    public static func parse(_ bytes: [UInt8]) throws(Fault) -> YAMLNode {
        guard bytes.count <= maximumBytes else { throw Fault(reason: "it is larger than \(maximumBytes) bytes") }
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else { throw Fault(reason: "out of memory") }
        defer { yaml_parser_delete(parser) }
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<YAMLNode, Fault> in
            yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
            var reader = Reader(parser: parser)
            do throws(Fault) {
                return .success(try reader.document())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private enum Event {
        case node(YAMLNode)
        case sequenceStart, mappingStart, collectionEnd, streamEnd, other
    }

    private struct Reader {
        let parser: UnsafeMutablePointer<yaml_parser_t>
        var nodes = 0

        mutating func document() throws(Fault) -> YAMLNode {
            var root: YAMLNode?
            while true {
                let event = try next()
                if case .streamEnd = event { break }
                if case .other = event { continue }
                guard root == nil else { throw Fault(reason: "it holds more than one document") }
                root = try node(event, depth: 0)
            }
            guard let root else { throw .empty }
            return root
        }

        private mutating func node(_ event: Event, depth: Int) throws(Fault) -> YAMLNode {
            guard depth < maximumDepth else { throw Fault(reason: "it is nested deeper than \(maximumDepth) levels") }
            nodes += 1
            guard nodes <= maximumNodes else { throw Fault(reason: "it holds more than \(maximumNodes) values") }
            switch event {
            case .node(let node): return node
            case .sequenceStart:
                var elements: [YAMLNode] = []
                while true {
                    let event = try next()
                    if case .collectionEnd = event { return .sequence(elements) }
                    elements.append(try node(event, depth: depth + 1))
                }
            case .mappingStart:
                var pairs: [(key: String, value: YAMLNode)] = []
                var seen: Set<String> = []
                while true {
                    let event = try next()
                    if case .collectionEnd = event { return .mapping(pairs) }
                    guard case .scalar(let key) = try node(event, depth: depth + 1) else {
                        throw Fault(reason: "a key is no text, line \(line)")
                    }
                    guard seen.insert(key).inserted else {
                        throw Fault(reason: "the key \"\(key.prefix(80))\" is there twice, line \(line)")
                    }
                    pairs.append((key, try node(try next(), depth: depth + 1)))
                }
            case .collectionEnd, .streamEnd, .other: throw Fault(reason: "it ends too early")
            }
        }

        private var line: Int { Int(clamping: parser.pointee.mark.line) &+ 1 }

        private mutating func next() throws(Fault) -> Event {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else {
                let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
                throw Fault(reason: "\(problem), line \(Int(clamping: parser.pointee.problem_mark.line) &+ 1)")
            }
            defer { yaml_event_delete(&event) }
            let anchor: UnsafeMutablePointer<yaml_char_t>?
            let result: Event
            switch event.type {
            case YAML_SCALAR_EVENT:
                anchor = event.data.scalar.anchor
                let bytes = UnsafeBufferPointer(start: event.data.scalar.value, count: event.data.scalar.length)
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw Fault(reason: "a value is no UTF-8, line \(line)")
                }
                result = .node(.scalar(text))
            case YAML_SEQUENCE_START_EVENT: (anchor, result) = (event.data.sequence_start.anchor, .sequenceStart)
            case YAML_MAPPING_START_EVENT: (anchor, result) = (event.data.mapping_start.anchor, .mappingStart)
            case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: (anchor, result) = (nil, .collectionEnd)
            case YAML_STREAM_END_EVENT: (anchor, result) = (nil, .streamEnd)
            case YAML_ALIAS_EVENT: throw Fault(reason: "aliases are not allowed, line \(line)")
            default: (anchor, result) = (nil, .other)
            }
            guard anchor == nil else { throw Fault(reason: "anchors are not allowed, line \(line)") }
            return result
        }
    }
}
