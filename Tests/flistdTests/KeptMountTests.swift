import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite(
    "Mounts that outlive the service", .serialized,
    .enabled(if: Machine.isFit, "needs root, /dev/fuse, nginx and Python"), .timeLimit(.minutes(5)))
struct KeptMountTests {
    @Test(
        "those who read and write meanwhile only wait", arguments: RecoveryTests.End.allCases)
    func kept(end: RecoveryTests.End) throws {
        let place = try DaemonPlace()
        try place.makeTree("large", "head -c 20M /dev/urandom > bytes; seq 1000 > numbers")
        try place.publish("large")
        var daemon = try place.start(["--keep", "60"])
        let bus = try place.bus()
        for (name, readOnly) in [("ro", "true"), ("rw", "false")] {
            #expect(
                try bus.call("Mount", "[\"\(name)\", \"\(place.url("large"))\", [\(readOnly), 67108864, \"\", \"\"]]")?
                    .error == nil)
        }
        let before = try place.mounts
        let over = Monitor(false)
        let trouble = Monitor<[String]>([])
        // Drops what the kernel has, so that each round asks.
        let loops = [
            "cmp trees/large/bytes root/mountpoint/ro/bytes && dd if=root/mountpoint/ro/bytes iflag=nocache count=0 status=none",
            "diff -r trees/large root/mountpoint/rw --exclude new && date > root/mountpoint/rw/new",
            "ls -lR root/mountpoint/ro > /dev/null",
        ]
        // Its shell only reads its folder's name.
        nonisolated(unsafe) let outside = place
        let threads = try loops.map { command in
            try WorkerThread("load") {
                while !over.withLock({ $0 }) {
                    let outcome = try? outside.shell(command)
                    guard outcome?.status == 0, outcome?.errors == "" else {
                        trouble.withLock { $0.append("\(command): \(String(describing: outcome))") }
                        return
                    }
                }
            }
        }
        let sitter = try ChildProcess(["sleep", "1000"], in: place.mountPath("rw"))
        for _ in 1...4 {
            end.happen(to: daemon)
            daemon = try place.start(["--keep", "60"])
            #expect(daemon.log.contains("goes on with a mount"))
        }
        over.withLock { $0 = true }
        threads.forEach { $0.join() }
        #expect(trouble.withLock { $0 } == [])
        #expect(try place.mounts == before)
        #expect(try place.shell("ls /proc/\(sitter.pid)/cwd/").output == "bytes\nnew\nnumbers\n")
        withExtendedLifetime(sitter) {}
    }

    @Test("an older mount of the same flist that is still in use does not take the place of the live one")
    func older() throws {
        let place = try DaemonPlace()
        var daemon = try place.start(["--keep", "60"])
        let bus = try place.bus()
        let options = "\"\(place.url("one"))\", [true, 0, \"\", \"\"]"
        var users: [ChildProcess] = []
        for number in 0..<4 {
            #expect(try bus.call("Mount", "[\"old\", \(options)]")?.error == nil)
            // Has the mount in a tree of its own, as a container does.
            let path = place.mountPath("old")
            let user = try ChildProcess(["unshare", "--mount", "sh", "-c", "cd \(path) && exec sleep 1000"])
            users.append(user)
            #expect(try eventually { try place.shell("readlink /proc/\(user.pid)/cwd").output == "\(path)\n" })
            #expect(try bus.call("Unmount", "[\"old\"]")?.error == nil)
            #expect(try place.mounts == [], "\(number)")
        }
        #expect(try bus.call("Mount", "[\"a\", \(options)]")?.error == nil)
        let before = try place.shell("grep \(place.root) /proc/self/mountinfo").output
        for _ in 0..<3 {
            daemon.kill()
            daemon = try place.start(["--keep", "60"])
            #expect(try place.shell("grep \(place.root) /proc/self/mountinfo").output == before)
            for user in users {
                #expect(try place.shell("cat /proc/\(user.pid)/cwd/name").output == "one\n")
            }
        }
        #expect(try bus.call("Unmount", "[\"a\"]")?.error == nil)
        #expect(try place.mounts == [])
    }

    @Test("a flist that is gone is not needed to go on, and the keeper ends with the last mount")
    func lostFlist() throws {
        let place = try DaemonPlace()
        let first = try place.start(["--keep", "60"])
        let bus = try place.bus()
        #expect(try bus.call("Mount", "[\"a\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]")?.error == nil)
        first.kill()
        try place.shell("rm root/flist/\(place.md5("one"))")
        let second = try place.start(["--keep", "60"])
        #expect(try place.shell("cat root/mountpoint/a/d/file").output == "deep\n")
        #expect(try bus.call("Unmount", "[\"a\"]") == RecoveryTests.Answer(data: "null"))
        #expect(second.terminate() == 0)
        // Nobody listens there any more.
        #expect(
            try eventually {
                try place.shell("grep -c ' \(place.root)/keeper' /proc/net/unix").output == "0\n"
            })
    }

    @Test("a keeper that is killed is replaced, and holds what the one before held")
    func killedKeeper() throws {
        let place = try DaemonPlace()
        let first = try place.start(["--keep", "60"])
        let bus = try place.bus()
        #expect(try bus.call("Mount", "[\"a\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]")?.error == nil)
        let before = try place.shell("grep \(place.root) /proc/self/mountinfo").output
        // What is meant for the service, and sent to all its processes, is none of the keeper's.
        try place.shell("pkill -HUP -x -P \(first.pid) flist-keeper")
        let keeper = try place.shell("pgrep -x -P \(first.pid) flist-keeper").output
        #expect(!keeper.isEmpty)
        try place.shell("kill -KILL \(keeper)")
        #expect(eventually { first.log.contains("another one holds the mounts now") })
        #expect(
            try eventually {
                let next = try place.shell("pgrep -x -P \(first.pid) flist-keeper").output
                // One, that is: the one before is no zombie.
                return next != keeper && next.split(separator: "\n").count == 1
            })
        first.kill()
        let second = try place.start(["--keep", "60"])
        #expect(second.log.contains("goes on with a mount"))
        #expect(try place.shell("grep \(place.root) /proc/self/mountinfo").output == before)
        #expect(try place.shell("cat root/mountpoint/a/d/file").output == "deep\n")
    }

    @Test("mounts fail when no next flistd comes in time")
    func nobody() throws {
        let place = try DaemonPlace()
        let daemon = try place.start(["--keep", "1"])
        let bus = try place.bus()
        #expect(try bus.call("Mount", "[\"a\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]")?.error == nil)
        daemon.kill()
        // Those who wait when the mount fails get another error than those who come later.
        let errors = try place.shell("cat root/mountpoint/a/name").errors
        #expect(
            errors.contains("Transport endpoint is not connected")
                || errors.contains("Software caused connection abort"), "\(errors)")
        // And are made again by the one that comes late.
        try place.start(["--keep", "1"])
        #expect(try place.shell("cat root/mountpoint/a/name").output == "one\n")
    }
}
