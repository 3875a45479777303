import Foundation
import Glibc
import Hub
import Support
import TestSupport
import Testing

@Suite("Flists of this machine")
struct LocalFlistTests {
    private let place = HubPlace()
    private let source = HubPlace()
    private let content = TestContent.bytes(4, count: 600_000)

    init() throws {
        try FileManager.default.createDirectory(atPath: source.folder, withIntermediateDirectories: true)
        try write(content, "a b.flist")
    }

    private func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(source.folder)/\(name)"))
    }

    @Test("are copied", arguments: ["file://", "file://localhost", "file:", "FILE://LocalHost"])
    func copied(scheme: String) throws {
        let flist = try place.hub().fetch("\(scheme)\(source.folder)/a%20b.flist")
        let md5 = TestContent.md5(content)
        #expect(flist == HubFlist(path: place.path(md5), md5: md5, isFresh: true))
        try write([1], "a b.flist")
        #expect(try TestContent.read(flist.path) == content)
        #expect(try place.hub().fetch("\(scheme)\(source.folder)/a b.flist").md5 == TestContent.md5([1]))
    }

    @Test("are not copied again while they are the same")
    func unchanged() throws {
        let hub = try place.hub()
        let url = "file://\(source.folder)/a b.flist"
        let flist = try hub.fetch(url)
        // Beyond the time in which a change might not show.
        usleep(4_200_000)
        #expect(try hub.fetch(url) == flist)
        let note = try #require(place.notes.first)
        let known = try TestContent.read("\(place.folder)/by-url/\(note)")
        #expect(try hub.fetch(url) == flist)
        #expect(try TestContent.read("\(place.folder)/by-url/\(note)") == known)
        try write(content + [1], "a b.flist")
        #expect(try hub.fetch(url).md5 == TestContent.md5(content + [1]))
    }

    @Test("have the hash that the file beside them says")
    func hash() throws {
        let hub = try place.hub()
        let url = "file://\(source.folder)/a%20b.flist"
        expectError("hash not supported by flist host", .unsupported) { _ = try hub.hash(url) }
        try write(Array(" 00112233445566778899aabbccddeeff\n".utf8), "a b.flist.md5")
        #expect(try hub.hash(url) == "00112233445566778899aabbccddeeff")
        try write(Array("001122".utf8), "a b.flist.md5")
        expectError("invalid hash length", .invalid) { _ = try hub.hash(url) }
        try write([UInt8](repeating: 32, count: 10_000), "a b.flist.md5")
        expectError("invalid hash length", .invalid) { _ = try hub.hash(url) }
    }

    @Test("must be files that are there and not too large")
    func refused() throws {
        let hub = try place.hub { $0.limit = 599_999 }
        let url = "file://\(source.folder)"
        expectError("fail to download flist from '\(url)/none': cannot read it: No such file or directory", .notFound) {
            _ = try hub.fetch("\(url)/none")
        }
        expectError("fail to download flist from '\(url)': it is not a regular file", .invalid) {
            _ = try hub.fetch(url)
        }
        mkfifo("\(source.folder)/fifo", 0o600)
        expectError("fail to download flist from '\(url)/fifo': it is not a regular file", .invalid) {
            _ = try hub.fetch("\(url)/fifo")
        }
        try write([], "empty")
        expectError("fail to download flist from '\(url)/empty': it is empty", .invalid) {
            _ = try hub.fetch("\(url)/empty")
        }
        expectError(
            "fail to download flist from '\(url)/a%20b.flist': it has more than the 585.9 KiB that are allowed",
            .invalid
        ) { _ = try hub.fetch("\(url)/a%20b.flist") }
        #expect(place.names == [])
    }
}
