import FlistManager
import Glibc
import TestSupport
import Testing

@Suite(
    "Profiles of a node's mounts", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"),
    .timeLimit(.minutes(5)))
struct ProfileMountTests {
    @Test("what a shared mount reads first is recorded once for all names, in order")
    func recorded() throws {
        let node = try Node()
        let first = try node.mount("a", readOnly: true)
        let second = try node.mount("b", readOnly: true)
        try node.shell("cat \(first)/d/file \(second)/name \(first)/name")
        try node.flister.unmount("a")
        try node.flister.unmount("b")
        #expect(try eventually { try node.shell("ls root/cache/profile/*.profile").status == 0 })
        #expect(try node.shell("grep -v '^#' root/cache/profile/*.profile").output == "0 5 /d/file\n0 4 /name\n")
    }
}
