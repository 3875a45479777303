import FUSESession
import FlistContent
import FlistFileSystem
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Writable mounts", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct WritableMountTests {
    private func place() throws -> MountPlace {
        let place = try MountPlace()
        try place.shell(
            """
            cd source; mkdir d; echo old > d/file; echo one > over; echo gone > gone; echo moved > from
            echo mode > mode; chmod 644 *; chmod 755 d; chown 1:2 mode; chown 12:34 .; chmod 1770 .
            touch -d '2020-02-03 04:05:06.7 UTC' mode
            """)
        try place.pack()
        return place
    }

    @Test("keep what is changed in the upper folder, and the flist as it is", .timeLimit(.minutes(5)))
    func changes() throws {
        let place = try place()
        try place.mounted(place.path("tree.fl"), place.options(), writable: place.path("rw")) { _ throws in
            let changed = try place.shell(
                """
                set -e; cd target; echo two > over; echo more >> d/file; rm gone; mv from to; chmod 4711 mode
                mkdir new; ln to new/link; ln -s over new/symlink; chown 5:6 d
                cat over d/file to; stat -c '%a %u:%g %.2Y' mode; stat -c %h to; stat -c '%a %u:%g' d; ls
                """)
            let list = "d\nmode\nnew\nover\nto\n"
            #expect(changed.output == "two\nold\nmore\nmoved\n4711 1:2 1580702706.70\n2\n755 5:6\n" + list)
            // Another mount of the same flist knows nothing of it.
            try place.mounted(place.path("tree.fl"), place.options(), at: "second") { _ throws in
                let same = try place.shell("diff -r --no-dereference source second && stat -c '%a %u:%g' second/mode")
                #expect(same.output == "644 1:2\n" && same.status == 0)
            }
        }
        let upper = try place.shell(
            "cd rw/upper; stat -c '%u:%g %a' .; cat over d/file to; stat -c %F gone from; stat -c %a mode")
        let gone = "character special file\ncharacter special file\n"
        #expect(upper.output == "12:34 1770\ntwo\nold\nmore\nmoved\n" + gone + "4711\n")
    }

    @Test("end with a plain umount", .timeLimit(.minutes(5)))
    func plainUnmount() throws {
        let place = try place()
        let open = try OpenFlist(place.path("tree.fl"), options: place.options())
        defer { open.close() }
        var options = FlistMount.Options()
        options.writableFolder = place.path("rw")
        options.mount.readOnly = false
        let mount = try FlistMount.mount(open, source: "a", at: place.target, options: options)
        defer { try? mount.stop() }
        let ended = Monitor(false)
        let waiter = try WorkerThread("waiter") {
            mount.wait()
            ended.withLock { $0 = true }
        }
        #expect(try place.shell("cat target/d/file; echo x > target/x; umount target").output == "old\n")
        let isEnded = eventually { ended.withLock { $0 } }
        #expect(isEnded)
        if !isEnded { try? mount.stop() }
        waiter.join()
        #expect(try MountTable.current().entries.filter { $0.mountPoint.hasPrefix(place.folder) }.isEmpty)
        #expect(try place.shell("cat rw/upper/x; ls target").output == "x\n")
    }

    @Test("refuse a folder that another one writes to, by whatever name", .timeLimit(.minutes(5)))
    func sharedFolder() throws {
        let place = try place()
        try place.mounted(place.path("tree.fl"), place.options(), writable: place.path("rw")) { _ throws in
            try place.shell("echo first > target/d/file; ln -s rw other; mkdir second")
            let open = try OpenFlist(place.path("tree.fl"), options: place.options())
            defer { open.close() }
            var options = FlistMount.Options()
            options.mount.readOnly = false
            for folder in ["rw", "other"] {
                options.writableFolder = place.path(folder)
                let error = #expect(throws: FlistError.self) {
                    try FlistMount.mount(open, source: "a", at: place.path("second"), options: options)
                }
                #expect(
                    error?.message == "cannot write to \(place.path(folder))/upper: the mount at \(place.target) does; "
                        + "unmount it or name another folder")
            }
            #expect(try place.shell("cat target/d/file; ls second").output == "first\n")
        }
    }

    @Test("keep the root's mode that was set in them", .timeLimit(.minutes(5)))
    func rootMode() throws {
        let place = try place()
        try place.mounted(place.path("tree.fl"), place.options(), writable: place.path("rw")) { _ throws in
            #expect(try place.shell("stat -c '%u:%g %a' target; chmod 711 target").output == "12:34 1770\n")
        }
        try place.mounted(place.path("tree.fl"), place.options(), writable: place.path("rw")) { _ throws in
            #expect(try place.shell("stat -c '%u:%g %a' target").output == "12:34 711\n")
        }
    }

    @Test("take the root's attributes, but no marks of overlayfs from a flist", .timeLimit(.minutes(5)))
    func overlayMarks() throws {
        let place = try place()
        try place.shell("setfattr -n user.note -v kept source; setfattr -n trusted.overlay.opaque -v y source")
        try place.pack()
        try place.mounted(place.path("tree.fl"), place.options(), writable: place.path("rw")) { _ throws in
            #expect(try place.shell("cat target/d/file").output == "old\n")
            #expect(try place.shell("getfattr --only-values -n user.note rw/upper").output == "kept")
            #expect(try place.shell("getfattr -n trusted.overlay.opaque rw/upper").status == 1)
        }
    }
}
