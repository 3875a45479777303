internal import CLinux
internal import Glibc
internal import Support

/// An empty folder that only root may enter, removed again with its owner.
struct PrivatePlace: ~Copyable {
    let path: String

    init() throws(FlistError) {
        var failure = Errno.noEntry
        for folder in ["/run", "/tmp"] {
            guard let template = strdup("\(folder)/flist-lower-XXXXXX") else { continue }
            defer { free(template) }
            if mkdtemp(template) != nil {
                path = String(cString: template)
                return
            }
            failure = .current
        }
        throw FlistError("cannot make a temporary folder in /run or /tmp", errno: failure)
    }

    deinit { rmdir(path) }
}
