import Foundation
import Support
import TestSupport
import Testing

@Suite(
    "flist node, status and top", .serialized,
    .enabled(if: Machine.isFit, "needs root, /dev/fuse, nginx and Python"), .timeLimit(.minutes(5)))
struct NodeCommandTests {
    @Test("flist node calls every method")
    func node() throws {
        let place = try DaemonPlace()
        try place.start()
        let broker = place.broker
        let (url, path, md5) = (place.url("one"), place.mountPath("a"), try place.md5("one"))
        let run = { (words: String) in
            let outcome = try place.shell("$FLIST node \(words) --broker \(broker)")
            return "\(outcome.status) \(outcome.output)\(outcome.errors)"
        }
        #expect(try run("hub-hash \(url)") == "0 \(md5)\n")
        #expect(try run("exists a") == "0 false\n")
        #expect(try run("mount a \(url) --limit 64MiB") == "0 \(path)\n")
        #expect(try run("exists a") == "0 true\n")
        #expect(try run("hash a") == "0 \(md5)\n")
        #expect(try run("hash \(path)/") == "0 \(md5)\n")
        #expect(try run("limit a 128MiB") == "0 \(path)\n")
        #expect(try run("mount b one.fl --read-only") == "0 \(place.mountPath("b"))\n")
        #expect(try run("mount c \(url) --volume \(place.path("mine"))") == "0 \(place.mountPath("c"))\n")
        #expect(try run("limit b 1GiB") == "1 flist: flistd: cannot limit b: it is mounted read-only\n")
        #expect(
            try run("mount d nosuch.fl").hasPrefix(
                "1 flist: flistd: ro mount of flist failed: fail to download flist: 404 Not Found ("))
        #expect(try run("mount a/b \(url)") == "1 flist: flistd: invalid mountpoint: invalid mount name\n")
        #expect(try run("hash nosuch") == "1 flist: flistd: path is not a mountpoint\n")
        for name in ["a", "b", "c", "nosuch"] { #expect(try run("umount \(name)") == "0 ") }
        #expect(try place.mounts == [])
        #expect(try place.shell("$FLIST node exists a --broker nonsense").status == 2)
    }

    @Test("flist status tells what is served, to people and to programs, by the socket and over the bus")
    func status() throws {
        let place = try DaemonPlace()
        let daemon = try place.start(["--workers", "3", "--cache-size", "1GiB"])
        let bus = try place.bus()
        let empty = try place.flist("status", "--root", place.root)
        #expect(empty.output.contains("\nnothing is mounted\n"))
        #expect(try bus.call("Mount", "[\"a\", \"\(place.url("one"))\", [false, 67108864, \"\", \"\"]]")?.error == nil)
        #expect(try bus.call("Mount", "[\"b\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]")?.error == nil)
        try place.shell("cat root/mountpoint/a/name root/mountpoint/b/d/file")

        for source in [["--root", place.root], ["--broker", place.broker]] {
            let words = source.joined(separator: " ")
            let text = try place.shell("$FLIST status \(words)")
            #expect(text.status == 0)
            #expect(text.output.contains("process \(daemon.pid), up "), "\(text)")
            #expect(text.output.contains("bus       \(place.broker), connected; 0 of 3 workers busy\n"), "\(text)")
            #expect(text.output.contains(" of 1.0 GiB, 2 contents, 0 in part\n"), "\(text)")
            #expect(text.output.contains(" 64.0 MiB  \(place.mountPath("a"))\n"), "\(text)")
            #expect(text.output.contains("  read-only "), "\(text)")
            #expect(text.output.contains(place.url("one")), "\(text)")
            let quiet = try place.shell("$FLIST status --quiet \(words)")
            #expect(quiet.status == 0 && quiet.output == "" && quiet.errors == "")
            let json = try place.shell("$FLIST status --json \(words)").output
            let report = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect(report["pid"] as? Int32 == daemon.pid)
            #expect(report["root"] as? String == place.root)
            let mounts = try #require(report["mounts"] as? [[String: Any]])
            #expect(mounts.map { $0["name"] as? String } == ["a", "b"])
            #expect(mounts.map { $0["is_read_only"] as? Bool } == [false, true])
            #expect(mounts.map { $0["limit"] as? Int } == [67_108_864, nil])
            #expect(try mounts.allSatisfy { try $0["md5"] as? String == place.md5("one") })
            let flists = try #require(report["flists"] as? [[String: Any]])
            #expect(flists.map { $0["mounts"] as? Int } == [2])
            #expect(flists.map { $0["url"] as? String } == [place.url("one")])
            let stores = try #require(report["stores"] as? [[String: Any]])
            let blocks = stores.reduce(into: [:]) { $0[$1["address"] as? String ?? ""] = $1["blocks"] as? Int }
            #expect(blocks == ["dir://\(place.path("blocks"))": 2, place.fallback: 0], "\(blocks)")
            #expect((report["fetching"] as? [String: Any])?["blocks"] as? Int == 2)
            let cache = try #require(report["cache"] as? [String: Any])
            #expect(cache["quota"] as? Int == 1 << 30 && cache["complete"] as? Int == 2)
        }
    }

    @Test("flist status and node fail with one line when nobody answers")
    func nobody() throws {
        let place = try DaemonPlace()
        let broker = place.broker
        let commands = [
            "status --root \(place.root)", "status --quiet --root \(place.root)",
            "status --timeout 1 --broker \(broker)",
            "status --timeout 1 --broker unix:///nosuch/socket", "top --count 1 --root \(place.root)",
            "node exists a --timeout 1 --broker \(broker)",
        ]
        for command in commands {
            let outcome = try place.shell("$FLIST \(command)")
            #expect(outcome.status == 1, "\(command)")
            #expect(outcome.output == "", "\(command)")
            #expect(outcome.errors.hasPrefix("flist: "), "\(command): \(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(command): \(outcome.errors)")
        }
        // After a crash the socket is there, and nobody behind it.
        try place.start().kill()
        let outcome = try place.flist("status", "--root", place.root)
        #expect(outcome.status == 1 && outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
    }

    @Test("flist status answers over the bus while all workers are busy, and names what they do")
    func busy() throws {
        let place = try DaemonPlace()
        let hub = try SlowHub("\(place.hub.root)/one.fl")
        try place.start(["--workers", "1"])
        let bus = try place.bus()
        try bus.send([.init("Mount", "[\"a\", \"\(hub.url)\", [true, 0, \"\", \"\"]]")])
        #expect(hub.isAsked)
        let text = try place.flist("status", "--broker", place.broker).output
        #expect(text.contains("1 of 1 workers busy\n          [flist@0.0.1].Mount() for "), "\(text)")
        hub.goOn()
        #expect(try bus.receive()[0]?.error == nil)
    }

    @Test("flist top shows it again and again, one object a line as JSON")
    func top() throws {
        let place = try DaemonPlace()
        let daemon = try place.start()
        let outcome = try place.flist("top", "--count", "2", "--interval", "1", "--json", "--root", place.root)
        let lines = outcome.output.split(separator: "\n")
        #expect(outcome.status == 0 && lines.count == 2)
        let reports = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        #expect(reports.map { $0?["pid"] as? Int32 } == [daemon.pid, daemon.pid])
        let text = try place.flist("top", "--count", "2", "--interval", "1", "--root", place.root).output
        #expect(text.split(separator: "\n").count { $0.hasPrefix("flistd  ") } == 2)
        #expect(text.contains("/s, 0 blocks failed\n"), "\(text)")
    }
}
