public import BlockStore

/// Which stores the user of a flist wants asked for its blocks, beside those that the flist names itself.
public struct StoreChoice: Sendable {
    /// A routing file that is asked before everything else.
    public var router: RouteTable?
    /// Stores that are asked before the flist's own.
    public var stores: [StoreRoute] = []
    /// Stores that are asked when nothing else names any.
    public var fallback: [StoreRoute] = []

    public init() {}
}
