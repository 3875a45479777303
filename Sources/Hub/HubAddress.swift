internal import BlockStore
internal import Support

/// Where a flist is, read from what a caller wrote and checked.
struct HubAddress: Sendable {
    enum Place: Sendable {
        case web(HTTPAddress)
        /// A file of this machine.
        case file(String)
    }

    let place: Place
    /// For people and logs: no user, password and query, printable, not long.
    let shown: String
    /// The address of its hash, likewise.
    var shownHash: String { "\(shown).md5" }
    /// Names the address, query, user and password included, and does not give them away.
    let key: Digest

    /// Presigned addresses have two thousand bytes; servers take eight (RFC 9110 §4.1 asks for that).
    private static let maximumLength = 8192
    private static let shownLength = 512

    /// - Throws: `usage` when it is no address, or one of another scheme than http, https and file.
    init(_ text: String) throws(FlistError) {
        let shown = Self.printable(HTTPAddress(text).shown)
        guard text.utf8.count <= Self.maximumLength else {
            let bounds = "it has \(text.utf8.count) bytes, at most \(Self.maximumLength) are taken"
            throw FlistError(.usage, "cannot fetch a flist from '\(shown)': \(bounds)")
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw FlistError(
                .usage, "cannot fetch a flist from '\(shown)': control characters are no part of an address")
        }
        let scheme = text.prefix { $0 != ":" }
        switch scheme.lowercased() {
        case "http", "https": place = .web(try Self.web(text, shown))
        case "file": place = .file(try Self.file(text.dropFirst(scheme.count + 1), shown))
        default:
            throw FlistError(
                .usage, "cannot fetch a flist from '\(shown)': only http://, https:// and file:/// addresses are known")
        }
        self.shown = shown
        let beforeFragment = text.prefix { $0 != "#" }
        key = Digest(BLAKE2b.hash(Array(beforeFragment.utf8), .bytes32).bytes) ?? .zero
    }

    /// Blanks and letters beyond ASCII are taken in paths, as browsers take them.
    private static func web(_ text: String, _ shown: String) throws(FlistError) -> HTTPAddress {
        guard let slashes = text.firstRange(of: "://") else {
            throw FlistError(.usage, "cannot fetch a flist from '\(shown)': the scheme must be followed by ://")
        }
        let authority = text[slashes.upperBound...].prefix { !"/?#".contains($0) }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        guard !host.isEmpty, !host.utf8.contains(0x20) else {
            throw FlistError(.usage, "cannot fetch a flist from '\(shown)': there is no host in it")
        }
        var encoded = String(text[..<authority.endIndex])
        for byte in text[authority.endIndex...].utf8 {
            if (0x21...0x7e).contains(byte) {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += "%" + Hex.encode([byte]).uppercased()
            }
        }
        return HTTPAddress(encoded)
    }

    /// Reads what follows `file:` (RFC 8089): `///path`, `//localhost/path` or `/path`.
    private static func file(_ text: Substring, _ shown: String) throws(FlistError) -> String {
        var rest = text.prefix { $0 != "?" && $0 != "#" }
        if rest.hasPrefix("//") {
            let host = rest.dropFirst(2).prefix { $0 != "/" }
            guard host.isEmpty || host.lowercased() == "localhost" else {
                throw FlistError(
                    .usage,
                    "cannot fetch a flist from '\(shown)': only files of this machine, as in file:///folder/name")
            }
            rest = rest.dropFirst(2 + host.count)
        }
        guard rest.hasPrefix("/"), let path = PercentEncoding.decode(rest.utf8) else {
            throw FlistError(
                .usage, "cannot fetch a flist from '\(shown)': it names no file, as file:///folder/name does")
        }
        return path
    }

    private static func printable(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars.prefix(shownLength) {
            let isPlain = scalar.value >= 0x20 && scalar.value != 0x7f && !(0x80...0x9f).contains(scalar.value)
            output += isPlain ? String(scalar) : scalar.escaped(asASCII: true)
        }
        return text.unicodeScalars.count > shownLength ? output + "..." : output
    }
}
