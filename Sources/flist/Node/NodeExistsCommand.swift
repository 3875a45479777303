internal import ArgumentParser
internal import FlistManager
internal import ProgramSupport

/// `flist node exists`: tells whether a name is mounted.
struct NodeExistsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exists", abstract: "Tells whether something is mounted under a name.",
        discussion: "Prints true or false; the exit status is 0 for both.")

    @Argument(help: "The name.")
    var name: String

    @OptionGroup var bus: BusOptions

    func run() throws { Output.line(try bus.client().exists(name) ? "true" : "false") }
}
