public import BlockCodec
public import Support

/// What a flist says about itself beyond its entries.
public struct TreeIndexInfo: Sendable {
    /// The hash of the flist's own bytes.
    public var flistHash: Digest
    public var kind: FlistKind
    public var codec: BlockCodec
    /// Plain bytes in every block of a file but the last.
    public var blockSize: Int
    /// Keys and values in the flist's order; may hold secrets.
    public var tags: [(key: String, value: String)]
    public var routes: [ImageRoute]
    /// The `router.yaml` that came with the flist, as it is.
    public var routerYAML: [UInt8]?
    public var backend: ImageBackend?
    /// What is wanted first, in that order.
    public var profile: [ProfileEntry] = []

    public init(
        flistHash: Digest, kind: FlistKind, codec: BlockCodec, blockSize: Int = 512 << 10,
        tags: [(key: String, value: String)] = [], routes: [ImageRoute] = [], routerYAML: [UInt8]? = nil,
        backend: ImageBackend? = nil
    ) {
        self.flistHash = flistHash
        self.kind = kind
        self.codec = codec
        self.blockSize = blockSize
        self.tags = tags
        self.routes = routes
        self.routerYAML = routerYAML
        self.backend = backend
    }
}
