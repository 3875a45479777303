import Glibc
import Support
import Testing

@testable import BlockCache

@Suite("Cache and a clock that is set")
struct ClockTests {
    let folder = TemporaryFolder()
    private static let day = 24 * 60 * 60
    private static let years = 10 * 365 * day
    let contents = (0..<3).map { TestContent(seed: UInt64($0), size: 100) }

    private func lastUse(_ content: TestContent) -> Int {
        var status = stat()
        return lstat(folder.folder.fresh(content.name), &status) == 0 ? status.st_atim.tv_sec : -1
    }

    /// Three contents, used 1, 80 and 100 days before `begin`.
    private func fill(_ cache: BlockCache, _ begin: ClockReading) {
        for (content, days) in zip(contents, [1, 80, 100]) {
            #expect(cache.object(content).storeAll(content))
            let times = [
                timespec(tv_sec: begin.wall - days * Self.day, tv_nsec: 0), timespec(tv_sec: 0, tv_nsec: utimeOmit),
            ]
            utimensat(AT_FDCWD, folder.folder.fresh(content.name), times, 0)
        }
        unlink(folder.folder.clock)
        cache.core.noteClock(begin)
    }

    private func left(_ cache: BlockCache) -> [Bool] { contents.map { exists(folder.folder.fresh($0.name)) } }

    @Test("ages contents by the time that passed, not by what the clock was set by", arguments: [years, -years, 0])
    func jump(by jump: Int) throws {
        let cache = try folder.open(age: .seconds(90 * Self.day))
        let begin = ClockReading(wall: 2_000_000_000, running: 100, boot: .test(1))
        fill(cache, begin)
        // A day later the hundred days old goes; twelve days later the next.
        cache.collect(ClockReading(wall: begin.wall + jump + Self.day, running: 100 + Self.day, boot: .test(1)))
        #expect(left(cache) == [true, true, false])
        #expect(lastUse(contents[0]) == begin.wall + jump - Self.day)
        cache.collect(
            ClockReading(wall: begin.wall + jump + 13 * Self.day, running: 100 + 13 * Self.day, boot: .test(1)))
        #expect(left(cache) == [true, false, false])
        cache.collect(
            ClockReading(wall: begin.wall + jump + 91 * Self.day, running: 100 + 91 * Self.day, boot: .test(1)))
        #expect(left(cache) == [false, false, false])
    }

    @Test("keeps what was used since the clock was set", arguments: [years, -years])
    func usedSince(jump: Int) throws {
        let cache = try folder.open(age: .seconds(90 * Self.day))
        let begin = ClockReading(wall: 2_000_000_000, running: 100, boot: .test(1))
        fill(cache, begin)
        let used = begin.wall + jump + 50
        let times = [timespec(tv_sec: used, tv_nsec: 0), timespec(tv_sec: 0, tv_nsec: utimeOmit)]
        utimensat(AT_FDCWD, folder.folder.fresh(contents[2].name), times, 0)
        cache.collect(ClockReading(wall: begin.wall + jump + 100, running: 200, boot: .test(1)))
        #expect(left(cache) == [true, true, true])
        #expect(lastUse(contents[2]) == used)
    }

    @Test("a machine that was off for half a year has aged, one whose clock began decades back has not")
    func otherBoot() throws {
        let cache = try folder.open(age: .seconds(90 * Self.day))
        let begin = ClockReading(wall: 2_000_000_000, running: 100, boot: .test(1))
        fill(cache, begin)
        cache.core.noteClock(ClockReading(wall: 1000, running: 5, boot: .test(2)))
        #expect(lastUse(contents[0]) == 1000 - Self.day)
        // The time server answers.
        cache.collect(ClockReading(wall: begin.wall + 60, running: 65, boot: .test(2)))
        #expect(left(cache) == [true, true, false])
        cache.collect(ClockReading(wall: begin.wall + 180 * Self.day, running: 5, boot: .test(3)))
        #expect(left(cache) == [false, false, false])
    }

    @Test("opens and collects with any line in the clock's file", arguments: ["", "x", "flist-clock-1 -5 0 00", "\0"])
    func oddFile(line: String) throws {
        let cache = try folder.open(age: .seconds(90 * Self.day))
        let begin = ClockReading(wall: 2_000_000_000, running: 100, boot: .test(1))
        fill(cache, begin)
        let file = try FileDescriptor(folder.folder.clock, O_RDWR | O_TRUNC)
        try Array(line.utf8).withUnsafeBytes { try file.write($0, at: 0) }
        cache.collect(begin)
        #expect(left(cache) == [true, true, false])
        #expect(ClockReading(try BlockCacheTests.contents(folder.folder.clock)) == begin)
    }
}
