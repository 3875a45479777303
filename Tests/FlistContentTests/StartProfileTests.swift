import BlockStore
import FlistImage
import Foundation
import Support
import TestSupport
import Testing

@testable import FlistContent

@Suite("Profiles of starts", .timeLimit(.minutes(5)))
struct StartProfileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var profiles: ProfileFolder { ProfileFolder("\(folder.path)/profile") }

    private func profile(_ fixture: ReaderFixture) -> StartProfile {
        StartProfile(fixture.reader, profiles, logger: fixture.lines.logger)
    }

    private func entry(_ path: String, _ offset: UInt64, _ length: UInt64) -> ProfileEntry {
        ProfileEntry(path: Array(path.utf8), offset: offset, length: length)
    }

    @Test("a second start on an empty cache asks for the same blocks, in that order, before anybody reads")
    func secondStart() throws {
        // Files of one block: nothing is read ahead within them.
        let flist = try TestFlist(4000, 3000, 2000, 100)
        let first = GateStore(flist)
        let one = try ReaderFixture(flist, from: first, cache: "\(folder.path)/one")
        let recording = profile(one)
        recording.start()
        for file in [2, 0, 1, 2, 0] { _ = try one.read(0..<4096, of: file) }
        recording.stop()
        #expect(first.asked == [try flist.id(0, of: 2), try flist.id(0, of: 0), try flist.id(0, of: 1)])

        let second = GateStore(flist, isOpen: false)
        let two = try ReaderFixture(flist, from: second, cache: "\(folder.path)/two")
        let replay = profile(two)
        replay.start()
        #expect(second.wait(forRequests: 3))
        #expect(second.asked == first.asked)
        second.open()
        for file in [2, 0, 1] { #expect(try two.read(0..<4096, of: file) == flist.contents[file]) }
        #expect(second.asked == first.asked)
        #expect(two.reader.statistics.demandBlocks == 0 && two.reader.statistics.prefetchBlocks == 3)
        replay.stop()
    }

    @Test("blocks of one file become ranges, also where its reader and another's take turns")
    func ranges() throws {
        let flist = try TestFlist(10 * 4096, 10 * 4096)
        let fixture = try ReaderFixture(flist, from: GateStore(flist), cache: "\(folder.path)/one")
        let recording = profile(fixture)
        recording.start()
        for block in 3..<6 {
            for file in 0..<2 { _ = try fixture.read(block * 4096..<block * 4096 + 10, of: file) }
        }
        _ = try fixture.read(9 * 4096..<9 * 4096 + 10)
        recording.stop()
        fixture.settle()
        let stored = try #require(profiles.load(flist.index.summary.flistHash))
        #expect(
            stored.entries == [
                entry("/file0", 3 * 4096, 3 * 4096), entry("/file1", 3 * 4096, 3 * 4096),
                entry("/file0", 9 * 4096, 4096),
            ])
        #expect(!stored.isComplete)
    }

    @Test("reads from a full cache are recorded as well")
    func warm() throws {
        let flist = try TestFlist(4096, 4096)
        let fixture = try ReaderFixture(flist, from: GateStore(flist), cache: "\(folder.path)/one")
        for file in 0..<2 { _ = try fixture.read(0..<4096, of: file) }
        fixture.settle()
        let recording = profile(fixture)
        recording.start()
        _ = try fixture.read(0..<10, of: 1)
        recording.stop()
        #expect(profiles.load(flist.index.summary.flistHash)?.entries == [entry("/file1", 0, 4096)])
    }

    @Test("a file that the kernel is given to read by itself is recorded by its beginning")
    func passthrough() throws {
        let flist = try TestFlist(3 << 20, 4096)
        let fixture = try ReaderFixture(flist, from: GateStore(flist), cache: "\(folder.path)/one")
        _ = try fixture.read(0..<3 << 20)
        fixture.settle()
        let recording = profile(fixture)
        recording.start()
        for (file, isThere) in [(1, false), (0, true)] {
            let complete = try fixture.file(file).completeFile()
            switch complete {
            case .some: #expect(isThere)
            case .none: #expect(!isThere)
            }
        }
        recording.stop()
        #expect(profiles.load(flist.index.summary.flistHash)?.entries == [entry("/file0", 0, 2 << 20)])
    }

    @Test("a longer recording replaces one that was cut short, and nothing replaces a complete one")
    func replacing() throws {
        let flist = try TestFlist(4096, 4096, 4096)
        let hash = flist.index.summary.flistHash
        func record(_ files: Int...) throws {
            let fixture = try ReaderFixture(flist, from: GateStore(flist), cache: "\(folder.path)/one")
            let recording = profile(fixture)
            recording.start()
            for file in files { _ = try fixture.read(0..<10, of: file) }
            recording.stop()
        }
        try record()
        #expect(profiles.load(hash) == nil)
        try record(0, 1)
        try record(2)
        #expect(profiles.load(hash)?.entries == [entry("/file0", 0, 4096), entry("/file1", 0, 4096)])
        try record(2, 1, 0)
        #expect(profiles.load(hash)?.entries.map(\.path).first == Array("/file2".utf8))
        try profiles.save(RecordedProfile(entries: [entry("/file1", 0, 1)], isComplete: true), of: hash)
        try record(2, 1, 0)
        #expect(profiles.load(hash)?.entries == [entry("/file1", 0, 1)])
    }

    @Test("a recording that is full is kept at once, as complete, and no larger than it may be")
    func full() throws {
        let blocks = ProfileRecorder.maximumBlocks + 10
        let flist = try TestFlist(blocks * 4096, holes: Set(0..<blocks))
        let fixture = try ReaderFixture(flist, from: GateStore(flist), cache: "\(folder.path)/one")
        let recording = profile(fixture)
        recording.start()
        // Every second one: each is a range.
        for block in stride(from: 0, to: blocks, by: 2) { _ = try fixture.read(block * 4096..<block * 4096 + 1) }
        #expect(eventually { profiles.load(flist.index.summary.flistHash) != nil })
        let stored = try #require(profiles.load(flist.index.summary.flistHash))
        #expect(stored.isComplete && stored.entries.count == 4096)
        #expect(!fixture.reader.recorder.isRecording)
        recording.stop()
    }

    @Test("without a profile a mount asks for nothing by itself")
    func frugal() throws {
        let flist = try TestFlist(4096, 4096)
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/one")
        let recording = profile(fixture)
        recording.start()
        _ = try fixture.read(0..<10, of: 1)
        recording.stop()
        #expect(store.asked == [try flist.id(0, of: 1)])
    }

    @Test("the flist's own profile is used where the cache has none, and not recorded over")
    func embedded() throws {
        let flist = try TestFlist(4096, 2 * 4096) { $0.profile = [entry("/file1", 4096, 10), entry("/gone", 0, 5)] }
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/one")
        let profile = profile(fixture)
        profile.start()
        #expect(store.wait(forRequests: 1))
        #expect(!fixture.reader.recorder.isRecording)
        profile.stop()
        #expect(store.asked == [try flist.id(1, of: 1)])
        #expect(profiles.load(flist.index.summary.flistHash) == nil)
    }

    @Test("paths that are not there, no files, and ranges beyond the end mean nothing")
    func strangeRanges() throws {
        let flist = try TestFlist(3 * 4096)
        let largest = UInt64(Int64.max)
        let profile = [
            entry("/", 0, 10), entry("/nosuch", 0, 10), entry("/file0/x", 0, 10), entry("/file0", 3 * 4096, 1),
            entry("/file0", largest - 1, 1), entry("/file0", 0, 0), entry("/../file0", 4096, .max),
        ]
        let inode = try flist.inode(0)
        #expect(flist.index.spans(of: profile) == [ContentSpan(inode: inode, blocks: 1..<3)])
        #expect(flist.index.spans(of: Array(repeating: entry("/file0", 0, 1), count: 10_000)).count == 4096)
    }

    @Test("a profile that is damaged anywhere, cut short, or of another flist is none")
    func damage() throws {
        let hash = BLAKE2b.hash([1], .bytes32)
        let profile = RecordedProfile(entries: [entry("/a b\n\u{e9}\\", 0, 10), entry("/c", 5, 1)], isComplete: false)
        try profiles.save(profile, of: hash)
        #expect(profiles.load(hash) == profile)
        let path = "\(folder.path)/profile/\(hash).profile"
        let good = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        for position in good.indices {
            var bad = good
            bad[position] ^= 1
            #expect(ProfileFolder.decode(bad, of: hash) == nil, "byte \(position)")
            #expect(ProfileFolder.decode(Array(good[..<position]), of: hash) == nil, "cut at \(position)")
        }
        #expect(ProfileFolder.decode(good, of: BLAKE2b.hash([2], .bytes32)) == nil)
        try Data(count: 6 << 20).write(to: URL(fileURLWithPath: path))
        #expect(profiles.load(hash) == nil)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/zero")
        #expect(profiles.load(hash) == nil)
        #expect(try profiles.remove(hash))
        #expect(!(try profiles.remove(hash)))
    }
}
