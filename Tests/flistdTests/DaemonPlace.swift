import BlockStore
import FlistTools
import Foundation
import Glibc
import Support
import TestSupport

/// A folder of one test with a broker, a hub, flists on it whose blocks lie in a folder, and the programs. With it go
/// all processes, mounts and files.
final class DaemonPlace {
    let folder: String
    let redis: RedisServer
    let hub: NginxServer
    private var daemons: [RunningDaemon] = []

    /// - Parameter redis: options of redis-server's.
    init(redis options: [String] = [], locations: String = "") throws {
        // On a disk: a pool of volumes in memory would be none of a node's.
        folder = "/var/tmp/flist-test-flistd-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        redis = try RedisServer(options: options)
        hub = try NginxServer(locations: locations)
        try shell("mkdir nothing")
        try makeTree("one", "echo one > name; mkdir d; echo deep > d/file; echo old > changing")
        try publish("one")
    }

    deinit {
        for daemon in daemons { daemon.kill() }
        // The programs that serve other mounts end with them.
        unmountAll()
        _ = eventually { (try? !loopDevices()) ?? true }
        try? FileManager.default.removeItem(atPath: folder)
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    var root: String { path("root") }

    var broker: String { "unix://\(redis.socketPath)" }

    func url(_ name: String) -> String { "\(hub.url)/\(name).fl" }

    /// A store that has no block, and says so at once.
    var fallback: String { "dir://\(path("nothing"))" }

    /// Where a name is mounted.
    func mountPath(_ name: String) -> String { "\(root)/mountpoint/\(name)" }

    /// Starts the program; unless told otherwise, returns when it serves.
    ///
    /// - Parameter options: go before the usual ones.
    @discardableResult
    func start(
        _ options: [String] = [], broker: String? = nil, environment: [String: String] = [:], isServing: Bool = true
    ) throws -> RunningDaemon {
        let usual = ["--broker", broker ?? self.broker, "--root", root, "--storage", fallback, "--hub", hub.url]
        let daemon = try RunningDaemon(options + usual, log: path("log-\(daemons.count)"), environment)
        daemons.append(daemon)
        if isServing { try daemon.waitUntilServing() }
        return daemon
    }

    /// A client that shares nothing with ours.
    func bus() throws -> PythonBusSession { try PythonBusSession(redis.socketPath) }

    /// Makes a source tree by commands of the shell.
    func makeTree(_ name: String, _ commands: String) throws {
        try shell("mkdir -p trees/\(name) && cd trees/\(name) && { \(commands) ; }")
    }

    /// Packs a tree and puts it, and its MD5, on the hub.
    ///
    /// - Parameter blocks: the folder of its blocks.
    func publish(_ name: String, blocks: String = "blocks") throws {
        var options = PackOptions(source: path("trees/\(name)"), output: "\(hub.root)/\(name).fl")
        options.stores = [try StoreRoute(parsing: "dir://\(path(blocks))")]
        _ = try Packer(options) { _ in }.run()
        try shell("md5sum < \(hub.root)/\(name).fl | cut -c 1-32 > \(hub.root)/\(name).fl.md5")
    }

    func md5(_ name: String) throws -> String { String(try shell("md5sum < \(hub.root)/\(name).fl").output.prefix(32)) }

    /// What is mounted below the root, from there on, the pool of volumes apart.
    var mounts: [String] {
        get throws {
            try MountTable.current().entries.map(\.mountPoint).filter { $0.hasPrefix(root + "/") }
                .map { String($0.dropFirst(root.count + 1)) }.filter { $0 != "volumes" }.sorted()
        }
    }

    /// Runs a command of the shell in the folder, with `$FLIST` and `$FLISTD` for the programs.
    @discardableResult
    func shell(_ command: String) throws -> ChildProcess.Outcome {
        try ChildProcess.run(
            ["bash", "-c", command], in: folder,
            environment: ["FLIST": BuiltProgram.path("flist"), "FLISTD": BuiltProgram.path("flistd")])
    }

    @discardableResult
    func flist(_ arguments: String...) throws -> ChildProcess.Outcome {
        try ChildProcess.run([BuiltProgram.path("flist")] + arguments, in: folder)
    }

    @discardableResult
    func flistd(_ arguments: [String]) throws -> ChildProcess.Outcome {
        try ChildProcess.run([BuiltProgram.path("flistd")] + arguments, in: folder)
    }

    /// What `flist status --json` says.
    func status() throws -> [String: Any] {
        let text = try flist("status", "--root", root, "--json").output
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
    }

    private func unmountAll() {
        let table = (try? MountTable.current().entries) ?? []
        for entry in table.reversed() where entry.mountPoint.hasPrefix(folder + "/") {
            umount2(entry.mountPoint, Int32(MNT_DETACH))
        }
    }

    private func loopDevices() throws -> Bool {
        try ChildProcess.run(["losetup", "-l", "-n", "-O", "BACK-FILE"]).output.contains(folder + "/")
    }
}

/// Whether this machine can mount at all, and has what the other sides of these tests are made of.
enum Machine {
    static let isFit =
        geteuid() == 0 && access("/dev/fuse", R_OK) == 0 && NginxServer.isInstalled && PythonBusClient.isInstalled
}
