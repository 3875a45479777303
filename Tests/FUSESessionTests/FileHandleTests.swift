import FUSESession
import Glibc
import Support
import Testing

@Suite("File handles", .serialized, .timeLimit(.minutes(5)))
struct FileHandleTests {
    /// `struct file_handle` with room for the kernel's largest.
    private struct Handle {
        var size: UInt32 = 128
        var kind: Int32 = 0
        var bytes: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
        var rest: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
    }

    // Glibc declares them only with _GNU_SOURCE.
    private typealias Name =
        @convention(c) (Int32, UnsafePointer<CChar>, UnsafeMutableRawPointer, UnsafeMutablePointer<Int32>, Int32) ->
        Int32
    private typealias Open = @convention(c) (Int32, UnsafeMutableRawPointer, Int32) -> Int32

    @Test("are opened by a mount that has never seen the file, as NFS servers and overlays do")
    func opens() throws {
        let nameToHandle = unsafeBitCast(try #require(dlsym(nil, "name_to_handle_at")), to: Name.self)
        let openByHandle = unsafeBitCast(try #require(dlsym(nil, "open_by_handle_at")), to: Open.self)
        var tree = MemoryTree()
        let folder = tree.folder("inner", in: tree.folder("outer"))
        tree.file("file", "found", in: folder)
        var (file, directory) = (Handle(), Handle())
        try withMount(MemoryFileSystem(tree)) { _, target in
            var mount: Int32 = 0
            try #require(nameToHandle(AT_FDCWD, "\(target)/outer/inner/file", &file, &mount, 0) == 0)
            try #require(nameToHandle(AT_FDCWD, "\(target)/outer/inner", &directory, &mount, 0) == 0)
        }
        try withMount(MemoryFileSystem(tree)) { _, target in
            let root = try FileDescriptor(target, O_RDONLY)
            let number = openByHandle(root.number, &file, O_RDONLY)
            try #require(number >= 0)
            let opened = FileDescriptor(owning: number)
            var buffer = [UInt8](repeating: 0, count: 5)
            #expect(pread(opened.number, &buffer, 5, 0) == 5)
            #expect(buffer == Array("found".utf8))
            let folder = openByHandle(root.number, &directory, O_RDONLY)
            try #require(folder >= 0)
            let openedFolder = FileDescriptor(owning: folder)
            var result = stat()
            #expect(fstatat(openedFolder.number, "file", &result, 0) == 0)
            #expect(result.st_size == 5)
        }
    }
}
