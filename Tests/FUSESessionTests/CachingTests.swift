import FUSESession
import Glibc
import Support
import TestSupport
import Testing

@Suite("What the kernel asks only once", .serialized, .timeLimit(.minutes(5)))
struct CachingTests {
    private func tree() -> MemoryTree {
        var tree = MemoryTree()
        for number in 0..<50 { tree.file("file\(number)", String(repeating: "\(number),", count: 3000)) }
        tree.link("link", to: "file1")
        let folder = tree.folder("folder")
        for number in 0..<30 { tree.file("inner\(number)", in: folder) }
        return tree
    }

    @Test("opens files without messages and reads hot ones without any request")
    func opens() throws {
        try withMount(MemoryFileSystem(tree())) { session, target in
            for number in 0..<50 { _ = try contents("\(target)/file\(number)") }
            #expect(session.requests[.open] == 1)
            #expect(session.requests[.release] == 0)
            #expect(session.requests[.flush] <= 1)
            let reads = session.requests[.read]
            #expect(reads >= 50)
            let isSilent = try settles({ session.requests.total }) { () throws in
                for _ in 0..<5 {
                    for number in 0..<50 {
                        #expect(try text("\(target)/file\(number)") == String(repeating: "\(number),", count: 3000))
                    }
                }
            }
            #expect(isSilent)
        }
    }

    @Test("opens by message when asked to, and gives every handle back")
    func messageOpens() throws {
        let fileSystem = MemoryFileSystem(tree())
        try withMount(fileSystem, { $0.opens = .message }) { session, target in
            for number in 0..<10 { _ = try contents("\(target)/file\(number)") }
            #expect(session.requests[.open] == 10)
            #expect(eventually { fileSystem.releases == 10 })
            let isKept = try settles({ session.requests[.read] }) {
                for number in 0..<10 { _ = try contents("\(target)/file\(number)") }
            }
            #expect(isKept)
            _ = try names(target)
            #expect(session.requests[.openDirectory] == 1)
        }
    }

    @Test("looks a missing name up once")
    func negative() throws {
        try withMount(MemoryFileSystem(tree())) { session, target in
            let isKept = settles({ session.requests[.lookup] }) {
                for _ in 0..<100 {
                    #expect(throws: Errno.noEntry) { try status("\(target)/missing") }
                }
            }
            #expect(isKept)
        }
    }

    @Test("learns attributes from the listing and caches listings and links")
    func listing() throws {
        try withMount(MemoryFileSystem(tree())) { session, target in
            let list = try names("\(target)/folder").dropFirst(2)
            #expect(list.count == 30)
            #expect(session.requests[.readDirectoryPlus] >= 1)
            let isLearned = try settles({ session.requests[.lookup] }) {
                for name in list { _ = try status("\(target)/folder/\(String(decoding: name, as: UTF8.self))") }
            }
            #expect(isLearned)
            #expect(session.requests[.openDirectory] == 1)
            let isKept = try settles({ session.requests.total }) { () throws in
                for _ in 0..<20 {
                    #expect(try names("\(target)/folder").count == 32)
                    _ = try text("\(target)/link")
                }
            }
            #expect(isKept)
        }
    }

    @Test("reads ahead in requests of up to 1 MiB")
    func readahead() throws {
        var tree = MemoryTree()
        tree.add(Array("large".utf8), mode: 0o100644, [UInt8](repeating: 7, count: 16 << 20))
        try withMount(MemoryFileSystem(tree)) { session, target in
            let read = try contents("\(target)/large")
            #expect(read.count == 16 << 20)
            #expect(read.allSatisfy { $0 == 7 })
            // With the kernel's own readahead of 128 KiB there are 128.
            #expect(session.requests[.read] < 64)
        }
    }
}
