/// How a session's files are opened. A connection has one way for its whole life.
public enum OpenMode: String, Sendable, Hashable, CaseIterable {
    /// Without asking: the first open tells the kernel never to ask again. Right for trees of many files.
    case none
    /// Each open asks, and keeps what the kernel has cached.
    case message
    /// Each open asks, and files that lie complete on a local disk are read by the kernel itself: no copy, no second
    /// page of memory. Right where most bytes lie in few large files. As root, from Linux 6.9 on.
    ///
    /// The file system then counts as one layer: one overlay fits on top, not two.
    case passthrough
}
