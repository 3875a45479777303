internal import Glibc
internal import Support

/// Goes through a tree of the file system as find(1) does: readdir(3), and lstat(2) of every entry.
enum FileWalk {
    struct Entry {
        let directory: [CChar]
        let name: [CChar]
        let status: stat

        /// With a zero at its end. Bytes: names need not be UTF-8.
        var path: [CChar] { FileWalk.joined(directory, name) }
        var isRegular: Bool { status.st_mode & S_IFMT == S_IFREG }
    }

    private static func joined(_ directory: [CChar], _ name: [CChar]) -> [CChar] {
        directory.dropLast() + [CChar(UInt8(ascii: "/"))] + name
    }

    /// What is on other file systems is passed over. `visit` answers false to end.
    ///
    /// - Parameters:
    ///   - descends: Whether directories below the root are walked, too.
    ///   - timing: Gets the start of each lstat(2), right after it.
    ///   - visit: Gets each entry but the root.
    /// - Throws: what could not be read.
    static func run(
        _ root: String, descends: Bool = true, timing: (Deadline) -> Void = { _ in }, visit: (Entry) -> Bool
    ) throws(FlistError) {
        var top = stat()
        guard lstat(root, &top) == 0 else { throw FlistError("cannot walk \(root)", errno: .current) }
        var pending = [Array(root.utf8CString)]
        while let path = pending.popLast() {
            guard let directory = opendir(path) else {
                throw FlistError("cannot open \(shown(path))", errno: .current)
            }
            defer { closedir(directory) }
            let descriptor = dirfd(directory)
            while let entry = readdir(directory) {
                var status = stat()
                let start = Deadline.now
                let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                    tuple.withMemoryRebound(to: CChar.self, capacity: 256) { name -> [CChar]? in
                        if strcmp(name, ".") == 0 || strcmp(name, "..") == 0 { return [] }
                        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
                        timing(start)
                        return Array(UnsafeBufferPointer(start: name, count: strlen(name) + 1))
                    }
                }
                guard let name else {
                    throw FlistError("cannot look at an entry of \(shown(path))", errno: .current)
                }
                guard !name.isEmpty, status.st_dev == top.st_dev else { continue }
                if descends, status.st_mode & S_IFMT == S_IFDIR { pending.append(joined(path, name)) }
                guard visit(Entry(directory: path, name: name, status: status)) else { return }
            }
        }
    }

    /// A path for people.
    static func shown(_ path: [CChar]) -> String { PathText.escaped(path.dropLast().map { UInt8(bitPattern: $0) }) }
}
