import Glibc

/// A file that holds the input, for readers that open paths. The same one for every input.
enum ScratchFile {
    static let path: String = {
        var name = Array("\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/flist-fuzz-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else {
            perror("mkdtemp")
            exit(2)
        }
        let folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        atexit { ScratchFile.remove() }
        return "\(folder)/input"
    }()

    private static func remove() {
        unlink(path)
        rmdir(String(path.dropLast("/input".count)))
    }

    static func write(_ bytes: UnsafeRawBufferPointer) -> String {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0, Glibc.write(file, bytes.baseAddress, bytes.count) == bytes.count else {
            perror(path)
            exit(2)
        }
        close(file)
        return path
    }
}
