import Foundation
import Glibc
import Support
import TestSupport
import Testing

/// A name server that takes questions and never answers. Ends with its object.
private final class SilentResolver: Sendable {
    let address: String
    private let socket: Int32

    init() throws {
        let number = getpid()
        address = "127.53.\(number >> 8 & 0x7f).\(number & 0x7f | 1)"
        socket = try systemCall { Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = UInt16(53).bigEndian
        inet_pton(AF_INET, address, &place.sin_addr)
        let fd = socket
        _ = try withUnsafePointer(to: &place) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                try systemCall { bind(fd, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
        }
    }

    deinit { close(socket) }

    /// Whether it was asked for a name since the last call.
    var wasAsked: Bool {
        var bytes = [UInt8](repeating: 0, count: 512)
        var count = 0
        while recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 { count += 1 }
        return count > 0
    }
}

@Suite(
    "Mounts whose name server is silent", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"),
    .timeLimit(.minutes(5)))
struct SilentResolverTests {
    @Test(
        "readers get an error in time, and what is cached is served",
        arguments: ["redis://store.example:6379", "http://store.example", "s3://key:secret@store.example:80/blocks"])
    func silent(store: String) throws {
        let resolver = try SilentResolver()
        let place = try MountPlace()
        for name in ["one", "two", "cached"] {
            try place.write(MountPlace.noise(3000, seed: UInt64(name.utf8.count)), name)
        }
        try place.write(MountPlace.noise(3000, seed: 77), "two")
        try place.pack()
        // The C library would wait for ten minutes.
        try Data("nameserver \(resolver.address)\noptions timeout:30 attempts:20\n".utf8).write(
            to: URL(fileURLWithPath: place.path("resolv.conf")))
        try place.mounted(place.path("tree.fl"), place.options()) { _ in
            #expect(MountPlace.read(place.path("target/cached")) == .success(MountPlace.noise(3000, seed: 6)))
        }
        try FileManager.default.removeItem(atPath: place.path("blocks"))
        let script = """
            mount --bind resolv.conf /etc/resolv.conf &&
            \(MountPlace.program) mount -o timeout=1,noprofile --cache cache --store '\(store)' tree.fl target || exit 9
            cat target/one; cat target/two; cmp source/cached target/cached && umount target && echo ended
            """
        let outcome = try place.shell("unshare -m bash -c '\(script.replacing("'", with: "'\\''"))' 2>&1")
        #expect(
            outcome.output == """
                cat: target/one: Connection timed out
                cat: target/two: Connection timed out
                ended

                """)
        #expect(resolver.wasAsked)
    }
}
