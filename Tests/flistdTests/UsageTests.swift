import Foundation
import Support
import TestSupport
import Testing

@Suite("flistd's flags and its file", .enabled(if: Machine.isFit, "needs root"), .timeLimit(.minutes(5)))
struct UsageTests {
    @Test("the file gives values, and flags win")
    func file() throws {
        let place = try DaemonPlace()
        try """
        # of the node
        broker: \(place.broker)
        root: /nosuch/from/the/file
        workers: 5
        cache-size: 3GiB
        timeout: 2.5
        hub: \(place.hub.url)/
        storage: zdb://127.0.0.1:1
        volumes: btrfs
        log: \(place.path("file.log"))
        log-level: debug
        metrics:
        """.write(toFile: place.path("flistd.yaml"), atomically: false, encoding: .utf8)
        let daemon = try RunningDaemon(
            ["--config", place.path("flistd.yaml"), "--root", place.root, "--workers", "2"], log: place.path("log"), [:]
        )
        #expect(try eventually { try place.shell("cat file.log").output.contains(" notice serving ") })
        let status = try place.status()
        #expect(status["root"] as? String == place.root)
        #expect(((status["bus"] as? [String: Any])?["workers"] as? [Any])?.count == 2)
        #expect((status["cache"] as? [String: Any])?["quota"] as? Int == 3 << 30)
        #expect(try place.bus().call("Mount", "[\"a\", \"one.fl\", [true, 0, \"\", \"\"]]")?.error == nil)
        #expect(try place.shell("cat file.log").output.contains(" debug call "))
        #expect(daemon.terminate() == 0)
        #expect(daemon.log == "")
    }

    @Test(
        "a wrong file is told in one line and ends with 2",
        arguments: [
            ("colour: red", "there is no setting 'colour'; there are broker, root, workers, "),
            ("workers: many", "workers: 'many' is not 1 to 256"), ("workers: 0", "workers: '0' is not 1 to 256"),
            ("workers: [1, 2]", "workers takes one value"), ("workers: {a: b}", "workers takes one value"),
            ("cache-size: big", "cache-size: 'big' is not a size such as 50GiB"),
            ("timeout: never", "timeout: 'never' is not a number of seconds from 0.1 to 3600"),
            ("volumes: zfs", "volumes: 'zfs' is not btrfs or zbus"),
            ("log-level: loud", "log-level: 'loud' is not debug, info, warning or error"),
            ("broker: redis://x", "the address of a broker begins with unix:// or tcp://"),
            ("hub: hub.example.com", "hub.example.com is no hub; write https://hub.example.com"),
            ("storage: nonsense", "nonsense"), ("- workers", "it needs lines such as 'workers: 8'"),
            ("just text", "it needs lines such as 'workers: 8'"),
            ("workers: \"1", "flistd.yaml is no configuration: "), ("workers: 1\nworkers: 2", "workers"),
        ])
    func wrongFile(text: String, error: String) throws {
        let folder = try UsageFolder()
        try text.write(toFile: "\(folder.path)/flistd.yaml", atomically: false, encoding: .utf8)
        let outcome = try folder.flistd("--config flistd.yaml --root root")
        #expect(outcome.status == 2, "\(outcome)")
        #expect(outcome.errors.hasPrefix("flistd: ") && outcome.errors.contains(error), "\(outcome)")
        #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.output == "", "\(outcome)")
    }

    @Test("a file whose lines are all comments sets nothing", arguments: ["", "# workers: 8\n", "---\n", "{}\n"])
    func emptyFile(text: String) throws {
        let folder = try UsageFolder()
        try text.write(toFile: "\(folder.path)/flistd.yaml", atomically: false, encoding: .utf8)
        // It comes as far as the next thing that is wrong.
        let outcome = try folder.flistd("--config flistd.yaml --root file")
        #expect(outcome.errors.hasPrefix("flistd: cannot make the folder "), "\(outcome)")
    }

    @Test("a relative root is one of the working folder's")
    func relativeRoot() throws {
        let place = try DaemonPlace()
        let outcome = try place.shell(
            "$FLISTD --broker \(place.broker) --root ./root 2>log & " + "pid=$!; "
                + "for i in $(seq 400); do grep -q serving log && break; sleep 0.05; done; "
                + "$FLIST node mount a \(place.url("one")) --broker \(place.broker); kill $pid; wait $pid")
        #expect(outcome.output == "\(place.mountPath("a"))\n", "\(outcome)")
        #expect(outcome.status == 0)
    }

    @Test(
        "wrong flags are told in one line and end with 2",
        arguments: [
            "--nosuch", "extra", "--workers", "--workers many", "--workers 0", "--workers 257", "--volumes zfs",
            "--cache-size x", "--broker http://x", "--broker unix://relative", "--broker tcp://a:b@c", "--hub x",
            "--storage x", "--log-level loud", "--root a --root b --nosuch",
        ])
    func wrongFlags(flags: String) throws {
        let outcome = try UsageFolder().flistd("--root root \(flags)")
        #expect(outcome.status == 2, "\(outcome)")
        #expect(outcome.errors.hasPrefix("flistd: "), "\(outcome)")
        #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.output == "", "\(outcome)")
    }

    @Test(
        "what cannot be is told in one line and ends with 1",
        arguments: [
            ("--config nosuch.yaml", "nosuch.yaml"), ("--netns flist-test-none --root root", "flist-test-none"),
            ("--root /proc/nosuch", "cannot make the folder /proc/nosuch"), ("--root file", "file"),
            ("--root root --metrics 192.0.2.1:9464", "192.0.2.1"), ("--root root --log nosuch/log", "nosuch/log"),
            ("--root root --metrics 127.0.0.1:none", "127.0.0.1:none"),
        ])
    func impossible(flags: String, error: String) throws {
        let folder = try UsageFolder()
        let outcome = try folder.flistd("\(flags) --broker unix://\(folder.path)/nobody")
        #expect([1, 2].contains(outcome.status), "\(outcome)")
        #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.output == "", "\(outcome)")
        #expect(outcome.errors.hasPrefix("flistd: ") && outcome.errors.contains(error), "\(outcome)")
    }

    @Test("who is not root is told so, and nothing is made")
    func notRoot() throws {
        let folder = try UsageFolder()
        let outcome = try ChildProcess.run([
            "setpriv", "--reuid", "1234", "--clear-groups", BuiltProgram.path("flistd"), "--root",
            "\(folder.path)/root",
        ])
        #expect(outcome.status == 1)
        #expect(outcome.errors == "flistd: flistd mounts file systems for others: run it as root\n", "\(outcome)")
        #expect(try folder.flistd("--help").output.contains("USAGE: flistd "))
        #expect(try folder.flistd("--version").output.hasPrefix("flistd "))
    }
}

/// A folder without servers.
private final class UsageFolder {
    let path = "/var/tmp/flist-test-flistd-\(UUID().uuidString.prefix(8))"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: "\(path)/file", contents: nil)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func flistd(_ flags: String) throws -> ChildProcess.Outcome {
        try ChildProcess.run(
            ["timeout", "10", BuiltProgram.path("flistd")] + flags.split(separator: " ").map(String.init), in: path)
    }
}
