import FlistManager
import Foundation
import Support
import Testing

@Suite(
    "A hub in trouble", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"), .timeLimit(.minutes(5)))
struct HubTroubleTests {
    @Test("a flist that was mounted before mounts while its hub is away, and serves what is cached")
    func away() throws {
        let node = try Node()
        let path = try node.mount("a", readOnly: true)
        #expect(try node.shell("cat \(path)/name").output == "one\n")
        try node.flister.unmount("a")
        let url = node.url("one")
        node.hub.stop()
        // Its blocks are away, too.
        try node.shell("mv blocks elsewhere")
        let again = try node.flister.mount("b", url: url, options: NamedMountOptions().readOnly(true))
        #expect(try node.shell("cat \(again)/name").output == "one\n")
        #expect(try node.shell("ls \(again)/d; stat -c %s \(again)/d/file").output == "file\n5\n")
        #expect(node.log.all.contains { $0.hasPrefix("warning") && $0.contains(url) })
    }

    @Test("a flist that changed on its hub is mounted as it is now, beside the older one")
    func changed() throws {
        let node = try Node()
        let old = try node.mount("old", limit: 1 << 25)
        try node.makeTree("one", "echo new > name")
        try node.publish("one")
        let new = try node.mount("new", limit: 1 << 25)
        #expect(try node.shell("cat \(old)/name \(new)/name").output == "one\nnew\n")
        #expect(try node.mounts.filter { $0.hasPrefix("ro/") }.count == 2)
    }

    @Test("an address without a scheme is one on the node's hub")
    func relative() throws {
        let node = try Node()
        let error = #expect(throws: FlistError.self) {
            try node.flister.mount("a", url: "apps/x.fl", options: NamedMountOptions().readOnly(true))
        }
        #expect(error?.description.contains("https://hub.invalid/apps/x.fl") == true)
    }
}

extension NamedMountOptions {
    func readOnly(_ isReadOnly: Bool) -> NamedMountOptions {
        var options = self
        options.readOnly = isReadOnly
        return options
    }
}
