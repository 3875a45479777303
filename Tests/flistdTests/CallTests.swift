import Foundation
import Support
import TestSupport
import Testing

/// What callers in other languages get, byte for byte where they look.
@Suite(
    "Calls over the bus", .serialized, .enabled(if: Machine.isFit, "needs root, /dev/fuse, nginx and Python"),
    .timeLimit(.minutes(5)))
struct CallTests {
    typealias Answer = PythonBusClient.Answer

    enum Line: String, CaseIterable, CustomTestStringConvertible {
        case socket, tcp

        var testDescription: String { rawValue }
    }

    @Test("all six methods, read-only and writable, by socket and by TCP with a password", arguments: Line.allCases)
    func methods(line: Line) throws {
        let place = try DaemonPlace(redis: line == .tcp ? ["--requirepass", "s3/cret"] : [])
        let port = place.redis.port
        try place.start(broker: line == .tcp ? "tcp://s3%2Fcret@127.0.0.1:\(port)" : nil)
        let bus = try line == .tcp ? PythonBusSession("redis://:s3%2Fcret@127.0.0.1:\(port)") : place.bus()
        let (url, md5) = (place.url("one"), try place.md5("one"))
        let path = place.mountPath("a")

        #expect(try bus.call("FlistHash", "[\"\(url)\"]") == Answer(data: "\"\(md5)\""))
        #expect(try bus.call("Exists", "[\"a\"]") == Answer(data: "false"))
        let readOnly = "{\"ReadOnly\": true, \"Limit\": 0, \"Storage\": \"\", \"PersistedVolume\": \"\"}"
        #expect(try bus.call("Mount", "[\"a\", \"\(url)\", \(readOnly)]") == Answer(data: "\"\(path)\""))
        #expect(try place.shell("cat \(path)/d/file; touch \(path)/x").output == "deep\n")
        #expect(try bus.call("Exists", "[\"a\"]") == Answer(data: "true"))
        #expect(try bus.call("HashFromRootPath", "[\"\(path)\"]") == Answer(data: "\"\(md5)\""))
        #expect(
            try bus.call("UpdateMountSize", "[\"a\", 1]")
                == Answer(data: "\"\"", error: "cannot limit a: it is mounted read-only"))
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        #expect(try bus.call("Exists", "[\"a\"]") == Answer(data: "false"))

