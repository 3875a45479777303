import BlockCodec
import BlockStore
import Foundation
import Support
import Testing

@Suite("Folder stores", .timeLimit(.minutes(5)))
struct DirStoreTests {
    @Test("writes into split folders and reads back")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let store = try StoreURL(parsing: "dir://\(folder.path)/new/deep/").open()
        defer { store.close() }
        let blocks = try TestBlock.many(40)
        #expect(try store.contains([blocks[0].reference.id]) == [false])
        for block in blocks { try block.stored.withUnsafeBytes { try store.put(block.reference.id, $0) } }
        try blocks[0].stored.withUnsafeBytes { try store.put(blocks[0].reference.id, $0) }
        #expect(try store.contains([blocks[0].reference.id, .zero]) == [true, false])
        #expect(read(blocks.map(\.reference.id), from: store) == blocks.map { .success($0.reference.id) })
        let name = blocks[0].reference.id.description
        #expect(FileManager.default.fileExists(atPath: "\(folder.path)/new/deep/\(name.prefix(2))/\(name)"))
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/new/deep/\(name.prefix(2))")
        #expect(!left.contains { $0.hasPrefix(".") })
    }

    @Test("reads flat folders, and makes none for reading")
    func flat() throws {
        let folder = try TemporaryFolder()
        let block = try TestBlock(1)
        let file = URL(fileURLWithPath: "\(folder.path)/\(block.reference.id)")
        try Data(block.stored).write(to: file)
        let store = try StoreURL(parsing: "dir://\(folder.path)").open()
        defer { store.close() }
        #expect(try store.contains([block.reference.id]) == [true])
        #expect(read([block.reference.id], from: store) == [.success(block.reference.id)])
        let none = try StoreURL(parsing: "dir://\(folder.path)/none").open()
        defer { none.close() }
        #expect(read([block.reference.id], from: none) == [.failure(.missing)])
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/none"))
    }

    @Test("refuses what is too large or no file")
    func hostile() throws {
        let folder = try TemporaryFolder()
        let (large, special) = (try TestBlock(1), try TestBlock(2))
        try Data(large.stored).write(to: URL(fileURLWithPath: "\(folder.path)/\(large.reference.id)"))
        mkfifo("\(folder.path)/\(special.reference.id)", 0o600)
        let store = try StoreURL(parsing: "dir://\(folder.path)").open()
        defer { store.close() }
        #expect(read([large.reference.id], from: store, limit: large.stored.count - 1) == [.failure(.tooLarge)])
        #expect(read([large.reference.id], from: store, limit: large.stored.count) == [.success(large.reference.id)])
        guard case .failure(.unreachable)? = read([special.reference.id], from: store).first else {
            Issue.record("a fifo was read")
            return
        }
    }

    @Test("cancels after close")
    func closed() throws {
        let folder = try TemporaryFolder()
        let store = try StoreURL(parsing: "dir://\(folder.path)").open()
        store.close()
        #expect(read([.zero], from: store) == [.failure(.cancelled)])
    }
}
