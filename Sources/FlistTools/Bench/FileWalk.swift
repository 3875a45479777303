internal import Glibc
internal import Support

/// Goes through a tree of the file system as find(1) does: readdir(3), and lstat(2) of every entry.
enum FileWalk {
    struct Entry {
        let directory: String
        let name: String
        let status: stat

        var path: String { "\(directory)/\(name)" }
        var isRegular: Bool { status.st_mode & S_IFMT == S_IFREG }
    }

    /// What is on other file systems is passed over. `visit` answers false to end.
    ///
    /// - Parameters:
    ///   - timing: Gets the start of each lstat(2), right after it.
    ///   - visit: Gets each entry but the root.
    /// - Throws: what could not be read.
    static func run(
        _ root: String, timing: (Deadline) -> Void = { _ in }, visit: (Entry) -> Bool
    ) throws(FlistError) {
        var top = stat()
        guard lstat(root, &top) == 0 else { throw FlistError("cannot walk \(root)", errno: .current) }
        var pending = [root]
        while let path = pending.popLast() {
            guard let directory = opendir(path) else { throw FlistError("cannot open \(path)", errno: .current) }
            defer { closedir(directory) }
            let descriptor = dirfd(directory)
            while let entry = readdir(directory) {
                var status = stat()
                let start = Deadline.now
                let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                    tuple.withMemoryRebound(to: CChar.self, capacity: 256) { name -> String? in
                        if strcmp(name, ".") == 0 || strcmp(name, "..") == 0 { return "" }
                        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
                        timing(start)
                        return String(cString: name)
                    }
                }
                guard let name else { throw FlistError("cannot look at an entry of \(path)", errno: .current) }
                guard !name.isEmpty, status.st_dev == top.st_dev else { continue }
                if status.st_mode & S_IFMT == S_IFDIR { pending.append("\(path)/\(name)") }
                guard visit(Entry(directory: path, name: name, status: status)) else { return }
            }
        }
    }
}
