internal import ArgumentParser
internal import FlistManager
internal import ProgramSupport
internal import Support

/// `flist node mount`: mounts a flist under a name.
struct NodeMountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount", abstract: "Mounts a flist under a name; prints where.",
        discussion: "A mount of that name that is there already is left as it is.")

    @Argument(help: "The name: one component of a path.")
    var name: String

    @Argument(help: "An http(s) or file address; without a scheme, relative to the node's hub.")
    var url: String

    @Flag(name: .customLong("read-only"), help: "Nothing can be written.")
    var readOnly = false

    @Option(help: "The most bytes that may be written: 256 MiB if it is not said.", transform: SizeArgument.parse)
    var limit = ByteCount(256 << 20)

    @Option(help: ArgumentHelp("A store to ask before the flist's own.", valueName: "url"))
    var storage = ""

    @Option(
        name: .customLong("volume"),
        help: ArgumentHelp("Keep what is written in this folder, which is never deleted.", valueName: "dir"))
    var volume = ""

    @OptionGroup var bus: BusOptions

    func run() throws {
        var options = NamedMountOptions()
        options.readOnly = readOnly
        options.limit = limit.bytes
        options.storage = storage
        options.persistedVolume = volume
        Output.line(try bus.client().mount(name, url: url, options: options))
    }
}