        let writable = "{\"ReadOnly\": false, \"Limit\": 67108864, \"Storage\": \"\", \"PersistedVolume\": \"\"}"
        #expect(try bus.call("Mount", "[\"a\", \"\(url)\", \(writable)]") == Answer(data: "\"\(path)\""))
        #expect(try place.shell("echo new > \(path)/name; cat \(path)/name").output == "new\n")
        #expect(try bus.call("HashFromRootPath", "[\"a\"]") == Answer(data: "\"\(md5)\""))
        #expect(try bus.call("UpdateMountSize", "[\"a\", 134217728]") == Answer(data: "\"\(path)\""))
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        #expect(try place.mounts == [])
        #expect(try place.shell("ls -A root/mountpoint root/ro root/volumes").output.contains("root/volumes:\n"))
    }

    @Test("options as nil, empty, an array, incomplete, with more fields and with odd numbers")
    func options() throws {
        let place = try DaemonPlace()
        try place.start()
        let bus = try place.bus()
        let (url, path) = (place.url("one"), place.mountPath("a"))
        let missing = Answer(data: "\"\"", error: "invalid mount option, missing disk type")
        for options in ["null", "{}", "[]", "{\"readonly\": true}", "{\"Limit\": null}"] {
            #expect(try bus.call("Mount", "[\"a\", \"\(url)\", \(options)]") == missing, "\(options)")
        }
        for options in [
            "[true, 0, \"\", \"\"]", "{\"ReadOnly\": true, \"Type\": 1, \"More\": {\"a\": [1]}}",
            "{\"ReadOnly\": true}",
            "{\"ReadOnly\": true, \"Limit\": -1}", "{\"ReadOnly\": true, \"Storage\": null}",
        ] {
            #expect(try bus.call("Mount", "[\"a\", \"\(url)\", \(options)]") == Answer(data: "\"\(path)\""))
            #expect(try bus.call("Unmount", "[{\"$raw\": \"c40161\"}]") == Answer(data: "null"))
        }
        #expect(try place.mounts == [])
    }

    @Test("names that are none never leave the folder, and leave nothing")
    func names() throws {
        let place = try DaemonPlace()
        try place.start()
        let bus = try place.bus()
        let names =
            ["", ".", "..", "/", "a/b", "../up", "/etc", "a\\u0000b", "a/", String(repeating: "a", count: 256)]
            .map { "\"\($0)\"" } + ["null", "{\"$raw\": \"a361ff62\"}"]
        let wrapped = "invalid mountpoint: invalid mount name"
        for name in names {
            #expect(
                try bus.call("Mount", "[\(name), \"\(place.url("one"))\", [true, 0, \"\", \"\"]]")
                    == Answer(data: "\"\"", error: wrapped), "\(name)")
            #expect(try bus.call("Exists", "[\(name)]") == Answer(data: "false", error: wrapped), "\(name)")
            #expect(try bus.call("UpdateMountSize", "[\(name), 1]") == Answer(data: "\"\"", error: wrapped), "\(name)")
            #expect(
                try bus.call("Unmount", "[\(name)]") == Answer(data: "null", error: "invalid mount name"), "\(name)")
        }
        #expect(
            try bus.call("HashFromRootPath", "[\"../up/..\"]") == Answer(data: "\"\"", error: "invalid mount name"))
        #expect(try place.mounts == [])
        #expect(
            try place.shell("find root/mountpoint root/flist -type f -o -type d -path '*/mountpoint/*'").output == "")
        // Odd, but one component.
        let name = "-rf $(id) 'é\\n\\\"\\\\,:=#"
        let path = place.mountPath("-rf $(id) 'é\n\"\\,:=#")
        let answer = try bus.call("Mount", "[\"\(name)\", \"\(place.url("one"))\", [false, 67108864, \"\", \"\"]]")
        #expect(answer?.error == nil)
        #expect(try String(contentsOfFile: "\(path)/name", encoding: .utf8) == "one\n")
        #expect(try bus.call("HashFromRootPath", "[\"\(name)\"]") == Answer(data: "\"\(place.md5("one"))\""))
        #expect(try bus.call("UpdateMountSize", "[\"\(name)\", 134217728]")?.error == nil)
        #expect(try bus.call("Unmount", "[\"\(name)\"]") == Answer(data: "null"))
        #expect(try place.mounts == [])
    }

    @Test("what fails is told in one line, beside the zero value")
    func failures() throws {
        let place = try DaemonPlace(locations: "location /busy { return 503; } location /secret { return 403; }")
        try place.start()
        let bus = try place.bus()
        let hub = place.hub.url
        try place.hub.write(Array("short".utf8), to: "short.fl.md5")
        try place.hub.write(Array("no flist".utf8), to: "junk.fl")
        let mount = { (url: String) in "[\"a\", \"\(url)\", [true, 0, \"\", \"\"]]" }
        let expected: [(String, String, String, String)] = [
            ("HashFromRootPath", "[\"a\"]", "\"\"", "path is not a mountpoint"),
            (
                "UpdateMountSize", "[\"a\", 1]", "\"\"",
                "flist not mounted: nothing is mounted at \(place.mountPath("a"))"
            ),
            ("FlistHash", "[\"\(hub)/none.fl\"]", "\"\"", "hash not supported by flist host"),
            ("FlistHash", "[\"\(hub)/short.fl\"]", "\"\"", "invalid hash length"),
            ("FlistHash", "[\"\(hub)/secret.fl\"]", "\"\"", "failed to get flist hash: 403 Forbidden"),
            (
                "Mount", mount("\(hub)/none.fl"), "\"\"",
                "ro mount of flist failed: fail to download flist: 404 Not Found (\(hub)/none.fl)"
            ),
            (
                "Mount", mount("ftp://example.com/x.fl"), "\"\"",
                "ro mount of flist failed: cannot fetch a flist from 'ftp://example.com/x.fl': only http://, https:// and "
                    + "file:/// addresses are known"
            ),
            (
                "Mount", "[\"a\", \"\(place.url("one"))\", [false, 67108864, \"\", \"relative\"]]", "\"\"",
                "invalid persisted volume: relative is no absolute path"
            ),
        ]
        for (method, arguments, data, error) in expected {
            let answer = try bus.call(method, arguments)
            #expect(answer == Answer(data: data, error: error), "\(method) \(arguments): \(String(describing: answer))")
        }
        let junk = try #require(try bus.call("Mount", mount("\(hub)/junk.fl")))
        #expect(junk.data == "\"\"")
        #expect(junk.error?.hasPrefix("ro mount of flist failed: ") == true)
        #expect(junk.error?.contains("\(hub)/junk.fl") == true)
        #expect(junk.error?.contains("\n") == false)
        let storage = try #require(
            try bus.call("Mount", "[\"a\", \"\(place.url("one"))\", [true, 0, \"nonsense\", \"\"]]"))
        #expect(storage.data == "\"\"")
        #expect(storage.error?.contains("nonsense") == true)
        #expect(try place.mounts == [])
        #expect(try place.shell("ls root/mountpoint root/ro").output == "root/mountpoint:\n\nroot/ro:\n")
    }

    @Test("what is no call of a method is a protocol error in the words of the bus")
    func protocolErrors() throws {
        let place = try DaemonPlace()
        try place.start()
        let bus = try place.bus()
        let expected = [
            ("mount", "[\"a\", \"b\", null]", "not a function"), ("", "[]", "not a function"),
            ("Report", "[]", "not a function"),
            ("Mount", "[]", "invalid number of arguments expecting 3 got 0"),
            ("Mount", "[\"a\", \"b\", null, 1]", "invalid number of arguments expecting 3 got 4"),
            ("Mount", "[1, \"b\", null]", "invalid argument type [0] expecting string got"),
            ("Mount", "[\"a\", true, null]", "invalid argument type [1] expecting string got"),
            ("Mount", "[\"a\", \"b\", 1]", "invalid argument type [2] expecting pkg.MountOptions got"),
            (
                "Mount", "[\"a\", \"b\", {\"Limit\": \"1\"}]",
                "invalid argument type [2] expecting pkg.MountOptions got"
            ),
            (
                "Mount", "[\"a\", \"b\", {\"ReadOnly\": null}]",
                "invalid argument type [2] expecting pkg.MountOptions got"
            ),
            (
                "Mount", "[\"a\", \"b\", {\"$raw\": \"81a5\"}]",
                "invalid argument type [2] expecting pkg.MountOptions got"
            ),
            ("UpdateMountSize", "[\"a\", \"1\"]", "invalid argument type [1] expecting gridtypes.Unit got"),
            ("UpdateMountSize", "[\"a\", 1.5]", "invalid argument type [1] expecting gridtypes.Unit got"),
            ("Exists", "[{\"$raw\": \"\"}]", "invalid argument type [0] expecting string got"),
        ]
        for (method, arguments, error) in expected {
            #expect(
                try bus.call(method, arguments) == Answer(data: "null", protocolError: error), "\(method) \(arguments)")
        }
        for (name, version) in [("flist", "0.0.2"), ("flister", "0.0.1"), ("", "")] {
            var call = PythonBusSession.Call("Exists", "[\"a\"]")
            (call.object, call.version) = (name, version)
            #expect(try bus.call([call]) == [Answer(data: "null", protocolError: "unknown object")])
        }
        // What is no request at all gets no answer, and keeps nothing from working.
        try place.redis.command(["RPUSH", "flist.flist@0.0.1", "junk", "", "\u{85}"])
        #expect(try bus.call("Exists", "[\"a\"]") == Answer(data: "false"))
    }

    @Test("the status of the module is told on its own queue")
    func status() throws {
        let place = try DaemonPlace()
        try place.start(["--workers", "3"])
        var call = PythonBusSession.Call("Status", "[]")
        (call.queue, call.object, call.version) = ("flist.zbus@1.0", "zbus", "1.0")
        let data = try #require(try place.bus().call([call])[0]?.data)
        let status = try #require(try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any])
        #expect(status["Objects"] as? [[String: String]] == [["Name": "flist", "Version": "0.0.1"]])
        let workers = try #require(status["Workers"] as? [[String: Any]])
        #expect(workers.map { $0["State"] as? String } == ["free", "free", "free"])
        #expect(workers.map { $0["Action"] as? String } == ["", "", ""])
    }
}
