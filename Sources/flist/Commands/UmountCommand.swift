internal import ArgumentParser
internal import FUSESession
internal import Glibc
internal import Support

/// `flist umount`: unmounts what is mounted at a directory.
struct UmountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "umount",
        abstract: "Unmounts a flist.",
        discussion: """
            Users other than root unmount what they have mounted themselves. The serving process ends with the mount.

              flist umount /mnt
            """)

    @Argument(help: "The directory.", completion: .directory)
    var target: String

    @Flag(
        name: .shortAndLong,
        help: "Take it out of the tree although it is in use; it ends with its last user.")
    var lazy = false

    func run() throws {
        try unmount(resolved(), lazy: lazy)
    }

    /// Absolute, with the symlinks of the folders above followed, but not one at the end: of a dead mount, nothing at or
    /// below it can be looked at.
    private func resolved() -> String {
        var path = Substring(target)
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let slash = path.lastIndex(of: "/")
        let name = slash.map { path[path.index(after: $0)...] } ?? path
        guard name != ".", name != "..", !name.isEmpty else { return Self.real(String(path)) ?? String(path) }
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        guard let parent = Self.real(folder) else { return String(path) }
        return parent == "/" ? "/\(name)" : "\(parent)/\(name)"
    }

    private static func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
