import FlistContent
import Foundation
import Glibc
import Testing

@Suite("Access control lists of mounts", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct AccessListTests {
    @Test("are shown and obeyed as those of the source", .timeLimit(.minutes(5)))
    func obeyed() throws {
        let place = try MountPlace()
        let made = try place.shell(
            """
            set -e; cd source; mkdir folder shut; echo secret > file; echo plain > plain; echo in > shut/in
            chmod 600 file; chmod 700 shut; chmod 640 plain; chown 0:0 *
            setfacl -m u:12345:r,g:23456:rw file; setfacl -m d:u:12345:rwx,u:12345:rx folder; setfacl -m u:12345:x shut
            """)
        try #require(made.status == 0, "\(made.output)")
        try place.pack()
        try place.mounted(place.path("tree.fl"), place.options()) { open throws in
            #expect(open.index.summary.hasACLs)
            let list = "getfacl -n . file folder plain shut shut/in"
            #expect(try place.shell("cd target; \(list)").output == place.shell("cd source; \(list)").output)
            func reads(_ user: Int, _ path: String) throws -> Bool {
                try place.shell("setpriv --reuid \(user) --regid 1 --clear-groups cat target/\(path)").status == 0
            }
            #expect(try reads(12345, "file"))
            #expect(try !reads(12346, "file"))
            #expect(try reads(12345, "shut/in"))
            #expect(try !reads(12346, "shut/in"))
            #expect(try !reads(12345, "plain"))
        }
    }

    @Test("are not needed for permission bits to be obeyed", .timeLimit(.minutes(5)))
    func bits() throws {
        let place = try MountPlace()
        try place.shell("cd source; echo x > file; chown 7:8 file; chmod 640 file")
        try place.pack()
        try place.mounted(place.path("tree.fl"), place.options()) { open throws in
            #expect(!open.index.summary.hasACLs)
            func reads(_ user: Int, _ group: Int) throws -> Bool {
                let who = "setpriv --reuid \(user) --regid \(group) --clear-groups"
                return try place.shell("\(who) cat target/file && \(who) test -r target/file").status == 0
            }
            #expect(try reads(7, 9))
            #expect(try reads(9, 8))
            #expect(try !reads(9, 9))
        }
    }
}
