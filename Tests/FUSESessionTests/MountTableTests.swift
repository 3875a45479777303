import FUSESession
import Support
import Testing

@Suite("The mount table of a session", .serialized)
struct MountTableTests {
    @Test("shows a mount with an odd name", .timeLimit(.minutes(5)))
    func oddMount() throws {
        try withFolder { folder in
            let target = "\(folder)/a b\t\n\\,#ä"
            try makeFolder(target)
            var options = MountOptions(source: "sou rce\\\n,x=y")
            options.noSuid = true
            let session = try FUSESession.mount(MemoryFileSystem(MemoryTree()), at: target, options: options)
            defer { try? session.stop(force: true) }
            #expect(session.target == target)
            let entry = try #require(try MountTable.current().find(target: target))
            #expect(entry.type == "fuse.flist")
            #expect(entry.source == "sou rce\\\n,x=y")
            let words = Set(entry.options.split(separator: ","))
            #expect(words == ["ro", "nosuid", "noatime"])
            #expect(entry.superOptions.contains("allow_other"))
            #expect(entry.superOptions.contains("default_permissions"))
        }
    }
}
