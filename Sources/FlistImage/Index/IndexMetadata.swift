/// The part of an index that is not tree: tags, routes, router, backend and profile, as length-prefixed fields.
struct IndexMetadata {
    var tags: [(key: String, value: String)] = []
    var routes: [ImageRoute] = []
    var routerYAML: [UInt8]?
    var backend: ImageBackend?
    /// As text: most who open a flist do not want it.
    var profile: [UInt8]?

    /// Counts and lengths are 32-bit, lowest byte first; nothing longer can be written.
    func encoded() -> [UInt8]? {
        var writer = Writer()
        writer.count(tags.count)
        for tag in tags {
            writer.bytes(tag.key.utf8)
            writer.bytes(tag.value.utf8)
        }
        writer.count(routes.count)
        for route in routes {
            writer.output += [route.start, route.end]
            writer.bytes(route.url.utf8)
        }
        writer.optional(routerYAML)
        writer.output.append(backend == nil ? 0 : 1)
        if let backend {
            writer.bytes(backend.host.utf8)
            writer.output += [UInt8(truncatingIfNeeded: backend.port), UInt8(truncatingIfNeeded: backend.port >> 8)]
            for field in [backend.namespace, backend.password, backend.socket, backend.token] {
                writer.optional(field?.utf8)
            }
        }
        writer.optional(profile)
        return writer.failed ? nil : writer.output
    }

    private struct Writer {
        var output: [UInt8] = []
        var failed = false

        mutating func count(_ value: Int) {
            guard let value = UInt32(exactly: value) else {
                failed = true
                return
            }
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                output.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }

        mutating func bytes(_ bytes: some Collection<UInt8>) {
            count(bytes.count)
            output.append(contentsOf: bytes)
        }

        mutating func optional(_ bytes: (some Collection<UInt8>)?) {
            output.append(bytes == nil ? 0 : 1)
            if let bytes { self.bytes(bytes) }
        }
    }

    /// Reads what `encoded` wrote; nil from any method means that it is damaged.
    struct Reader {
        private let section: MappedSection
        private var position: UInt64 = 0

        init(_ section: MappedSection) { self.section = section }

        mutating func metadata() -> IndexMetadata? {
            var result = IndexMetadata()
            guard let tags = count() else { return nil }
            for _ in 0..<tags {
                guard let key = string(), let value = string() else { return nil }
                result.tags.append((key, value))
            }
            guard let routes = count() else { return nil }
            for _ in 0..<routes {
                guard let start = byte(), let end = byte(), let url = string() else { return nil }
                result.routes.append(ImageRoute(start: start, end: end, url: url))
            }
            guard let hasRouter = flag() else { return nil }
            if hasRouter {
                guard let router = bytes() else { return nil }
                result.routerYAML = router
            }
            guard let hasBackend = flag() else { return nil }
            if hasBackend {
                guard let backend = backend() else { return nil }
                result.backend = backend
            }
            guard let hasProfile = flag() else { return nil }
            if hasProfile {
                guard let profile = bytes() else { return nil }
                result.profile = profile
            }
            return position == UInt64(section.count) ? result : nil
        }

        private mutating func backend() -> ImageBackend? {
            guard let host = string(), let low = byte(), let high = byte() else { return nil }
            var fields: [String?] = []
            for _ in 0..<4 {
                guard let present = flag() else { return nil }
                if present {
                    guard let field = string() else { return nil }
                    fields.append(field)
                } else {
                    fields.append(nil)
                }
            }
            return ImageBackend(
                host: host, port: UInt16(high) << 8 | UInt16(low), namespace: fields[0], password: fields[1],
                socket: fields[2], token: fields[3])
        }

        private mutating func take(_ count: UInt64) -> UnsafeRawBufferPointer? {
            guard let bytes = section.bytes(at: position, count: count) else { return nil }
            position += count
            return bytes
        }

        private mutating func byte() -> UInt8? { take(1)?.first }

        private mutating func flag() -> Bool? {
            guard let byte = byte(), byte <= 1 else { return nil }
            return byte == 1
        }

        private mutating func count() -> UInt32? {
            take(4)?.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }

        private mutating func bytes() -> [UInt8]? {
            guard let count = count() else { return nil }
            return take(UInt64(count)).map { [UInt8]($0) }
        }

        private mutating func string() -> String? {
            bytes().flatMap { String(validating: $0, as: UTF8.self) }
        }
    }
}
