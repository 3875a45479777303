internal import ArgumentParser
internal import FlistManager
internal import ProgramSupport

/// `flist node hash`: the flist of a name.
struct NodeHashCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hash", abstract: "Prints the MD5 of the flist that is mounted under a name.")

    @Argument(help: "The name, or a path that ends in it.")
    var name: String

    @OptionGroup var bus: BusOptions

    func run() throws { Output.line(try bus.client().hashFromRootPath(name)) }
}
