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

    /// The entry that a path names, from the root whether or not it begins with `/`. Follows no symlinks.
    public func resolve(path: [UInt8]) -> InodeNumber? {
        var current = Self.root
        for part in path.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) {
                if type(of: current) != .directory { return nil }
            } else if part.elementsEqual("..".utf8) {
                if type(of: current) != .directory { return nil }
                current = parent(of: current)
            } else {
                guard let next = part.withUnsafeBytes({ lookup($0, in: current) }) else { return nil }
                current = next
            }
        }
        return current
    }
}
