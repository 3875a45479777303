import BlockStore
import FlistManager
import FlistTools
import Foundation
import Glibc
import Logging
import Support
import TestSupport
import Volumes

/// A node in a folder of one test: a hub, flists on it with their blocks in a folder, and a Flister. All goes with it.
final class Node: @unchecked Sendable {
    let folder: String
    let hub: NginxServer
    let log = LogLines()
    // Changed by `restart` only, which tests call while nothing else runs; nil within it.
    private var running: Flister?
    private var settings: Flister.Settings

    /// - Parameter change: what is different from the defaults.
    init(_ change: (inout Flister.Settings) -> Void = { _ in }) throws {
        // On a disk: a pool of volumes in memory would be none of a node's.
        folder = "/var/tmp/flist-test-node-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        hub = try NginxServer()
        settings = Flister.Settings(root: "\(folder)/root")
        settings.logger = log.logger
        // Nobody listens there: a test that needs it fails at once.
        settings.fallback = "zdb://127.0.0.1:1"
        settings.hub.attempts = 2
        settings.hubAddress = "https://hub.invalid"
        change(&settings)
        running = try Self.start(settings, log)
        try makeTree("one", "echo one > name; mkdir d; echo deep > d/file; echo old > changing")
        try publish("one")
    }

    deinit {
        unmountAll()
        running?.close()
        unmountAll()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func start(
        _ settings: Flister.Settings, _ log: LogLines, _ volumes: (any VolumeStore)? = nil
    ) throws -> Flister {
        let own = try BtrfsVolumeStore(root: settings.root, options: BtrfsVolumeStore.Options(), logger: log.logger)
        return try Flister(settings, volumes: volumes ?? own)
    }

    var flister: Flister {
        guard let running else { preconditionFailure("between two runs") }
        return running
    }

    /// Ends the Flister, as a process ends that does not unmount, and starts one anew.
    ///
    /// - Parameter volumes: who makes volumes from now on.
    func restart(volumes: (any VolumeStore)? = nil) throws {
        running?.close()
        running = nil
        running = try Self.start(settings, log, volumes)
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    var root: String { path("root") }

    func url(_ name: String) -> String { "\(hub.url)/\(name).fl" }

    /// Makes a source tree by commands of the shell.
    func makeTree(_ name: String, _ commands: String) throws {
        try shell("mkdir -p trees/\(name) && cd trees/\(name) && { \(commands) ; }")
    }

    /// Packs a tree and puts it, and its MD5, on the hub.
    func publish(_ name: String, hash: Bool = true) throws {
        var options = PackOptions(source: path("trees/\(name)"), output: "\(hub.root)/\(name).fl")
        options.stores = [try StoreRoute(parsing: "dir://\(path("blocks"))")]
        _ = try Packer(options) { _ in }.run()
        if hash { try shell("md5sum < \(hub.root)/\(name).fl | cut -c 1-32 > \(hub.root)/\(name).fl.md5") }
    }

    func md5(_ name: String) throws -> String {
        String(try shell("md5sum < \(hub.root)/\(name).fl").output.prefix(32))
    }

    @discardableResult
    func mount(
        _ name: String, _ flist: String = "one", limit: UInt64 = 0, readOnly: Bool = false,
        _ change: (inout NamedMountOptions) -> Void = { _ in }
    ) throws(FlistError) -> String {
        var options = NamedMountOptions()
        options.readOnly = readOnly
        options.limit = limit
        change(&options)
        return try flister.mount(name, url: url(flist), options: options)
    }

    /// What is mounted below the root, from there on.
    var mounts: [String] {
        get throws {
            try MountTable.current().entries.map(\.mountPoint).filter { $0.hasPrefix(root + "/") }
                .map { String($0.dropFirst(root.count + 1)) }.filter { $0 != "volumes" }.sorted()
        }
    }

    /// Runs a command of the shell in the folder; its output and errors, and its status.
    @discardableResult
    func shell(_ command: String) throws -> (output: String, status: Int32) {
        let outcome = try ChildProcess.run(["bash", "-c", command], in: folder, joined: true)
        return (outcome.output, outcome.status)
    }

    private func unmountAll() {
        let table = (try? MountTable.current().entries) ?? []
        for entry in table.reversed() where entry.mountPoint.hasPrefix(folder + "/") {
            umount2(entry.mountPoint, Int32(MNT_DETACH))
        }
    }
}

/// Whether this machine can mount at all.
enum Machine {
    static let mounts = geteuid() == 0 && access("/dev/fuse", R_OK) == 0
}
