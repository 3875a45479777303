import FUSESession
import Support
import Testing

@Suite("Options of mounted file systems")
struct OverlayOptionTests {
    @Test("are told apart though values hold commas")
    func commas() {
        let line =
            #"9 1 0:5 / /t ro - overlay src rw,lowerdir=/a\054b,upperdir=/u\054workdir=/x,workdir=/w,redirect_dir=on"#
        let entry = MountTable(parsing: Array(line.utf8)).entries[0]
        #expect(entry.superOption("lowerdir") == "/a,b")
        #expect(entry.superOption("upperdir") == "/u,workdir=/x")
        #expect(entry.superOption("workdir") == "/w")
        #expect(entry.superOption("work") == nil)
        #expect(entry.superOption("rw") == nil)
    }
}
