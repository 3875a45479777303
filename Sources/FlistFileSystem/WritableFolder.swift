internal import CLinux
internal import FUSESession
internal import FlistImage
internal import Glibc
internal import Support

/// The folder that holds an overlay's writable side: `upper` with what was written, `work` for overlayfs itself.
struct WritableFolder {
    let overlay: OverlayOptions

    /// Makes what is missing. A new `upper` takes the owner, mode and xattrs of the flist's root, since the overlay's
    /// root shows the upper side's.
    init(_ folder: String, like index: TreeIndex) throws(FlistError) {
        let (upper, work) = ("\(folder)/upper", "\(folder)/work")
        _ = try Self.make(folder)
        if try Self.make(upper) { try Self.dress(upper, like: index) }
        _ = try Self.make(work)
        overlay = OverlayOptions(upper: upper, work: work)
    }

    /// Whether it had to be made.
    private static func make(_ path: String) throws(FlistError) -> Bool {
        do {
            _ = try systemCall { mkdir(path, 0o755) }
            return true
        } catch .exists {
            return false
        } catch {
            throw FlistError("cannot make the folder \(path) for the writable side", errno: error)
        }
    }

    private static func dress(_ upper: String, like index: TreeIndex) throws(FlistError) {
        guard let root = index.attributes(of: TreeIndex.root) else { return }
        do {
            _ = try systemCall { chown(upper, root.uid, root.gid) }
            _ = try systemCall { chmod(upper, root.mode & 0o7777) }
            for (name, value) in index.xattrs(of: TreeIndex.root) {
                var name = Array(name.map { CChar(bitPattern: $0) })
                name.append(0)
                _ = try systemCall { setxattr(upper, name, value.baseAddress, value.count, 0) }
            }
        } catch {
            throw FlistError("cannot give \(upper) the owner and mode of the flist's root", errno: error)
        }
    }
}
