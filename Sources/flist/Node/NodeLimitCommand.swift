internal import ArgumentParser
internal import FlistManager
internal import ProgramSupport
internal import Support

/// `flist node limit`: changes how much may be written.
struct NodeLimitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit", abstract: "Changes how much may be written below a mount; prints where it is.",
        discussion: "A limit below what is in use is refused.")

    @Argument(help: "The name.")
    var name: String

    @Argument(help: "The most bytes, as in 2GiB.", transform: SizeArgument.parse)
    var size: ByteCount

    @OptionGroup var bus: BusOptions

    func run() throws { Output.line(try bus.client().updateMountSize(name, limit: size.bytes)) }
}
