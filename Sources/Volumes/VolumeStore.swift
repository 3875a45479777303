public import Support

/// A place that has volumes.
///
/// Thread-safe: calls for one name run one after the other, those for different names beside each other. All block.
/// A name is one path component of at most 255 bytes; any other is an error with code `invalid`.
public protocol VolumeStore: Sendable {
    /// Makes an empty volume.
    ///
    /// - Parameter limit: in bytes, 0 for none.
    /// - Throws: `FlistError` with code `exists` if there is one of this name.
    func create(_ name: String, limit: UInt64) throws(FlistError) -> Volume

    /// Changes a volume's limit, in bytes, 0 for none.
    ///
    /// - Throws: `FlistError` with code `notFound`, or `invalid` if more than `limit` is in use.
    func update(_ name: String, limit: UInt64) throws(FlistError)

    /// The volume of this name, nil if there is none.
    func lookup(_ name: String) throws(FlistError) -> Volume?

    /// Deletes a volume and all below it; no error if there is none. Its space comes back in the background.
    func delete(_ name: String) throws(FlistError)

    /// Brings back into the tree what an earlier run of the store made and mounted. A call that needs it does so, too.
    func reopen() throws(FlistError)

    /// Gives back what the store mounted, if nothing uses it; the volumes stay. A later call mounts it again.
    func close()
}
