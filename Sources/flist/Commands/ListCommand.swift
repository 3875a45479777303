internal import ArgumentParser
internal import FlistImage
internal import Support
internal import ProgramSupport

/// `flist ls`: lists a directory of a flist, as ls(1) does.
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "Lists a directory of a flist.",
        discussion: """
            Nothing is mounted or fetched. Owners are numbers: the flist's names are not
            this machine's. On a terminal, odd bytes in names are shown as with ls -b;
            otherwise names are written as they are.

              flist ls -l debian.fl /usr/bin
              flist ls -lR debian.fl
            """)

    @OptionGroup var flist: FlistArgument

    @Argument(help: "A path in the flist.")
    var path = "/"

    @Flag(name: .short, help: "Mode, links, owner, group, size, time and name.")
    var long = false

    @Flag(name: .shortAndLong, help: "Also . and .. and names that begin with a dot.")
    var all = false

    @Flag(name: [.customShort("R"), .customLong("recursive")], help: "Directories below too.")
    var recursive = false

    @Flag(name: [.customShort("h"), .customLong("human-readable")], help: "Sizes as 1.5K, 3.2M.")
    var human = false

    @Flag(name: [.customShort("d"), .customLong("directory")], help: "A directory itself, not what is in it.")
    var directory = false

    @OptionGroup var json: JSONOption

    func run() throws {
        let index = try FlistOpening.index(flist)
        let start = try FlistOpening.entry(path, in: index, of: flist, followingLast: !long && !directory)
        let listing = Listing(index: index, long: long, all: all, human: human)
        if json.isOn {
            let entries = listing.all(below: start, recursive: recursive, itself: directory)
            JSONValue.array(entries.map { EntryJSON.object($0, in: index) }).print()
            return
        }
        guard index.type(of: start) == .directory, !directory else {
            listing.print([(start, Array(path.utf8))])
            return
        }
        // Depth first and by name, as ls -R goes.
        var pending = [(number: start, path: Array(path.utf8))]
        var isFirst = true
        while let (number, path) = pending.popLast(), !Output.hasFailed {
            if recursive {
                Output.write((isFirst ? "" : "\n"))
                Output.write(bytes: NameStyle.bytes(path) + Array(":\n".utf8))
            }
            isFirst = false
            listing.printDirectory(number)
            guard recursive else { return }
            for child in (index.children(of: number) ?? 0..<0).reversed()
            where index.type(of: child) == .directory && listing.shows(child) {
                let slash: [UInt8] = path.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]
                pending.append((child, path + slash + index.name(of: child)))
            }
        }
    }
}
