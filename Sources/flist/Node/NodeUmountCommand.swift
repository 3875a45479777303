internal import ArgumentParser
internal import FlistManager
internal import ProgramSupport

/// `flist node umount`: unmounts a name.
struct NodeUmountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "umount", abstract: "Unmounts a name, and deletes what was written below it.", aliases: ["unmount"]
    )

    @Argument(help: "The name.")
    var name: String

    @OptionGroup var bus: BusOptions

    func run() throws { try bus.client().unmount(name) }
}
