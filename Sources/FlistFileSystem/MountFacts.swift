internal import BlockCache
internal import BlockStore
internal import FUSESession
internal import FlistContent
internal import FlistImage
internal import Glibc

/// What a mount tells of itself as extended attributes of its root: `getfattr -n user.flist.hash MOUNT`.
struct MountFacts: Sendable {
    private let flist: OpenFlist
    private let source: String
    private let cacheFolder: String?

    init(flist: OpenFlist, source: String) {
        self.flist = flist
        self.source = FlistLocation.isURL(source) ? source : Self.absolute(source)
        cacheFolder = flist.cache.map { Self.absolute($0.folder) }
    }

    /// For those who are in another folder.
    private static func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The text of a fact; nil if there is none of that name.
    func value(of name: UnsafeRawBufferPointer, opens: OpenMode) -> [UInt8]? {
        guard name.starts(with: Self.prefix) else { return nil }
        let summary = flist.index.summary
        let fetched = flist.fetcher.statistics
        let text: String? =
            switch String(validating: name.dropFirst(Self.prefix.count), as: UTF8.self) {
            case "source": source
            case "hash": "\(summary.flistHash)"
            case "format": "\(summary.kind)"
            case "blocks": "\(summary.blockReferences)"
            case "files": "\(summary.files)"
            case "bytes": "\(summary.totalSize)"
            case "fetched": "\(fetched.blocks) blocks, \(fetched.storedBytes) bytes"
            case "reads":
                "\(flist.content.statistics.localReads) local, \(flist.content.statistics.parkedReads) waited"
            case "cache": cacheFolder
            case "cached": flist.cache.map { "\($0.statistics().bytes)" }
            case "open": opens.rawValue
            default: nil
            }
        return text.map { Array($0.utf8) }
    }

    private static let prefix = Array("user.flist.".utf8)
}
