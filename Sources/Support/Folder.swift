internal import Glibc

/// Folders by their paths. Blocks.
public enum Folder {
    /// The names in a folder, without `.` and `..`; none if it cannot be read.
    public static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Makes a folder, with `parents` also those above it; one that is there already is fine.
    public static func make(_ path: String, mode: UInt32, parents: Bool) throws(Errno) {
        do throws(Errno) {
            _ = try systemCall { mkdir(path, mode) }
        } catch .exists {
            return
        } catch .noEntry where parents {
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw .noEntry }
            try make(String(path[..<slash]), mode: mode, parents: true)
            try make(path, mode: mode, parents: false)
        } catch .readOnly where access(path, F_OK) == 0 {
            return
        }
    }
}
