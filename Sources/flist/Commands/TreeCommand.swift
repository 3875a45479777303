internal import ArgumentParser
internal import FlistImage
internal import Support
internal import ProgramSupport

/// `flist tree`: draws what is below a path.
struct TreeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree",
        abstract: "Draws what is below a path of a flist.",
        discussion: """
            flist tree -L 2 debian.fl /etc
            """)

    @OptionGroup var flist: FlistArgument

    @Argument(help: "A path in the flist.")
    var path = "/"

    @Option(name: [.customShort("L"), .customLong("level")], help: ArgumentHelp("Levels to show.", valueName: "n"))
    var level: Int?

    @Flag(name: .short, help: "Also names that begin with a dot.")
    var all = false

    @Flag(name: [.customShort("d"), .customLong("directories")], help: "Directories alone.")
    var onlyDirectories = false

    @OptionGroup var json: JSONOption

    func validate() throws {
        if let level, level < 1 { throw ValidationError("--level \(level): at least 1 is needed") }
    }

    func run() throws {
        let index = try FlistOpening.index(flist)
        let start = try FlistOpening.entry(path, in: index, of: flist, followingLast: true)
        let listing = Listing(index: index, long: false, all: all, human: false)
        if json.isOn {
            let entries = listing.all(below: start, recursive: true, itself: false)
            JSONValue.array(entries.map { EntryJSON.object($0, in: index) }).print()
            return
        }
        Output.write(bytes: NameStyle.bytes(Array(path.utf8)) + [UInt8(ascii: "\n")])
        var directories = 0
        var others = 0
        // What is still to be drawn of each level, outermost first.
        var levels = [children(of: start, listing)]
        while let last = levels.indices.last, !Output.hasFailed {
            guard let number = levels[last].first else {
                levels.removeLast()
                continue
            }
            levels[last].removeFirst()
            draw(number, in: index, levels)
            if index.type(of: number) == .directory {
                directories += 1
                if level.map({ levels.count < $0 }) ?? true { levels.append(children(of: number, listing)) }
            } else {
                others += 1
            }
        }
        Output.line("\n\(directories) directories" + (onlyDirectories ? "" : ", \(others) files"))
    }

    private func children(of number: InodeNumber, _ listing: Listing) -> ArraySlice<InodeNumber> {
        (listing.index.children(of: number) ?? 0..<0).filter { child in
            listing.shows(child) && (!onlyDirectories || listing.index.type(of: child) == .directory)
        }[...]
    }

    private func draw(_ number: InodeNumber, in index: TreeIndex, _ levels: [ArraySlice<InodeNumber>]) {
        var line = ""
        for level in levels.dropLast() { line += level.isEmpty ? "    " : "│   " }
        line += levels.last?.isEmpty ?? true ? "└── " : "├── "
        var bytes = Array(line.utf8) + NameStyle.bytes(index.name(of: number))
        if let target = index.linkTarget(of: number) { bytes += Array(" -> ".utf8) + NameStyle.bytes(target) }
        Output.write(bytes: bytes + [UInt8(ascii: "\n")])
    }
}
