internal import Support

/// The name of a mount: one component of a path.
struct MountName: Sendable, Hashable {
    let text: String

    /// - Throws: `invalid mount name` for what is no name of a file: empty, `.`, `..`, with a slash or a zero byte, or
    ///   of more than 255 bytes. Text that was no UTF-8 came with U+FFFD in it, and is refused, too.
    init(_ text: String) throws(FlistError) {
        let bytes = text.utf8
        guard !bytes.isEmpty, bytes.count <= 255, text != ".", text != "..", !bytes.contains(UInt8(ascii: "/")),
            !bytes.contains(0), !text.unicodeScalars.contains("\u{FFFD}")
        else {
            throw FlistError(.invalid, "invalid mount name")
        }
        self.text = text
    }

    /// The last component of a path, as Go's `filepath.Base` has it.
    init(baseOf path: String) throws(FlistError) {
        try self.init(path.split(separator: "/", omittingEmptySubsequences: true).last.map(String.init) ?? ".")
    }
}
