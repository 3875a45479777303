import BlockStore
import CLinux
import FUSESession
import FlistContent
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Mounted trees", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct MountedTreeTests {
    @Test(
        "a random tree is seen through the mount as it was packed", .timeLimit(.minutes(5)),
        arguments: [1, 2, 3] as [UInt64])
    func randomTree(seed: UInt64) throws {
        let place = try MountPlace()
        try RandomTree.make(in: place.source, seed: seed, count: 300)
        try place.pack()
        let source = try Manifest(of: place.source)
        try place.mounted(place.path("tree.fl"), place.options()) { _ throws in
            #expect(try Manifest(of: place.target).differences(from: source) == [])
            // Again, from the cache and the kernel's memory.
            #expect(try Manifest(of: place.target).differences(from: source) == [])
        }
    }

    @Test("the names of a hard-linked file have one inode number", .timeLimit(.minutes(5)))
    func hardLinks() throws {
        let place = try MountPlace()
        try place.shell("cd source; mkdir a; echo x > a/one; ln a/one two; ln -s two three; ln -P three four")
        try place.pack()
        try place.mounted(place.path("tree.fl"), place.options()) { _ throws in
            let output = try place.shell("cd target; stat -c %i-%h a/one two three four | uniq -c | awk '{print $1}'")
                .output
            #expect(output == "2\n2\n")
        }
    }

    @Test("a large directory is listed whole, from the start and from anywhere", .timeLimit(.minutes(5)))
    func listing() throws {
        let place = try MountPlace()
        let long = String(repeating: "n", count: 180)
        let names = (0..<2500).map { "\($0)-\(long.prefix($0 % 180))" }
        for name in names { try place.write([], name) }
        try place.pack()
        try place.mounted(place.path("tree.fl"), place.options()) { _ throws in
            let directory = try #require(opendir(place.target))
            defer { closedir(directory) }
            func next() -> String? {
                guard let entry = readdir(directory) else { return nil }
                return withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
            }
            var all: [(name: String, position: Int)] = []
            while let name = next() { all.append((name, telldir(directory))) }
            #expect(all.count == 2502)
            #expect(Set(all.map(\.name)) == Set(names + [".", ".."]))
            for number in [0, 1, 2, 1234, 2499, 2500] {
                seekdir(directory, all[number].position)
                #expect(next() == all[number + 1].name)
            }
            seekdir(directory, all[2501].position)
            #expect(next() == nil)
            rewinddir(directory)
            #expect(next() == ".")
        }
    }

    @Test("writers are told that it is read-only", .timeLimit(.minutes(5)))
    func readOnly() throws {
        let place = try MountPlace()
        try place.write([1], "file")
        try place.pack()
        try place.mounted(place.path("tree.fl"), place.options()) { _ throws in
            let file = place.path("target/file")
            #expect(open(file, O_WRONLY) == -1 && errno == EROFS)
            #expect(open(place.path("target/new"), O_WRONLY | O_CREAT, 0o644) == -1 && errno == EROFS)
            #expect(unlink(file) == -1 && errno == EROFS)
            #expect(chmod(file, 0o600) == -1 && errno == EROFS)
            #expect(truncate(file, 0) == -1 && errno == EROFS)
            #expect(rename(file, place.path("target/other")) == -1 && errno == EROFS)
        }
    }

    @Test("holes are found by lseek, and read as zeros", .timeLimit(.minutes(5)))
    func holes() throws {
        let place = try MountPlace()
        // One block of data, two of hole, one byte of data; then a file that is all hole.
        try place.shell(
            "cd source; head -c 524288 /dev/urandom > f; truncate -s 1572864 f; printf x >> f; truncate -s 2M empty")
        try place.pack()
        try place.mounted(place.path("tree.fl"), place.options()) { open throws in
            let file = try FileDescriptor(place.path("target/f"), O_RDONLY)
            let (data, hole) = (Int32(3), Int32(4))
            #expect(lseek(file.number, 0, hole) == 524_288)
            #expect(lseek(file.number, 524_288, data) == 1_572_864)
            #expect(lseek(file.number, 1_572_864, hole) == 1_572_865)
            #expect(lseek(file.number, 1_572_865, data) == -1 && errno == ENXIO)
            var status = stat()
            #expect(fstat(file.number, &status) == 0 && status.st_blocks == 1025)
            #expect(try place.shell("cmp source/f target/f && cmp source/empty target/empty").status == 0)
            #expect(open.fetcher.statistics.blocks == 2)
        }
    }

    @Test("facts about the mount are attributes of its root, and totals those of the tree", .timeLimit(.minutes(5)))
    func facts() throws {
        let place = try MountPlace()
        try place.write(Array("hello".utf8), "file")
        try place.pack()
        try place.mounted(place.path("tree.fl"), place.options()) { open throws in
            func fact(_ name: String) -> String {
                var value = [UInt8](repeating: 0, count: 256)
                let count = getxattr(place.target, "user.flist.\(name)", &value, value.count)
                return count < 0 ? "errno \(errno)" : String(decoding: value[..<count], as: UTF8.self)
            }
            #expect(fact("hash") == open.index.summary.flistHash.description)
            #expect(fact("format") == "zstd fl")
            #expect(fact("files") == "1")
            #expect(fact("bytes") == "5")
            #expect(fact("source") == place.path("tree.fl"))
            #expect(fact("nothing") == "errno \(ENODATA)")
            // They are not listed, so that a copy of the tree does not take them along.
            #expect(try place.shell("getfattr -m - target").output == "")
            var totals = statvfs()
            #expect(statvfs(place.target, &totals) == 0)
            #expect(totals.f_blocks == 1 && totals.f_files == 2 && totals.f_bfree == 0 && totals.f_namemax == 255)
            let entry = try #require(try MountTable.current().find(target: place.target))
            #expect(entry.type == "fuse.flist" && entry.source == place.path("tree.fl"))
        }
    }

    @Test("what is written to a writable mount stays in its folder", .timeLimit(.minutes(5)))
    func overlay() throws {
        let place = try MountPlace()
        try place.shell("cd source; mkdir d; echo old > d/file; echo gone > gone; chown 12:34 .; chmod 1770 .")
        try place.pack()
        let flist = try place.shell("sha256sum tree.fl").output
        try place.mounted(place.path("tree.fl"), place.options(), writable: place.path("rw")) { _ throws in
            let output = try place.shell(
                """
                set -e; cd target; stat -c '%u:%g %a' .; echo new > d/file; rm gone; echo more > more; mv d e; ls; cat e/file
                """
            ).output
            #expect(output == "12:34 1770\ne\nmore\nnew\n")
        }
        #expect(
            try place.shell("cat rw/upper/more rw/upper/e/file; stat -c '%u:%g %a' rw/upper").output
                == "more\nnew\n12:34 1770\n")
        #expect(try place.shell("sha256sum tree.fl").output == flist)
        // Mounted again with the same folder, it is as it was left.
        try place.mounted(place.path("tree.fl"), place.options(), writable: place.path("rw")) { _ throws in
            #expect(try place.shell("ls target; cat target/e/file").output == "e\nmore\nnew\n")
        }
        #expect(try MountTable.current().entries.filter { $0.mountPoint.hasPrefix(place.folder) }.isEmpty)
    }
}
