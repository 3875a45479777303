internal import ArgumentParser
internal import BlockStore
internal import FlistContent
internal import FlistImage
internal import Support
internal import ProgramSupport

/// `flist cat`: writes the contents of files to standard output.
struct CatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Writes contents of files to standard output.",
        discussion: """
            Symlinks are followed within the flist. Blocks come from the cache where it
            has them, and stay there.

              flist cat debian.fl /etc/os-release
            """)

    @OptionGroup var flist: FlistArgument

    @Argument(help: "Files in the flist.")
    var path: [String]

    @OptionGroup var cache: CacheOptions
    @OptionGroup var stores: StoreOptions
    @OptionGroup var patience: PatienceOptions

    /// Bytes of one read: enough for the readahead to see that reading is sequential.
    private static let piece = 1 << 20

    func run() throws {
        let open = try FlistOpening.content(flist, cache, stores, patience)
        defer { open.close() }
        for path in path {
            let entry = try FlistOpening.entry(path, in: open.index, of: flist, followingLast: true)
            try write(entry, path, open)
        }
    }

    private func write(_ entry: InodeNumber, _ path: String, _ open: OpenFlist) throws {
        guard let attributes = open.index.attributes(of: entry), attributes.type == .regular else {
            throw FlistError(.invalid, "\(path): not a regular file")
        }
        guard let file = open.content.file(attributes.number) else {
            throw FlistError(.invalid, "\(path): \(flist.flist) names no blocks for it")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.piece, alignment: 4096)
        defer { buffer.deallocate() }
        var offset: UInt64 = 0
        while offset < file.size, !Output.hasFailed {
            let range = file.clamp(offset: offset, count: Self.piece)
            if let count = file.readNow(range, into: buffer) {
                Output.write(raw: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } else {
                try wait(file, range, path)
            }
            offset = range.upperBound
        }
    }

    private func wait(_ file: ContentFile, _ range: Range<UInt64>, _ path: String) throws {
        let outcome = Monitor<Result<[UInt8], FetchError>?>(nil)
        file.read(range) { result in
            let bytes = result.map { [UInt8]($0) }
            outcome.withLock { $0 = bytes }
            outcome.signal()
        }
        do throws(FetchError) {
            try outcome.wait { $0 }.get().withUnsafeBytes { Output.write(raw: $0) }
        } catch {
            throw FlistError(.io, path, cause: error)
        }
    }
}
