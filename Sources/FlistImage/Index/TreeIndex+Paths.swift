extension TreeIndex {
    /// Directories below one another that a tree may have. Linux allows about 2,048 in one path (`PATH_MAX`).
    static let maximumDepth = 4096

    /// The path of an entry from the root, which is `/`.
    public func path(of number: InodeNumber) -> [UInt8] {
        var chain: [InodeNumber] = []
        var current = number
        // The limit ends the loop in a damaged index whose parents form a ring.
        while current != Self.root, record(current) != nil, chain.count <= Self.maximumDepth {
            chain.append(current)
            current = parent(of: current)
        }
        var path: [UInt8] = []
        for number in chain.reversed() {
            path.append(UInt8(ascii: "/"))
            _ = withName(of: number) { path.append(contentsOf: $0) }
        }
        return path.isEmpty ? [UInt8(ascii: "/")] : path
    }

    /// Symlinks that a path may lead through; Linux has the same limit (path_resolution(7)).
    private static let maximumLinks = 40

    /// The entry that a path names, from the root whether or not it begins with `/`.
    ///
    /// Symlinks on the way are followed within the tree, as after chroot(2); one at the end only when asked to.
    public func resolve(path: [UInt8], followingLast: Bool = false) -> InodeNumber? {
        var current = Self.root
        var links = 0
        // What is still to be walked, the next part last.
        var parts = Self.parts(of: path)
        while let part = parts.popLast() {
            if part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) {
                guard type(of: current) == .directory else { return nil }
                if part.count == 2 { current = parent(of: current) }
                continue
            }
            guard let next = lookup(part, in: current) else { return nil }
            guard type(of: next) == .symlink, followingLast || !parts.isEmpty, let target = linkTarget(of: next) else {
                current = next
                continue
            }
            links += 1
            guard links <= Self.maximumLinks else { return nil }
            if target.first == UInt8(ascii: "/") { current = Self.root }
            parts += Self.parts(of: target)
        }
        return current
    }

    private static func parts(of path: [UInt8]) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: "/")).reversed().map { [UInt8]($0) }
    }
}

extension TreeIndex {
    /// The path of an entry for a log or an error: printable ASCII on one line, cut in the middle where it is long.
    public func displayPath(of number: InodeNumber) -> String { EscapedBytes.render(path(of: number)) }
}
