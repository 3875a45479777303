import FlistImage
import Testing

@testable import FlistContent

@Suite("Readahead in directories")
struct DirectoryWindowTests {
    private struct Reader {
        let tree: TestTree
        var window = DirectoryWindow()
        var limit = DirectoryWindow.Limit()

        init(_ paths: [String]) throws { tree = try TestTree(paths) }

        /// The paths to look at.
        mutating func read(_ path: String) -> [String] {
            window.read(tree.inode(path), in: tree.index, limit: limit).map {
                String(decoding: tree.index.path(of: $0).drop { $0 == UInt8(ascii: "/") }, as: UTF8.self)
            }
        }
    }

    @Test("begins with the fourth file in a row, and goes on by eight at the limit")
    func walk() throws {
        let files = TestTree.numbered("a", 100)
        var reader = try Reader(files)
        for file in files[0..<3] { #expect(reader.read(file) == []) }
        #expect(reader.read(files[3]) == Array(files[4..<36]))
        #expect(reader.read(files[3]) == [])
        for round in 0..<3 {
            let first = 4 + round * 8
            for file in files[first..<first + 7] { #expect(reader.read(file) == []) }
            #expect(reader.read(files[first + 7]) == Array(files[first + 32..<first + 40]))
        }
    }

    @Test("far away it begins with more, and grows by four with each file that was foreseen")
    func far() throws {
        let files = TestTree.numbered("a", 1000)
        var reader = try Reader(files)
        reader.limit.files = 800
        for file in files[0..<3] { #expect(reader.read(file) == []) }
        #expect(reader.read(files[3]) == Array(files[4..<104]))
        #expect(reader.read(files[4]) == [])
        #expect(reader.read(files[5]) == Array(files[104..<114]))
        #expect(reader.read(files[6]) == [])
        #expect(reader.read(files[7]) == Array(files[114..<124]))
    }

    @Test("holds to the limit of bytes")
    func bytes() throws {
        let files = TestTree.numbered("a", 100)
        var reader = try Reader(files)
        reader.limit.bytes = 4500
        for file in files[0..<3] { _ = reader.read(file) }
        #expect(reader.read(files[3]) == Array(files[4..<9]))
        #expect(reader.read(files[4]) == [files[9]])
    }

    @Test("passes over directories, until the reader enters one")
    func gaps() throws {
        let files = TestTree.numbered("a", 10)
        var reader = try Reader(files + ["a/1002b/inner", "a/1008b/inner"])
        for file in files[0..<3] { _ = reader.read(file) }
        #expect(reader.read(files[3]) == Array(files[4...]))
    }

    @Test("leaves readers alone who jump or go back")
    func others() throws {
        let files = TestTree.numbered("a", 100)
        for order in [[0, 50, 20, 90, 40], [9, 8, 7, 6, 5]] {
            var reader = try Reader(files)
            for number in order { #expect(reader.read(files[number]) == []) }
        }
    }

    @Test("ends with the directory; who goes on with the next one goes through the tree")
    func tree() throws {
        let (a, b, c) = (TestTree.numbered("a", 6), TestTree.numbered("b/inner", 3), TestTree.numbered("c", 3))
        var reader = try Reader(a + b + c + ["d"])
        for file in a[0..<3] { _ = reader.read(file) }
        #expect(reader.read(a[3]) == Array(a[4...]))
        for file in a[4...] { #expect(reader.read(file) == []) }
        #expect(reader.read(b[0]) == Array(b[1...]) + c + ["d"])
        for file in Array(b[1...]) + c { #expect(reader.read(file) == []) }
    }

    @Test("a tree of small directories is gone through from the fourth file on")
    func small() throws {
        let files = ["a", "b/1", "b/2/x", "c/1", "c/2", "d/1/2/3", "e", "f/1", "f/2"]
        var reader = try Reader(files)
        for file in files[0..<3] { #expect(reader.read(file) == []) }
        #expect(reader.read(files[3]) == Array(files[4...]))
        for file in files[4...] { #expect(reader.read(file) == []) }
    }

    @Test("a file that was left out does not end the way through a tree")
    func leftOut() throws {
        let (a, b, c) = (TestTree.numbered("a", 3), TestTree.numbered("b", 40), TestTree.numbered("c", 3))
        var reader = try Reader(a + b + c)
        reader.limit.files = 4
        for file in a { #expect(reader.read(file) == []) }
        #expect(reader.read(b[0]) == Array(b[1...4]))
        // Not foreseen, but near.
        #expect(reader.read(b[6]) == Array(b[7...10]))
        for file in b[7..<38] { _ = reader.read(file) }
        #expect(reader.read(b[38]) == [b[39]] + c)
    }

    @Test("far away the second file in a row begins it, with a few; the fourth begins with more")
    func bold() throws {
        let files = TestTree.numbered("a", 1000)
        var reader = try Reader(files)
        reader.limit.files = 800
        reader.limit.isFar = true
        #expect(reader.read(files[0]) == [])
        #expect(reader.read(files[1]) == Array(files[2..<34]))
        #expect(reader.read(files[2]) == [])
        #expect(reader.read(files[3]) == Array(files[34..<108]))
    }

    @Test("readers of one walk that change places by a few files are no jump")
    func together() throws {
        let files = TestTree.numbered("a", 100)
        var reader = try Reader(files)
        for number in [1, 0, 2, 4] { #expect(reader.read(files[number]) == []) }
        #expect(reader.read(files[3]) == [])
        #expect(reader.read(files[6]) == Array(files[7..<39]))
        for number in [9, 7, 8, 10, 12, 11, 13] { #expect(reader.read(files[number]) == []) }
        #expect(reader.read(files[14]) == Array(files[39..<47]))
    }

    @Test("of long files 8 MiB are brought, all while they are read to their end, and 2 MiB once one was not")
    func long() throws {
        let tree = try TestTree(TestTree.numbered("a", 6), size: (2 << 20) + 1)
        var window = DirectoryWindow()
        let inodes = TestTree.numbered("a", 6).map { tree.inode($0) }
        var mebibytes: [UInt64] = []
        for (number, inode) in inodes.enumerated() {
            _ = window.read(inode, in: tree.index, limit: DirectoryWindow.Limit(bytes: 88 << 20))
            if number == 1 || number == 2 || number == 5 { window.readEnd(of: inode) }
            // Of another reader's file.
            if number > 0 { window.readEnd(of: inodes[0]) }
            mebibytes.append(window.bytesOfFile(limit: DirectoryWindow.Limit(bytes: 88 << 20)) >> 20)
        }
        #expect(mebibytes == [8, 88, 88, 88, 2, 88])
    }

    @Test("who jumps to another directory is served in that one alone")
    func jump() throws {
        let (a, b, c) = (TestTree.numbered("a", 20), TestTree.numbered("b", 20), TestTree.numbered("c", 5))
        var reader = try Reader(a + b + c + ["d"])
        for file in a[0..<5] { _ = reader.read(file) }
        #expect(reader.read(c[1]) == Array(c[2...]))
        #expect(reader.read(b[15]) == Array(b[16...]))
        #expect(reader.read(b[2]) == [])
    }

    @Test("a walk meets files in the order of find(1), and no directory twice")
    func order() throws {
        let tree = try TestTree(["b/2", "a", "b/1/x/y", "c", "b/3", "b/1/z"])
        var walk = TreeWalk(tree.index, after: TreeIndex.root, crossesDirectories: true)
        var paths: [String] = []
        while let file = walk.next() { paths.append(String(decoding: tree.index.path(of: file.inode), as: UTF8.self)) }
        #expect(
            paths.map { $0.hasPrefix("/") ? String($0.dropFirst()) : $0 } == [
                "a", "b/1/x/y", "b/1/z", "b/2", "b/3", "c",
            ])
        #expect(walk.next() == nil)
        var inner = TreeWalk(tree.index, after: tree.inode("b/1/x/y"), crossesDirectories: true)
        #expect(inner.next()?.inode == tree.inode("b/1/z"))
    }
}
