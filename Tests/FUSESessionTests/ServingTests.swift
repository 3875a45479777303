import CLinux
import FUSESession
import Glibc
import Support
import Testing

@Suite("Serving a mounted tree", .serialized, .timeLimit(.minutes(5)))
struct ServingTests {
    private func tree() -> MemoryTree {
        var tree = MemoryTree()
        let file = tree.file("hello", "hello, world\n")
        tree[file]?.attributes.uid = 1234
        tree[file]?.attributes.gid = 70000
        tree[file]?.attributes.mode = 0o104750
        tree[file]?.attributes.nlink = 3
        tree[file]?.attributes.sectors = 9
        tree[file]?.attributes.atime = .init(seconds: 5, nanoseconds: 6)
        tree[file]?.attributes.mtime = .init(seconds: -7, nanoseconds: 8)
        tree[file]?.attributes.ctime = .init(seconds: 1 << 33, nanoseconds: 999_999_999)
        tree[file]?.xattrs = [("user.color", Array("green".utf8)), ("user.empty", []), ("security.x", [0, 1, 255])]
        tree.link("link", to: "hello/../über")
        let folder = tree.folder("folder")
        tree.file("inner", "x", in: folder)
        let sparse = tree.add(Array("sparse".utf8), mode: 0o100644, [UInt8](repeating: 0, count: 20000))
        tree[sparse]?.hole = 8192
        let device = tree.add(Array("device".utf8), mode: 0o020600)
        tree[device]?.attributes.major = 259
        tree[device]?.attributes.minor = 0x12345
        tree.add(Array("pipe".utf8), mode: 0o010600)
        return tree
    }

    @Test("shows names, contents and link targets")
    func contentsOfTree() throws {
        try withMount(MemoryFileSystem(tree())) { _, target in
            let listed = try names(target).map { String(decoding: $0, as: UTF8.self) }
            #expect(listed == [".", "..", "hello", "link", "folder", "sparse", "device", "pipe"])
            #expect(try text("\(target)/hello") == "hello, world\n")
            #expect(try text("\(target)/folder/inner") == "x")
            #expect(try text("\(target)/folder/../hello") == "hello, world\n")
            var buffer = [CChar](repeating: 0, count: 100)
            let count = readlink("\(target)/link", &buffer, 100)
            #expect(count == 14)
            #expect(String(decoding: buffer.prefix(14).map { UInt8(bitPattern: $0) }, as: UTF8.self) == "hello/../über")
        }
    }

    @Test("shows every attribute as it is")
    func attributes() throws {
        try withMount(MemoryFileSystem(tree())) { _, target in
            let hello = try status("\(target)/hello")
            #expect(hello.st_ino == 2)
            #expect(hello.st_mode == 0o104750)
            #expect(hello.st_nlink == 3)
            #expect(hello.st_uid == 1234)
            #expect(hello.st_gid == 70000)
            #expect(hello.st_size == 13)
            #expect(hello.st_blocks == 9)
            #expect(hello.st_atim.tv_sec == 5)
            #expect(hello.st_atim.tv_nsec == 6)
            #expect(hello.st_mtim.tv_sec == -7)
            #expect(hello.st_mtim.tv_nsec == 8)
            #expect(hello.st_ctim.tv_sec == 1 << 33)
            #expect(hello.st_ctim.tv_nsec == 999_999_999)
            let device = try status("\(target)/device")
            #expect(device.st_mode == 0o020600)
            #expect(gnu_dev_major(device.st_rdev) == 259)
            #expect(gnu_dev_minor(device.st_rdev) == 0x12345)
            #expect(try status("\(target)/pipe").st_mode == 0o010600)
            #expect(try status(target).st_ino == 1)
        }
    }

    @Test("answers statfs")
    func statistics() throws {
        try withMount(MemoryFileSystem(tree())) { _, target in
            var result = statvfs()
            try #require(statvfs(target, &result) == 0)
            #expect(result.f_bsize == 4096)
            #expect(result.f_blocks == 77)
            #expect(result.f_files == 8)
            #expect(result.f_namemax == 255)
            #expect(result.f_flag & UInt(ST_RDONLY) != 0)
        }
    }

