/// A flist on this machine.
public struct HubFlist: Sendable, Hashable {
    /// The file: its name is the MD5.
    public let path: String
    /// Of the file's bytes; 32 hexadecimal digits, lower case.
    public let md5: String
    /// False when the hub could not be asked: the flist is what an earlier fetch of this very address left.
    public let isFresh: Bool

    public init(path: String, md5: String, isFresh: Bool) {
        self.path = path
        self.md5 = md5
        self.isFresh = isFresh
    }
}
