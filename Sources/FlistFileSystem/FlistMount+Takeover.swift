public import FUSESession
public import FlistContent
internal import FlistImage
public import Support

extension FlistMount {
    /// What another process needs to go on serving the mount after this one; nil where none can. Good while the mount
    /// lives.
    public var kept: KeptSession? {
        guard let kept = session.kept else { return nil }
        let fields = [Array("\(TreeIndex.version)".utf8), flist.index.summary.flistHash.bytes, kept.state]
        return KeptSession(state: Fields.encode(fields), descriptors: kept.descriptors)
    }

    /// The hash of the flist of a mount that was kept: the one to open.
    ///
    /// - Throws: `unsupported` when this version of the program numbers entries in another way.
    public static func hash(of kept: KeptSession) throws(FlistError) -> Digest { try decode(kept).hash }

    /// Goes on serving a mount of another process, which has to be gone: not a thread of it may be left.
    ///
    /// - Parameters:
    ///   - flist: opened anew, with the hash that `hash(of:)` tells.
    ///   - kept: its descriptors now belong to the mount, also when this throws.
    ///   - options: what it was mounted with.
    public static func resume(
        _ flist: OpenFlist, _ kept: KeptSession, source: String, options: Options
    ) throws(FlistError) -> FlistMount {
        let session = KeptSession(state: try decode(kept).state, descriptors: kept.descriptors)
        let fileSystem = FlistFileSystem(flist, source: source)
        return FlistMount(
            session: try FUSESession.resume(fileSystem, session, options: options.mount), flist: flist)
    }

    private static func decode(_ kept: KeptSession) throws(FlistError) -> (hash: Digest, state: [UInt8]) {
        guard let fields = Fields.decode(kept.state), fields.count == 3,
            fields[0] == Array("\(TreeIndex.version)".utf8), let hash = Digest(fields[1])
        else {
            throw FlistError(.unsupported, "cannot go on with the mount: another version of the program serves it")
        }
        return (hash, fields[2])
    }
}
