internal import CLinux
public import FUSESession
public import FlistContent
internal import FlistImage
internal import Glibc
public import Support

/// The folder that holds an overlay's writable side: one folder with what was written, one for overlayfs itself.
public struct WritableFolder: Sendable {
    public let overlay: OverlayOptions

    /// Makes what is missing of a folder and the two in it. Blocks.
    ///
    /// A new `upper` takes the owner, mode and xattrs of the flist's root, since the overlay's root shows the upper
    /// side's; it appears by rename, so that an interrupted call leaves none with the wrong ones.
    public init(_ folder: String, upper: String = "upper", work: String = "work", like flist: OpenFlist)
        throws(FlistError)
    {
        try Self.make(folder)
        // The mount table shows it to others, who are in another folder.
        let folder = try folder.hasPrefix("/") ? folder : Self.absolute(folder)
        overlay = OverlayOptions(upper: "\(folder)/\(upper)", work: "\(folder)/\(work)")
        try Self.make(overlay.work)
        var status = stat()
        guard lstat(overlay.upper, &status) != 0 else { return }
        let unfinished = overlay.upper + ".new"
        try Self.make(unfinished)
        try Self.dress(unfinished, like: flist.index)
        do throws(Errno) {
            _ = try systemCall { rename(unfinished, overlay.upper) }
        } catch {
            throw FlistError("cannot make the folder \(overlay.upper) for the writable side", errno: error)
        }
    }

    private static func make(_ path: String) throws(FlistError) {
        do {
            _ = try systemCall { mkdir(path, 0o755) }
        } catch .exists {
            return
        } catch {
            throw FlistError("cannot make the folder \(path) for the writable side", errno: error)
        }
    }

    private static func absolute(_ path: String) throws(FlistError) -> String {
        guard let resolved = realpath(path, nil) else { throw FlistError("cannot find \(path)", errno: .current) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func dress(_ upper: String, like index: TreeIndex) throws(FlistError) {
        guard let root = index.attributes(of: TreeIndex.root) else { return }
        do {
            _ = try systemCall { chown(upper, root.uid, root.gid) }
            _ = try systemCall { chmod(upper, root.mode & 0o7777) }
            for (name, value) in index.xattrs(of: TreeIndex.root) {
                // Marks of overlayfs, from a stranger, would change what the overlay shows.
                guard !overlayMarks.contains(where: { name.starts(with: $0) }) else { continue }
                var name = Array(name.map { CChar(bitPattern: $0) })
                name.append(0)
                _ = try systemCall { setxattr(upper, name, value.baseAddress, value.count, 0) }
            }
        } catch {
            throw FlistError("cannot give \(upper) the owner and mode of the flist's root", errno: error)
        }
    }

    private static let overlayMarks = ["trusted.overlay.", "user.overlay."].map { Array($0.utf8) }
}
