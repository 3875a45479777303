internal import FlistImage

extension TreeIndex {
    /// What a profile's ranges are in this tree, without those that are not: paths may be of another version of it,
    /// or anybody's invention. At most as many blocks as are ever recorded.
    func spans(of profile: [ProfileEntry]) -> [ContentSpan] {
        var left = ProfileRecorder.maximumBlocks
        var spans: [ContentSpan] = []
        for entry in profile.prefix(ProfileRecorder.maximumSpans) where left > 0 {
            guard let inode = resolve(path: entry.path).flatMap({ inodeNumber(of: $0) }),
                let blocks = blocks(of: inode),
                entry.length > 0, entry.offset < blocks.size
            else { continue }
            let size = UInt64(blocks.blockSize)
            let last = entry.offset + min(entry.length, blocks.size - entry.offset) - 1
            let first = Int(entry.offset / size)
            let end = min(Int(last / size) + 1, first + left)
            left -= end - first
            spans.append(ContentSpan(inode: inode, blocks: first..<end))
        }
        return spans
    }

    /// The ranges as a profile tells them.
    func profile(of spans: [ContentSpan]) -> [ProfileEntry] {
        spans.compactMap { span in
            guard let blocks = blocks(of: span.inode), span.blocks.lowerBound < blocks.count else { return nil }
            let size = UInt64(blocks.blockSize)
            let start = UInt64(span.blocks.lowerBound) * size
            let end = min(blocks.size, UInt64(min(span.blocks.upperBound, blocks.count)) * size)
            guard start < end else { return nil }
            return ProfileEntry(path: path(of: span.inode), offset: start, length: end - start)
        }
    }
}
