public import Support

/// A profile as text: one range a line, `OFFSET LENGTH PATH`, in the order in which the bytes are wanted.
///
/// The first line is `# flist profile 1`; others that begin with `#` are comments, so that profiles can be put
/// together with cat(1). In paths a backslash and three octal digits stand for a byte.
public enum ProfileText {
    static let header = "# flist profile 1"
    /// Ranges that a profile may have.
    public static let maximumEntries = 4096
    /// Bytes of text that a profile may have.
    public static let maximumBytes = 4 << 20
    /// PATH_MAX.
    static let maximumPath = 4096

    /// The text of a profile.
    public static func encode(_ entries: [ProfileEntry]) -> [UInt8] {
        var text = Array("\(header)\n".utf8)
        for entry in entries {
            text += Array("\(entry.offset) \(entry.length) ".utf8)
            text += OctalEscape.encode(entry.path)
            text.append(UInt8(ascii: "\n"))
        }
        return text
    }

    /// Reads the text of a profile.
    /// - Throws: `invalid`, with the number of the line that is wrong.
    public static func decode(_ text: [UInt8]) throws(FlistError) -> [ProfileEntry] {
        guard text.count <= maximumBytes else {
            throw FlistError(.invalid, "a profile of more than \(maximumBytes) bytes")
        }
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard lines.first?.elementsEqual(header.utf8) == true else {
            throw FlistError(.invalid, "no profile: its first line is not \"\(header)\"")
        }
        var entries: [ProfileEntry] = []
        for (number, line) in lines.enumerated() where !line.isEmpty && line.first != UInt8(ascii: "#") {
            guard let entry = entry(line), fault(entry) == nil else {
                throw FlistError(
                    .invalid,
                    "line \(number + 1) of the profile is not an offset, a length and a path that begins with /")
            }
            guard entries.count < maximumEntries else {
                throw FlistError(.invalid, "a profile of more than \(maximumEntries) ranges; leave out the last ones")
            }
            entries.append(entry)
        }
        return entries
    }

    private static func entry(_ line: ArraySlice<UInt8>) -> ProfileEntry? {
        let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3, let offset = number(fields[0]), let length = number(fields[1]) else { return nil }
        return ProfileEntry(path: OctalEscape.decode(fields[2]), offset: offset, length: length)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        String(validating: digits, as: UTF8.self).flatMap { UInt64($0) }
    }

    /// What is wrong with a range; nil when nothing is.
    static func fault(_ entry: ProfileEntry) -> String? {
        guard entry.path.first == UInt8(ascii: "/"), entry.path.count <= maximumPath, !entry.path.contains(0) else {
            return "a path that does not begin with / or is longer than \(maximumPath) bytes"
        }
        // No file is larger, and sums do not overflow.
        let largest = UInt64(Int64.max)
        guard entry.length > 0, entry.length <= largest, entry.offset <= largest - entry.length else {
            return "a range that no file has"
        }
        return nil
    }

    /// Refuses what could not be read back.
    static func check(_ entries: [ProfileEntry]) throws(FlistError) {
        guard entries.count <= maximumEntries else {
            throw FlistError(.invalid, "a profile of more than \(maximumEntries) ranges")
        }
        for entry in entries {
            if let fault = fault(entry) { throw FlistError(.invalid, "the profile has \(fault)") }
        }
        guard encode(entries).count <= maximumBytes else {
            throw FlistError(.invalid, "a profile of more than \(maximumBytes) bytes")
        }
    }
}