    @Test("answers extended attributes, their sizes and their absence")
    func xattrs() throws {
        try withMount(MemoryFileSystem(tree())) { _, target in
            let path = "\(target)/hello"
            var buffer = [UInt8](repeating: 0, count: 100)
            #expect(getxattr(path, "user.color", nil, 0) == 5)
            #expect(getxattr(path, "user.color", &buffer, 100) == 5)
            #expect(buffer.prefix(5) == ArraySlice("green".utf8))
            #expect(getxattr(path, "user.empty", &buffer, 100) == 0)
            #expect(getxattr(path, "security.x", &buffer, 100) == 3)
            #expect(buffer.prefix(3) == [0, 1, 255])
            #expect(getxattr(path, "user.color", &buffer, 4) == -1)
            #expect(Errno.current == .range)
            #expect(getxattr(path, "user.none", &buffer, 100) == -1)
            #expect(Errno.current == .noData)
            var list = [CChar](repeating: 0, count: 100)
            let count = listxattr(path, &list, 100)
            let expected = Array("user.color\0user.empty\0security.x\0".utf8)
            #expect(list.prefix(max(0, count)).map { UInt8(bitPattern: $0) } == expected)
        }
    }

    @Test("finds data and holes")
    func seeking() throws {
        try withMount(MemoryFileSystem(tree())) { _, target in
            let file = try FileDescriptor("\(target)/sparse", O_RDONLY)
            let (data, hole): (Int32, Int32) = (3, 4)
            #expect(lseek(file.number, 0, data) == 0)
            #expect(lseek(file.number, 100, hole) == 8192)
            #expect(lseek(file.number, 9000, hole) == 9000)
            #expect(lseek(file.number, 9000, data) == -1)
            #expect(Errno.current == .noSuchDeviceOrAddress)
        }
    }

    @Test("serves large directories with names of any bytes")
    func largeDirectory() throws {
        var tree = MemoryTree()
        var expected: [[UInt8]] = []
        for number in 0..<10_000 {
            var name = Array("\(number)-".utf8)
            // Every byte but 0 and the slash, and lengths up to 255.
            while name.count < 6 + number % 250 { name.append(UInt8(truncatingIfNeeded: number &+ name.count * 7)) }
            name = name.map { $0 == 0 || $0 == UInt8(ascii: "/") ? 255 : $0 }
            expected.append(name)
            tree.add(name, mode: 0o100644, [])
        }
        #expect(expected.map(\.count).max() == 255)
        try withMount(MemoryFileSystem(tree)) { session, target in
            #expect(try names(target).dropFirst(2).elementsEqual(expected))
            #expect(session.requests[.readDirectoryPlus] > 0)
            let root = try FileDescriptor(target, O_RDONLY)
            var result = stat()
            let wrong = expected.filter { name in
                fstatat(root.number, name.map { CChar(bitPattern: $0) } + [0], &result, 0) != 0
            }
            #expect(wrong.isEmpty)
        }
    }

    @Test("leaves out names that no directory can hold, and lists the others")
    func impossibleNames() throws {
        var tree = MemoryTree()
        for name in ["a", "b/c", "", String(repeating: "d", count: 1025), "e"] { tree.file(name) }
        try withMount(MemoryFileSystem(tree)) { _, target in
            let listed = try names(target).map { String(decoding: $0, as: UTF8.self) }
            #expect(listed == [".", "..", "a", "e"])
        }
    }

    @Test("refuses whatever writes with EROFS", arguments: [true, false])
    func writers(readOnly: Bool) throws {
        try withMount(MemoryFileSystem(tree()), { $0.readOnly = readOnly }) { _, target in
            func refused(_ call: @autoclosure () -> Int32) -> Errno? { call() == -1 ? Errno.current : nil }
            #expect(refused(mkdir("\(target)/new", 0o755)) == .readOnly)
            #expect(refused(unlink("\(target)/hello")) == .readOnly)
            #expect(refused(rmdir("\(target)/folder")) == .readOnly)
            #expect(refused(rename("\(target)/hello", "\(target)/other")) == .readOnly)
            #expect(refused(link("\(target)/hello", "\(target)/other")) == .readOnly)
            #expect(refused(symlink("x", "\(target)/other")) == .readOnly)
            #expect(refused(chmod("\(target)/hello", 0o600)) == .readOnly)
            #expect(refused(truncate("\(target)/hello", 3)) == .readOnly)
            #expect(refused(open("\(target)/new", O_WRONLY | O_CREAT, 0o644)) == .readOnly)
            #expect(refused(setxattr("\(target)/hello", "user.a", "b", 1, 0)) == .readOnly)
            #expect(refused(removexattr("\(target)/hello", "user.color")) == .readOnly)
        }
    }
}
