internal import Glibc
internal import Support

/// How far the background check of a cache has come: one line of text in its file.
///
/// Nothing wrong comes of a wrong line: a round begins early, or leaves something to the next.
struct ScrubProgress: Equatable {
    /// When the round began: seconds of the wall clock.
    var started: Int
    /// The name up to which all is checked; nil at the round's begin.
    var last: String?
    /// Whether the round is done.
    var isDone = false

    private static let magic = "flist-scrub-1"

    /// Whether another round should begin. A clock that was set back does not put it off.
    func isDue(now: Int, interval: Int) -> Bool {
        if started > now { return true }
        return isDone && now.subtractingReportingOverflow(started).partialValue >= interval
    }

    init(started: Int) { self.started = started }

    /// Nil for anything that `line` would not give.
    init?(_ line: String) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == Self.magic, let started = Int(words[1]) else { return nil }
        self.init(started: started)
        switch words[2] {
        case "begun": break
        case "done": isDone = true
        default: last = String(words[2])
        }
    }

    var line: String { "\(Self.magic) \(started) \(isDone ? "done" : last ?? "begun")" }

    /// Nil where there is none yet.
    init?(of file: borrowing FileDescriptor) {
        let bytes = [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
            count = (try? file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)) ?? 0
        }
        guard let line = String(validating: bytes.prefix { $0 != 10 }, as: UTF8.self) else { return nil }
        self.init(line)
    }

    /// A disk that takes nothing has the round begin where it did the last time.
    func save(to file: borrowing FileDescriptor) {
        // Longer lines before it would show behind it: the end of the line says where it ends.
        Array((line + "\n").utf8).withUnsafeBytes { try? file.write($0, at: 0) }
    }
}
