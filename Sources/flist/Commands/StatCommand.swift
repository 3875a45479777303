internal import ArgumentParser
internal import FlistImage
internal import Support
internal import ProgramSupport

/// `flist stat`: shows all that a flist says of an entry.
struct StatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stat",
        abstract: "Shows all that a flist says of an entry.",
        discussion: """
            As stat(1), and the extended attributes. Symlinks are not followed.

              flist stat debian.fl /bin/ping
            """)

    @OptionGroup var flist: FlistArgument

    @Argument(help: "A path in the flist.")
    var path = "/"

    @OptionGroup var json: JSONOption

    func run() throws {
        let index = try FlistOpening.index(flist)
        let number = try FlistOpening.entry(path, in: index, of: flist)
        guard let attributes = index.attributes(of: number) else { return }
        if json.isOn {
            EntryJSON.object(number, in: index, xattrs: true).print()
            return
        }
        var name = NameStyle.bytes(index.path(of: number))
        if let target = index.linkTarget(of: number) { name += Array(" -> ".utf8) + NameStyle.bytes(target) }
        Output.write(bytes: Array("  File: ".utf8) + name + [UInt8(ascii: "\n")])
        let blockSize = index.summary.blockSize
        Output.line(
            "  Size: \(attributes.size)\tBlocks: \(attributes.sectors)\tBlock size: \(blockSize)\t"
                + ModeText.name(attributes.type, size: attributes.size))
        var line = "Inode: \(attributes.number)\tLinks: \(attributes.nlink)"
        if attributes.type == .characterDevice || attributes.type == .blockDevice {
            line += "\tDevice type: \(attributes.major),\(attributes.minor)"
        }
        Output.line(line)
        Output.line(
            "Access: (\(EntryJSON.octal(attributes.permissions))/"
                + "\(ModeText.text(attributes.type, attributes.permissions)))\tUid: \(attributes.uid)\t"
                + "Gid: \(attributes.gid)")
        Output.line("Modify: \(TimeText.full(attributes.mtime))")
        Output.line("Change: \(TimeText.full(attributes.ctime))")
        if attributes.isWithoutBlocks { Output.line("Blocks: the flist names none, so that it cannot be read") }
        for (name, value) in index.xattrs(of: number) {
            Output.line(" Xattr: \(NameStyle.escaped([UInt8](name)))=\(Self.shown([UInt8](value)))")
        }
    }

    /// Text as text, all else as hexadecimal, as getfattr(1) writes them.
    private static func shown(_ value: [UInt8]) -> String {
        let isText = value.allSatisfy { (0x20...0x7e).contains($0) }
        return isText ? "\"\(String(decoding: value, as: UTF8.self))\"" : "0x" + Hex.encode(value)
    }
}
