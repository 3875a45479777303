import FUSESession
import Support
import Testing

@Suite("Mount options")
struct MountOptionsTests {
    @Test("are read from words with commas between")
    func words() throws {
        var options = MountOptions(source: "x")
        try options.apply(
            "rw,nosuid,nodev,noexec,atime,allow_other,acl,workers=7,readahead=64,fsname=name,,x-systemd.a=b")
        #expect(!options.readOnly)
        #expect(options.noSuid)
        #expect(options.noDev)
        #expect(options.noExec)
        #expect(!options.noAtime)
        #expect(options.allowOther)
        #expect(options.aclSupport)
        #expect(options.workers == 7)
        #expect(options.readaheadKiB == 64)
        #expect(options.source == "name")
        try options.apply("ro,suid,dev,exec,noatime,noacl")
        #expect(options.readOnly)
        #expect(!options.noSuid)
        #expect(!options.noDev)
        #expect(!options.noExec)
        #expect(options.noAtime)
        #expect(!options.aclSupport)
    }

    @Test(
        "are refused when unknown or out of range",
        arguments: ["fast", "ro,nosuit", "workers=0", "workers=x", "workers", "max_read=1", "colour=red"])
    func unknown(text: String) throws {
        var options = MountOptions(source: "x")
        #expect { try options.apply(text) } throws: { ($0 as? FlistError)?.code == .usage }
    }
}
