import BlockStore
import FUSESession
import FlistContent
import FlistFileSystem
import FlistTools
import Foundation
import Glibc
import Support
import TestSupport

/// A folder of one test with a place to mount on. What is mounted there, and the folder, go with this object.
final class MountPlace: Sendable {
    let folder: String

    init() throws {
        // On a disk: tmpfs has no user xattrs on older kernels.
        folder = "/var/tmp/flist-test-\(UUID().uuidString.prefix(8))"
        for name in ["target", "source"] {
            try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        }
    }

    deinit {
        umount2(path("target"), Int32(MNT_DETACH))
        umount2(path("second"), Int32(MNT_DETACH))
        try? FileManager.default.removeItem(atPath: folder)
    }

    var source: String { path("source") }
    var target: String { path("target") }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures").path

    /// Packs `source` into a folder of blocks.
    func pack(_ name: String = "tree.fl", store: String? = nil) throws {
        try pack(name, stores: [store ?? "dir://\(path("blocks"))"])
    }

    func pack(_ name: String = "tree.fl", stores: [String]) throws {
        var options = PackOptions(source: source, output: path(name))
        options.stores = try stores.map { try StoreRoute(parsing: $0) }
        _ = try Packer(options) { _ in }.run()
    }

    /// The program beside the bundle of the tests.
    static let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent(".build/debug/flist").path

    func options(stores: [String] = [], cache: String? = "cache") throws -> ContentOptions {
        var options = ContentOptions()
        options.cacheFolder = cache.map { path($0) }
        options.stores.stores = try stores.map { try StoreRoute(parsing: $0) }
        return options
    }

    /// Runs `body` with a flist mounted on `target`, or on another name.
    func mounted<Result>(
        _ flist: String, _ options: ContentOptions, at name: String = "target", writable: String? = nil,
        _ body: (OpenFlist) throws -> Result
    ) throws -> Result {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        let open = try OpenFlist(flist, options: options)
        var settings = FlistMount.Options()
        settings.writableFolder = writable
        if writable != nil { settings.mount.readOnly = false }
        let mount = try FlistMount.mount(open, source: flist, at: path(name), options: settings)
        defer {
            try? mount.stop()
            mount.wait()
            open.close()
        }
        return try body(open)
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(source)/\(name)"))
    }

    /// The file's bytes, or the errno of the read that failed.
    static func read(_ path: String) -> Result<[UInt8], Errno> {
        do throws(Errno) {
            let file = try FileDescriptor(path, O_RDONLY)
            var status = Glibc.stat()
            guard fstat(file.number, &status) == 0 else { return .failure(.current) }
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(status.st_size), alignment: 16)
            defer { memory.deallocate() }
            return .success(Array(memory[..<(try file.read(into: memory, at: 0))]))
        } catch {
            return .failure(error)
        }
    }

    /// Bytes that do not compress, the same from the same seed.
    static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 32)
        }
    }

    /// A command of the shell that has the kernel drop its copies of a file, or of all files below a folder. Not all that it
    /// has of anything: tests beside this one count its requests.
    static func dropPages(_ path: String) -> String {
        "find \(path) -type f -exec dd if={} iflag=nocache count=0 status=none \\;"
    }

    /// Runs a command of the shell in the folder; its output and status.
    @discardableResult
    func shell(_ command: String) throws -> (output: String, status: Int32) {
        let outcome = try ChildProcess.run(["bash", "-c", command], in: folder, joined: true)
        return (outcome.output, outcome.status)
    }
}

/// Whether this machine can mount at all.
enum Machine {
    static let mounts = geteuid() == 0 && access("/dev/fuse", R_OK) == 0
}
