internal import ArgumentParser
internal import FUSESession
internal import Glibc
internal import Support

struct UmountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "umount",
        abstract: "Unmounts a flist, with its writable side if it has one.",
        discussion: """
            umount(8) does the same; this one says who keeps a busy mount.

              flist umount /mnt
            """,
        aliases: ["unmount"])

    @Argument(help: "Where the flist is mounted.", completion: .directory)
    var target: String

    @Flag(name: .shortAndLong, help: "Take it out of sight at once; it ends with its last user.")
    var lazy = false

    func run() throws {
        let path = try Self.absolute(target)
        guard let entry = try MountTable.current().find(target: path) else {
            throw FlistError(.notFound, "cannot unmount \(target): nothing is mounted there")
        }
        // The second is what the stand-ins show, and those that they stand in for.
        guard
            ["fuse.flist", "fuse.g8ufs"].contains(entry.type)
                || entry.type == "overlay" && entry.superOptions.contains("/flist-lower-")
        else {
            throw FlistError(.invalid, "cannot unmount \(target): that is no flist but \(entry.type); use umount(8)")
        }
        do throws(FlistError) {
            try unmount(path, lazy: lazy)
        } catch {
            guard error.code == .busy else { throw error }
            let holders = MountHolder.holders(of: path)
            guard !holders.isEmpty else { throw error }
            let names = holders.map(\.description).joined(separator: ", ")
            throw FlistError(.busy, "cannot unmount \(target): in use by \(names); end them, or use --lazy")
        }
    }

    /// The path as the mount table has it. The last component is not looked at: its server may be dead.
    private static func absolute(_ path: String) throws(FlistError) -> String {
        var parts = path.split(separator: "/", omittingEmptySubsequences: true)
        guard let last = parts.popLast(), last != "..", last != "." else { return try real(path) }
        let parent = (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
        let folder = try real(parent.isEmpty ? "." : parent)
        return folder == "/" ? "/\(last)" : "\(folder)/\(last)"
    }

    private static func real(_ path: String) throws(FlistError) -> String {
        guard let found = realpath(path, nil) else { throw FlistError("cannot find \(path)", errno: .current) }
        defer { free(found) }
        return String(cString: found)
    }
}
