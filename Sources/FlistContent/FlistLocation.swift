internal import BlockStore
public import FlistImage
internal import Glibc
public import Support

/// Opens what a person names as a flist: a path, or an http(s) URL.
public enum FlistLocation {
    /// Metadata larger than this is refused: 4 GiB hold some 50 million entries.
    private static let downloadLimit: UInt64 = 4 << 30

    /// Whether the argument is an address rather than a path.
    public static func isURL(_ argument: String) -> Bool {
        let scheme = argument.prefix { $0 != ":" }
        return ["http", "https"].contains(scheme.lowercased()) && argument[scheme.endIndex...].hasPrefix("://")
    }

    /// The argument as others may see it, in the mount table and in logs: an address without user, password and query.
    public static func shown(_ argument: String) -> String {
        isURL(argument) ? HTTPAddress(argument).shown : argument
    }

    /// Maps the tree of a flist, building its index where that is not there yet. Blocks.
    ///
    /// - Parameters:
    ///   - indexFolder: where indexes are kept; nil to build one for this process alone.
    ///   - hash: of the one flist that it has to be: where its index is kept, nothing else is looked at.
    public static func open(
        _ argument: String, indexFolder: String?, hash: Digest? = nil
    ) throws(FlistError) -> TreeIndex {
        if let hash, let indexFolder, let index = FlistReader.index(of: hash, in: indexFolder) { return index }
        let index = try read(argument, indexFolder)
        guard hash == nil || index.summary.flistHash == hash else {
            throw FlistError(.invalid, "\(shown(argument)) is another flist than before")
        }
        return index
    }

    private static func read(_ argument: String, _ indexFolder: String?) throws(FlistError) -> TreeIndex {
        guard isURL(argument) else { return try FlistReader.open(argument, indexFolder: indexFolder) }
        let file = try TemporaryFile()
        var options = HTTPDownload.Options()
        options.limit = downloadLimit
        try HTTPDownload.download(argument, to: file.descriptor, options: options)
        do throws(FlistError) {
            return try FlistReader.open(file.path, indexFolder: indexFolder)
        } catch {
            // Not the name of a file that nobody has heard of.
            let message = error.message.split(separator: file.path, omittingEmptySubsequences: false)
                .joined(separator: argument)
            throw FlistError(error.code, message, cause: error.cause)
        }
    }
}

/// A file that goes with its owner. It has a name, since sqlite opens files by theirs.
private struct TemporaryFile: ~Copyable {
    let path: String
    let descriptor: FileDescriptor

    init() throws(FlistError) {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
        var name = Array("\(folder)/flist-XXXXXX".utf8CString)
        let number = mkstemp(&name)
        guard number >= 0 else { throw FlistError("cannot make a temporary file in \(folder)", errno: .current) }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        descriptor = FileDescriptor(owning: number)
        path = name.withUnsafeBufferPointer { buffer in buffer.baseAddress.map { String(cString: $0) } ?? "" }
    }

    deinit { unlink(path) }
}
