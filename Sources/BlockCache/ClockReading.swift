internal import CLinux
internal import Glibc
internal import Support

/// What the clocks say at one moment.
struct ClockReading: Equatable {
    /// The wall clock, which may be set: seconds.
    var wall: Int
    /// Seconds since the machine's start, asleep or awake, which nothing sets.
    var running: Int
    var boot: BootID

    static func current(_ boot: BootID) -> ClockReading {
        var running = timespec()
        clock_gettime(CLOCK_BOOTTIME, &running)
        return ClockReading(wall: time(nil), running: running.tv_sec, boot: boot)
    }

    /// Between two boots the wall clock is believed up to here: no cache lies for longer, and clocks without a battery
    /// begin decades back.
    private static let longest = 400 * 24 * 60 * 60
    /// Smaller corrections are left alone.
    private static let tolerance = 60 * 60

    /// By how much the wall clock was set between two readings, in seconds; 0 if it went as a clock goes.
    static func jump(from before: ClockReading, to after: ClockReading) -> Int {
        let (passed, overflow) = after.wall.subtractingReportingOverflow(before.wall)
        guard !overflow else { return 0 }
        let isSameRun = before.boot == after.boot && after.running >= before.running
        let counted = isSameRun ? after.running - before.running : (0...longest).contains(passed) ? passed : 0
        let (jump, isTooFar) = passed.subtractingReportingOverflow(counted)
        return isTooFar || abs(jump) < tolerance ? 0 : jump
    }

    private static let magic = "flist-clock-1"

    /// One line of text.
    var line: String { "\(Self.magic) \(wall) \(running) \(Hex.encode(boot.bytes))\n" }

    /// Nil for anything that `line` would not give.
    init?(_ line: [UInt8]) {
        let words = String(decoding: line.prefix { $0 != 10 }, as: UTF8.self).split(separator: " ")
        guard words.count == 4, words[0] == Self.magic, let wall = Int(words[1]), let running = Int(words[2]),
            (0...(1 << 40)).contains(wall), (0...(1 << 40)).contains(running),
            let boot = Hex.decode(String(words[3])).flatMap({ BootID($0) })
        else { return nil }
        self.init(wall: wall, running: running, boot: boot)
    }

    init(wall: Int, running: Int, boot: BootID) {
        self.wall = wall
        self.running = running
        self.boot = boot
    }
}

extension CacheCore {
    /// Compares the clocks with what they said when somebody looked last, and moves the times of use along with a
    /// wall clock that was set: else all would be old at once, or new for ever. Blocks.
    func noteClock(_ reading: ClockReading) {
        let before = smallFile(folder.clock).flatMap { ClockReading($0) }
        if let before, before.boot == reading.boot, reading.running - before.running < 60,
            ClockReading.jump(from: before, to: reading) == 0
        {
            return
        }
        folder.withLock {
            if let before = smallFile(folder.clock).flatMap({ ClockReading($0) }) {
                let jump = ClockReading.jump(from: before, to: reading)
                if jump != 0 { moveUses(by: jump, setAfter: before.wall, now: reading.wall) }
            }
            let temporary = "\(folder.clock).new"
            guard let file = try? FileDescriptor(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600),
                (try? Array(reading.line.utf8).withUnsafeBytes({ try file.write($0, at: 0) })) != nil
            else {
                // A disk that takes nothing: it is compared with the older reading the next time.
                unlink(temporary)
                return
            }
            rename(temporary, folder.clock)
        }
    }

    /// Under the cache's lock.
    private func moveUses(by jump: Int, setAfter before: Int, now: Int) {
        log.note("the clock was set by \(jump) s: the times of use in the cache \(folder.path) go with it")
        // What was used since the clock was set has its new time already.
        let isOld: (Int) -> Bool = { jump > 0 ? $0 < before + jump / 2 : $0 > now }
        func moved(_ time: timespec?) -> timespec {
            guard let time, isOld(time.tv_sec) else { return timespec(tv_sec: 0, tv_nsec: utimeOmit) }
            let seconds = time.tv_sec.addingReportingOverflow(jump).partialValue
            return timespec(tv_sec: min(now, seconds), tv_nsec: time.tv_nsec)
        }
        func move(_ path: String, used: timespec, changed: timespec?) {
            let times = [moved(used), moved(changed)]
            _ = times.withUnsafeBufferPointer { utimensat(AT_FDCWD, path, $0.baseAddress, AT_SYMLINK_NOFOLLOW) }
        }
        for object in storedObjects() { move(object.path, used: object.lastUse, changed: nil) }
        for file in indexFiles() + profileFiles() {
            move(file.path, used: file.status.st_atim, changed: file.status.st_mtim)
        }
    }
}
