internal import ArgumentParser
internal import FlistManager
internal import ProgramSupport

/// `flist node hub-hash`: the flist of an address, by its hub.
struct NodeHubHashCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hub-hash", abstract: "Prints the MD5 that the hub gives for a flist, without fetching it.")

    @Argument(help: "The flist's address.")
    var url: String

    @OptionGroup var bus: BusOptions

    func run() throws { Output.line(try bus.client().flistHash(url)) }
}
