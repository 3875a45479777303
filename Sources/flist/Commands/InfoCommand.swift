internal import ArgumentParser
internal import BlockCodec
internal import BlockStore
internal import FlistImage
internal import Support
internal import ProgramSupport

/// `flist info`: shows what a flist is and holds.
struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Shows format, counts, sizes, tags and routes of a flist.",
        discussion: """
            Passwords and tokens in routes are not shown.

              flist info debian.fl
            """)

    @OptionGroup var flist: FlistArgument
    @OptionGroup var json: JSONOption

    func run() throws {
        let index = try FlistOpening.index(flist)
        let facts = facts(index.summary)
        let routes = Self.routes(index)
        if json.isOn {
            var members: [(key: String, value: JSONValue)] = [("flist", .string(flist.flist))]
            members += facts.map { ($0.key, $0.json) }
            members.append(("tags", .object(index.tags.map { ($0.key, .string($0.value)) })))
            members.append(
                (
                    "routes",
                    .array(
                        routes.map { .object([("range", .string($0.range)), ("url", .string($0.url))]) })
                ))
            members.append(("router_yaml", .bool(index.routerYAML != nil)))
            JSONValue.object(members).print()
            return
        }
        let width = facts.map(\.label.utf8.count).max() ?? 0
        func line(_ label: String, _ text: String) {
            Output.line(label + String(repeating: " ", count: max(1, width + 2 - label.utf8.count)) + text)
        }
        for fact in facts { line(fact.label, fact.text) }
        for tag in index.tags { line("tag", "\(Self.oneLine(tag.key))=\(Self.oneLine(tag.value))") }
        for route in routes { line("route", "\(route.range) \(Self.oneLine(route.url))") }
        if index.routerYAML != nil { line("router", "a router.yaml is in it") }
    }

    private struct Fact {
        let label: String
        let key: String
        let text: String
        let json: JSONValue

        init(_ label: String, _ key: String, _ number: Int) {
            (self.label, self.key) = (label, key)
            text = "\(number)"
            json = .integer(Int64(number))
        }

        init(_ label: String, _ key: String, bytes: UInt64) {
            (self.label, self.key) = (label, key)
            text = bytes < 1024 ? "\(bytes) B" : "\(ByteCount(bytes)) (\(bytes) bytes)"
            json = .unsigned(bytes)
        }

        init(_ label: String, _ key: String, _ text: String) {
            (self.label, self.key, self.text) = (label, key, text)
            json = .string(text)
        }
    }

    private func facts(_ summary: TreeSummary) -> [Fact] {
        [
            Fact("format", "format", Self.name(summary.kind)), Fact("codec", "codec", Self.name(summary.codec)),
            Fact("hash", "hash", summary.flistHash.description),
            Fact("block size", "block_size", bytes: UInt64(clamping: summary.blockSize)),
            Fact("entries", "entries", summary.entries), Fact("directories", "directories", summary.directories),
            Fact("files", "files", summary.files), Fact("symlinks", "symlinks", summary.symlinks),
            Fact("special files", "special_files", summary.specials),
            Fact("hard links", "hard_links", summary.hardLinkNames), Fact("xattrs", "xattrs", summary.xattrs),
            Fact("blocks", "blocks", summary.blockReferences),
            Fact("unreadable files", "files_without_blocks", summary.filesWithoutBlocks),
            Fact("size", "size", bytes: summary.totalSize),
            Fact("without holes", "size_without_holes", bytes: summary.storedPlainSize),
            Fact("largest file", "largest_file", bytes: summary.largestFile),
        ]
    }

    private static func name(_ kind: FlistKind) -> String {
        switch kind {
        case .flist: "flist"
        case .rfs: "rfs"
        case .zstd: "zstd"
        }
    }

    private static func name(_ codec: BlockCodec) -> String {
        switch codec {
        case .xxteaSnappy: "snappy, xxtea"
        case .gcmSnappy: "snappy, aes-256-gcm"
        case .gcmZstd: "zstd, aes-256-gcm"
        }
    }

    /// Where the flist says its blocks are; an address that cannot be taken apart is not shown, for it may hold secrets.
    private static func routes(_ index: TreeIndex) -> [(range: String, url: String)] {
        var routes = index.routes.map { route in
            (
                Hex.encode([route.start]) + "-" + Hex.encode([route.end]),
                ShownURL.of(route.url)
            )
        }
        if let backend = index.backend {
            let host = backend.host.contains(":") ? "[\(backend.host)]" : backend.host
            let place = backend.socket ?? "\(host):\(backend.port)"
            let namespace = backend.namespace.map { "/\($0)" } ?? ""
            routes.append(("00-ff", "zdb://\(place)\(namespace)"))
        }
        return routes
    }

    private static func oneLine(_ text: String) -> String { NameStyle.escaped(Array(text.utf8)) }
}

/// Addresses as people may see them.
enum ShownURL {
    static func of(_ text: String) -> String {
        guard let url = try? StoreURL(parsing: text) else { return "(an address that is not understood)" }
        return url.description
    }
}
