internal import BlockStore
public import FlistImage
internal import Glibc
public import Support

/// Opens what a person names as a flist: a path, or an http(s) URL.
public enum FlistSource {
    /// Metadata larger than this is refused: 4 GiB hold some 50 million entries.
    private static let downloadLimit: UInt64 = 4 << 30

    /// Whether the argument is an address rather than a path.
    public static func isURL(_ argument: String) -> Bool {
        argument.hasPrefix("http://") || argument.hasPrefix("https://")
    }

    /// Maps the tree of a flist, building its index where that is not there yet. Blocks.
    ///
    /// - Parameter indexFolder: where indexes are kept; nil to build one for this process alone.
    public static func open(_ argument: String, indexFolder: String?) throws(FlistError) -> TreeIndex {
        guard isURL(argument) else { return try FlistReader.open(argument, indexFolder: indexFolder) }
        let file = try temporaryFile()
        var options = HTTPDownload.Options()
        options.limit = downloadLimit
        try HTTPDownload.download(argument, to: file, options: options)
        let path = "/proc/self/fd/\(file.number)"
        do throws(FlistError) {
            return try FlistReader.open(path, indexFolder: indexFolder)
        } catch {
            // People know the address, not the file.
            throw FlistError(error.code, naming(argument, insteadOf: path, in: error.message), cause: error.cause)
        }
    }

    private static func naming(_ address: String, insteadOf path: String, in message: String) -> String {
        var (result, rest) = ("", message[...])
        while let first = rest.first {
            if rest.hasPrefix(path) {
                result += address
                rest = rest.dropFirst(path.count)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    /// A file without a name, which is gone when it is closed.
    private static func temporaryFile() throws(FlistError) -> FileDescriptor {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
        // O_TMPFILE is __O_TMPFILE | O_DIRECTORY, which Swift does not import (asm-generic/fcntl.h).
        let temporary: Int32 = 0o20_000_000 | O_DIRECTORY
        do throws(Errno) {
            do throws(Errno) {
                return try FileDescriptor(folder, O_RDWR | temporary, mode: 0o600)
            } catch  where error == .notSupported || error == .isDirectory {
                // File systems without such files say the one, kernels before 3.11 the other (open(2)).
                let path = "\(folder)/flist-\(UInt64.random(in: 0...UInt64.max))"
                let file = try FileDescriptor(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
                unlink(path)
                return file
            }
        } catch {
            throw FlistError("cannot make a temporary file in \(folder)", errno: error)
        }
    }
}
