internal import Support

/// The words of a progress bar.
enum ProgressText {
    /// `pack  [=====>    ] 52 %  1.2 GiB  310.0 MiB/s  0:12 left  1204 files`, cut to the width.
    static func bar(_ verb: String, _ figures: TerminalProgress.Figures, _ rate: ProgressRate, width: Int) -> String {
        var left = verb
        if let total = figures.total, total > 0 {
            let share = min(1, Double(figures.done) / Double(total))
            let cells = 24
            let full = Int(share * Double(cells))
            let head = full < cells ? ">" : ""
            left += " [" + String(repeating: "=", count: full) + head
            left += String(repeating: " ", count: cells - full - head.count) + "] \(Int(share * 100)) %"
        }
        return String("\(left)  \(facts(figures, rate))".prefix(max(1, width - 1)))
    }

    /// The same without the bar.
    static func line(_ verb: String, _ figures: TerminalProgress.Figures, _ rate: ProgressRate) -> String {
        var share = ""
        if let total = figures.total, total > 0 { share = " \(Int(Double(figures.done) / Double(total) * 100)) %" }
        return "\(verb):\(share) \(facts(figures, rate))"
    }

    private static func facts(_ figures: TerminalProgress.Figures, _ rate: ProgressRate) -> String {
        var parts = ["\(ByteCount(figures.done))"]
        if rate.perSecond >= 1 {
            parts.append("\(ByteCount(UInt64(rate.perSecond)))/s")
            if let total = figures.total, total > figures.done {
                parts.append("\(clock(Double(total - figures.done) / rate.perSecond)) left")
            }
        }
        if !figures.note.isEmpty { parts.append(figures.note) }
        return parts.joined(separator: "  ")
    }

    /// `1:05` or `2:00:09`.
    static func clock(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 359_999).rounded())
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }
}
