internal import ArgumentParser
internal import FlistManager
internal import Glibc
internal import ProgramSupport
internal import Support

/// `flist top`: the same as status, live.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows what flistd serves and waits for, again and again, with rates.",
        discussion: """
            Ends with Ctrl-C, or after --count times. On a terminal the screen is drawn anew
            each time; --json prints one object a line.

              flist top
              flist top --json --interval 10 >>figures.jsonl
            """)

    @OptionGroup var node: NodeOptions

    @Option(name: [.short, .long], help: ArgumentHelp("Between two times.", valueName: "seconds"))
    var interval = 2

    @Option(name: [.short, .long], help: ArgumentHelp("How often; without end if it is not given.", valueName: "n"))
    var count: Int?

    @OptionGroup var json: JSONOption

    func validate() throws {
        guard (1...86_400).contains(interval) else { throw ValidationError("--interval takes 1 to 86400 seconds.") }
        guard count ?? 1 > 0 else { throw ValidationError("--count takes 1 or more.") }
    }

    func run() throws {
        var earlier: NodeReport?
        var round = 0
        while !Output.hasFailed {
            let report = try node.report()
            if json.isOn {
                Output.write(bytes: try report.json() + [UInt8(ascii: "\n")])
            } else {
                show(NodeText(report: report, earlier: earlier).lines, isFirst: round == 0)
            }
            // What is pending is written now, not when the buffer is full.
            guard Output.finish() else { throw Failed() }
            earlier = report
            round += 1
            if let count, round >= count { return }
            sleep(UInt32(interval))
        }
    }

    private func show(_ lines: [String], isFirst: Bool) {
        guard Terminal.outputIsTerminal else {
            if !isFirst { Output.line("") }
            for line in lines { Output.line(line) }
            return
        }
        // Home, each line erased to its end, then everything below: no flicker.
        let size = Terminal.outputSize
        var screen = isFirst ? "\u{1b}[2J\u{1b}[H" : "\u{1b}[H"
        for line in lines.prefix(max(1, size.rows - 1)) { screen += line.prefix(size.columns) + "\u{1b}[K\n" }
        Output.write(screen + "\u{1b}[J")
    }
}
