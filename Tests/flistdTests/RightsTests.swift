import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite(
    "Rights of flistd", .serialized, .enabled(if: Machine.isFit, "needs root, /dev/fuse, nginx and Python"),
    .timeLimit(.minutes(5)))
struct FlistdRightsTests {
    private func output(_ place: DaemonPlace, _ command: String) throws -> String {
        let outcome = try place.shell(command)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.output
    }

    @Test("are those of its work, in every thread, and enough for it")
    func threads() throws {
        let place = try DaemonPlace()
        let daemon = try place.start()
        let bus = try place.bus()
        _ = try bus.call("Mount", "[\"rw\", \"\(place.url("one"))\", [false, 67108864, \"\", \"\"]]")
        let status = try output(
            place, "grep -hE '^(CapEff|CapInh|CapPrm|NoNewPrivs|Seccomp):' /proc/\(daemon.pid)/task/*/status | sort -u")
        // As in flist's RightsTests, and CAP_NET_BIND_SERVICE and CAP_SYS_PTRACE.
        let own = try output(place, "awk '/^CapEff/ { print $2 }' /proc/self/status")
        let kept = try 0x8928_061f & #require(UInt64(own.dropLast(), radix: 16))
        let shown = String(format: "%016lx", kept)
        #expect(
            status
                == "CapEff:\t\(shown)\nCapInh:\t0000000000000000\nCapPrm:\t\(shown)\nNoNewPrivs:\t1\nSeccomp:\t2\n")
        _ = try output(place, "cd \(place.mountPath("rw")) && chown 5:6 name && chmod 4755 name && mknod null c 1 3")
        #expect(try output(place, "stat -c '%a %u %g' \(place.mountPath("rw"))/name") == "4755 5 6\n")
        // A shared mount gives neither devices nor setuid, a named one setuid.
        #expect(
            try output(place, "findmnt -rno OPTIONS \(place.mountPath("rw")) | tr , '\\n' | grep -cxE 'nodev'") == "1\n"
        )
        #expect(
            try output(place, "findmnt -rno OPTIONS \(place.mountPath("rw")) | tr , '\\n' | grep -cx nosuid || true")
                == "0\n")
        #expect(
            try output(
                place,
                "for m in \(place.root)/ro/*; do findmnt -rno OPTIONS $m | tr , '\\n' | grep -xE 'nodev|nosuid|ro'; done | sort"
            ) == "nodev\nnosuid\nro\n")
        #expect(
            try output(place, "find \(place.root) -xdev -type s -printf '%m %u\\n' | sort -u") == "600 root\n")
    }
}
