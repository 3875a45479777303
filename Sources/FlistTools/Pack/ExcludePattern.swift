internal import Glibc
public import Support

/// A glob that names what not to pack, by the path relative to the source.
///
/// As in .gitignore: without a slash inside it matches a name at any depth, with one (or one in front) the whole path;
/// a slash at the end restricts it to directories; `*`, `?` and `[...]` as in fnmatch(3) do not match a slash, but
/// `**` matches anything.
public struct ExcludePattern: Sendable, Hashable {
    private let glob: [CChar]
    private let isPath: Bool
    private let onlyDirectories: Bool
    private let flags: Int32

    /// - Throws: `usage` for a pattern that names nothing.
    public init(parsing text: String) throws(FlistError) {
        var rest = Substring(text)
        onlyDirectories = rest.hasSuffix("/")
        while rest.hasSuffix("/") { rest.removeLast() }
        isPath = rest.contains("/")
        while rest.hasPrefix("/") { rest.removeFirst() }
        if rest.hasPrefix("./") { rest.removeFirst(2) }
        guard !rest.isEmpty else {
            throw FlistError(.usage, "the exclude pattern \"\(text)\" names nothing; write a name, a path or a glob")
        }
        glob = Array(String(rest).utf8CString)
        // Without FNM_PATHNAME a star crosses slashes.
        flags = rest.contains("**") ? 0 : Int32(FNM_PATHNAME)
    }

    /// - Parameter path: relative to the source, without a slash in front.
    func matches(path: [UInt8], isDirectory: Bool) -> Bool {
        if onlyDirectories && !isDirectory { return false }
        let subject = isPath ? path[...] : path[((path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]
        let text = subject.map { CChar(bitPattern: $0) } + [0]
        return fnmatch(glob, text, flags) == 0
    }
}
