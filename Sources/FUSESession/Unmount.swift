internal import CLinux
internal import Glibc
public import Support

/// Unmounts what lies on top at a path, never following a symlink. Blocks until it is done.
///
/// - Parameter lazy: takes it out of the tree at once even if it is in use; it ends with its last user.
/// - Throws: `FlistError` with code `busy` when it is in use, `invalid` when nothing is mounted there.
public func unmount(_ target: String, lazy: Bool = false) throws(FlistError) {
    if geteuid() == 0 {
        let flags = Int32(UMOUNT_NOFOLLOW) | (lazy ? Int32(MNT_DETACH) : 0)
        do throws(Errno) {
            _ = try systemCall { umount2(target, flags) }
        } catch {
            throw unmountError(target, error)
        }
        return
    }
    let helper = Fusermount.find()
    guard let helper else {
        throw FlistError(.permission, "cannot unmount \(target): fusermount3 is missing, install fuse3")
    }
    let result = try helper.run(["-u"] + (lazy ? ["-z"] : []) + ["--", target])
    guard result.status != 0 else { return }
    let says = result.complaint.isEmpty ? "fusermount3 ended with \(result.status)" : result.complaint
    throw FlistError(says.contains("busy") ? .busy : .io, "cannot unmount \(target): \(says)")
}

func unmountError(_ target: String, _ error: Errno) -> FlistError {
    switch error {
    case .busy:
        FlistError(.busy, "cannot unmount \(target): it is in use; close what uses it, or unmount it lazily")
    case .invalid:
        FlistError(.invalid, "cannot unmount \(target): nothing is mounted there")
    default:
        FlistError("cannot unmount \(target)", errno: error)
    }
}
