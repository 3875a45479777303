import Support
import Testing

@Suite("The mount table")
struct MountTableTests {
    @Test("reads lines with any number of optional fields and escaped names")
    func lines() throws {
        let text = #"""
            36 35 98:0 /mnt1 /mnt/a\040b\011c\012d\134e rw,noatime master:1 shared:2 - ext3 /dev/a\040root rw,errors=continue
            37 36 0:51 / / ro - fuse.flist - ro,user_id=0
            nonsense
            38 36 0:x / /y rw - tmpfs none rw
            39 36 0:52 / /y rw shared:1 tmpfs none rw
            40 36 0:53 / /mnt\0 rw - tmpfs  rw

            41 36 0:54 / / rw - overlay ov\303\244r rw
            """#
        let table = MountTable(parsing: Array(text.utf8))
        #expect(table.entries.map(\.id) == [36, 37, 40, 41])
        let first = try #require(table.entries.first)
        #expect(first.parent == 35)
        #expect(first.device == MountTable.Device(major: 98, minor: 0))
        #expect(first.root == "/mnt1")
        #expect(first.mountPoint == "/mnt/a b\tc\nd\\e")
        #expect(first.options == "rw,noatime")
        #expect(first.type == "ext3")
        #expect(first.source == "/dev/a root")
        #expect(first.superOptions == "rw,errors=continue")
        #expect(table.entries[2].mountPoint == "/mnt\\0")
        #expect(table.entries[2].source == "")
        #expect(table.find(target: "/")?.id == 41)
        #expect(table.find(target: "/")?.source == "ovär")
        #expect(table.find(target: "/none") == nil)
        #expect(table.mounts(type: "fuse.flist").map(\.id) == [37])
        #expect(MountTable(parsing: []).entries.isEmpty)
    }
}
