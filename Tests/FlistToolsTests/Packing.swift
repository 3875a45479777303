import BlockStore
import FlistContent
import FlistImage
import FlistTools
import Foundation
import Glibc
import Support
import Synchronization
import TestSupport

/// A folder of one test, removed with it, with a source, a store and what is made of them.
final class Packing {
    let folder: String

    init() throws {
        // Not in memory: tmpfs has no user xattrs on older kernels.
        folder = "/var/tmp/flist-test-tools-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
    }

    deinit { _ = _ = try? run("rm", "-rf", folder) }

    var source: String { path("source") }
    var blocks: String { path("blocks") }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    }

    func options(_ output: String = "out.fl", _ source: String? = nil) throws -> PackOptions {
        var options = PackOptions(source: source ?? self.source, output: path(output))
        options.stores = [try StoreRoute(parsing: "dir://\(blocks)")]
        options.jobs = 3
        return options
    }

    /// What was told.
    final class Notices: Sendable {
        private let list = Mutex<[PackNotice]>([])

        func add(_ notice: PackNotice) { list.withLock { $0.append(notice) } }

        var all: [PackNotice] { list.withLock { $0 } }
    }

    @discardableResult
    func pack(_ options: PackOptions, _ notices: Notices = Notices()) throws -> PackSummary {
        try Packer(options) { notices.add($0) }.run()
    }

    func open(_ name: String = "out.fl") throws -> OpenFlist { try OpenFlist(path(name), options: ContentOptions()) }

    @discardableResult
    func unpack(
        _ name: String = "out.fl", into target: String = "target", force: Bool = false
    ) throws -> UnpackSummary {
        let flist = try open(name)
        defer { flist.close() }
        var options = UnpackOptions(keepOwners: true)
        options.force = force
        let lines = Notices()
        let summary = try Unpacker(
            flist.index, BlockSupply(flist.fetcher, flist.router), options: options, tell: { lines.add(.failure($0)) }
        ).run(into: path(target))
        unpackNotices = lines.all
        return summary
    }

    /// What the last unpacking told.
    private(set) var unpackNotices: [PackNotice] = []

    struct CommandFailed: Error {
        let output: String
    }

    @discardableResult
    func run(_ arguments: String...) throws -> String {
        let outcome = try ChildProcess.run(arguments, joined: true)
        guard outcome.status == 0 else { throw CommandFailed(output: outcome.output) }
        return outcome.output
    }

    /// Stored blocks, by name.
    var storedBlocks: [String] {
        (FileManager.default.enumerator(atPath: blocks)?.compactMap { $0 as? String } ?? []).filter {
            $0.split(separator: "/").last?.count == 64
        }
    }
}
