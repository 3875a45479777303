internal import Glibc
internal import Support
internal import ProgramSupport

/// Shows how far a long task is, on stderr: a bar on a terminal, a line every few seconds elsewhere.
///
/// A thread of its own asks for figures, so that the task pays nothing. Nothing is shown of what ends within a moment.
final class TerminalProgress: Sendable {
    /// How far the task is.
    struct Figures {
        var done: UInt64
        /// Nil while nobody knows.
        var total: UInt64?
        /// What else is worth knowing, as in "1,204 files".
        var note: String
    }

    private struct State {
        var isStopped = false
        var hasEnded = false
    }

    private let state = Monitor(State())
    /// Elsewhere than on a terminal, a line per this long: logs of a build stay readable.
    private static let lineInterval = Duration.seconds(5)
    private static let barInterval = Duration.milliseconds(100)
    /// A task that ends sooner shows nothing.
    private static let patience = Duration.milliseconds(300)

    /// Starts to show; `quiet` shows nothing.
    init(_ verb: String, quiet: Bool = false, figures: @escaping @Sendable () -> Figures) {
        guard !quiet else {
            state.withLock { $0.hasEnded = true }
            return
        }
        let state = state
        let onTerminal = Terminal.errorIsTerminal
        do throws(FlistError) {
            try WorkerThread("progress") {
                var rate = ProgressRate()
                var interval = onTerminal ? Self.patience : Self.lineInterval
                while state.wait(until: .after(interval), for: { $0.isStopped ? true : nil }) == nil {
                    interval = onTerminal ? Self.barInterval : Self.lineInterval
                    let figures = figures()
                    rate.add(figures.done)
                    if onTerminal {
                        Terminal.draw(bar: ProgressText.bar(verb, figures, rate, width: Terminal.width))
                    } else {
                        Terminal.line(ProgressText.line(verb, figures, rate))
                    }
                }
                if onTerminal { Terminal.draw(bar: "") }
                state.withLock { $0.hasEnded = true }
                state.broadcast()
            }.detach()
        } catch {
            state.withLock { $0.hasEnded = true }
        }
    }

    /// Takes the bar away and returns when it is gone. May be called more than once.
    func stop() {
        state.withLock { $0.isStopped = true }
        state.broadcast()
        state.wait { $0.hasEnded ? () : nil }
    }
}

/// Bytes per second over the last few seconds.
struct ProgressRate {
    private var samples: [(time: Deadline, done: UInt64)] = [(.now, 0)]

    mutating func add(_ done: UInt64) {
        samples.append((.now, done))
        if samples.count > 50 { samples.removeFirst() }
    }

    var perSecond: Double {
        guard let first = samples.first, let last = samples.last, last.done >= first.done else { return 0 }
        let seconds = Double(last.time.nanoseconds - first.time.nanoseconds) / 1e9
        return seconds > 0 ? Double(last.done - first.done) / seconds : 0
    }
}
