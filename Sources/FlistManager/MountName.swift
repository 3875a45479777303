internal import Support

/// The name of a mount: one component of a path.
///
/// Names are their bytes, as in the kernel: texts that Unicode holds for the same, such as `é` in one piece and in two,
/// are two names.
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
        try self.init(path.utf8.split(separator: UInt8(ascii: "/")).last.flatMap { String($0) } ?? ".")
    }

    static func == (one: MountName, other: MountName) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }

    func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}
