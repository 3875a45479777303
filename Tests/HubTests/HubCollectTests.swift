import Foundation
import Glibc
import Hub
import Support
import TestSupport
import Testing

@Suite("Clearing the folder of flists", .timeLimit(.minutes(5)))
struct HubCollectTests {
    private let place = HubPlace()

    private func hub() throws -> NginxServer {
        let server = try NginxServer()
        for name in ["a", "b", "c"] {
            try server.write(Array(name.utf8), to: name)
            try server.write(Array(Self.md5(name).utf8), to: "\(name).md5")
        }
        return server
    }

    private static func md5(_ name: String) -> String { TestContent.md5(Array(name.utf8)) }

    @Test("removes what no fetch has answered for long, but for what is kept")
    func collect() throws {
        let server = try hub()
        let hub = try place.hub()
        for name in ["a", "b", "c"] { _ = try hub.fetch("\(server.url)/\(name)") }
        #expect(hub.collect(olderThan: .seconds(3600), keeping: { _ in false }) == (0, 0))
        try place.age(by: 7200)
        _ = try hub.fetch("\(server.url)/a")
        let kept = Self.md5("b")
        #expect(hub.collect(olderThan: .seconds(3600), keeping: { $0 == kept }) == (1, 1))
        #expect(place.names == [Self.md5("a"), kept].sorted())
        #expect(place.notes.count == 2)
        #expect(try hub.fetch("\(server.url)/c").isFresh)
    }

    @Test("leaves what was fetched while it looked around")
    func fetchedMeanwhile() throws {
        let server = try hub()
        let hub = try place.hub()
        _ = try hub.fetch("\(server.url)/a")
        try place.age(by: 7200)
        let result = hub.collect(olderThan: .seconds(3600)) { _ in
            _ = try? hub.fetch("\(server.url)/a")
            return false
        }
        #expect(result == (0, 0))
        #expect(place.names == [Self.md5("a")])
    }

    @Test("does not touch what is not its own")
    func strangers() throws {
        let hub = try place.hub()
        try Data().write(to: URL(fileURLWithPath: "\(place.folder)/readme"))
        try Data().write(to: URL(fileURLWithPath: "\(place.folder)/\(Self.md5("a").uppercased())"))
        try place.age(by: 7200)
        #expect(hub.collect(olderThan: .zero, keeping: { _ in false }) == (0, 0))
        #expect(place.names.count == 2)
    }

    @Test("what ended processes left unfinished goes at the start, what living ones fill stays")
    func leftovers() throws {
        _ = try place.hub()
        let (dead, live) = ("\(place.folder)/.tmp-0123", "\(place.folder)/.tmp-4567")
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: dead))
        let file = try FileDescriptor(live, O_RDWR | O_CREAT, mode: 0o600)
        #expect(flock(file.number, LOCK_EX | LOCK_NB) == 0)
        _ = try place.hub()
        #expect(place.names == [".tmp-4567"])
    }

    @Test("a folder that cannot be made is an error")
    func noFolder() throws {
        expectError("cannot make the folder for flists /proc/flists: No such file or directory", .notFound) {
            _ = try Hub(folder: "/proc/flists", logger: place.log.logger)
        }
    }
}
