import Foundation
import Support
import TestSupport
import Testing

/// The lines of the packaged units, run with this machine's paths in place of theirs.
@Suite(
    "The units for zinit and systemd", .serialized,
    .enabled(if: Machine.isFit, "needs root, /dev/fuse, nginx and Python"), .timeLimit(.minutes(5)))
struct UnitTests {
    private static let packaging = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("packaging").path

    /// What follows a key at the beginning of a line.
    private func value(_ key: String, _ file: String) throws -> String {
        let text = try String(contentsOfFile: "\(Self.packaging)/\(file)", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(key) })
        return line.dropFirst(key.count).trimmingCharacters(in: .whitespaces)
    }

    private func here(_ line: String, _ place: DaemonPlace) -> [String] {
        line.split(separator: " ").map { word in
            switch word {
            case "unix:///var/run/redis.sock": place.broker
            case "tcp://127.0.0.1:6379": "tcp://127.0.0.1:\(place.redis.port)"
            case "/var/cache/modules/flistd": place.root
            default: String(word)
            }
        }
    }

    @Test("zinit: the test line fails until the service answers on the bus, and succeeds then")
    func zinit() throws {
        let place = try DaemonPlace()
        let exec = here(try value("exec:", "flistd.zinit.yaml"), place)
        let test = here(try value("test:", "flistd.zinit.yaml"), place)
        #expect(exec.first == "flistd" && test.first == "flist")
        let isUp = { try ChildProcess.run([BuiltProgram.path("flist")] + test.dropFirst()).status == 0 }
        place.redis.stop()
        let daemon = try RunningDaemon(Array(exec.dropFirst()), log: place.path("log"), [:])
        #expect(daemon.logs("the broker"))
        #expect(try !isUp())
        try place.redis.start()
        #expect(try eventually { try isUp() })
        #expect(exec.suffix(2) == ["--workers", "5"])
        #expect(daemon.terminate() == 0)
    }

    @Test("systemd: the command line serves, and READY=1 is sent to whoever started it")
    func systemd() throws {
        let place = try DaemonPlace()
        // systemd must not give up: mounts wait for the next flistd.
        #expect(try value("StartLimitIntervalSec=", "flistd.service") == "0")
        #expect(try value("Type=", "flistd.service") == "notify")
        #expect(try value("ExecStart=", "flistd.service") == "/usr/bin/flistd $FLISTD_OPTIONS")
        let environment = try value("Environment=", "flistd.service")
        let options = try #require(environment.wholeMatch(of: /"FLISTD_OPTIONS=(.*)"/)?.1)
        let manager = try NotifySocket(place.path("notify"))
        let daemon = try RunningDaemon(
            here(String(options), place), log: place.path("log"), ["NOTIFY_SOCKET": place.path("notify")])
        #expect(eventually { manager.received().contains { $0.hasPrefix("READY=1\n") } })
        #expect(
            try place.flist("node", "exists", "a", "--broker", "tcp://127.0.0.1:\(place.redis.port)").output
                == "false\n")
        #expect(daemon.terminate() == 0)
    }
}
