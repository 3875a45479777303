internal import ArgumentParser

/// `flist node`: calls flistd over the bus.
struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Calls flistd over the bus: mounts and unmounts by name, changes limits.",
        discussion: """
            What a node's other programs do by the Flister object, by hand.

              flist node mount web1 https://hub.example.com/debian.flist --limit 1GiB
              flist node limit web1 2GiB
              flist node umount web1
            """,
        subcommands: [
            NodeMountCommand.self, NodeUmountCommand.self, NodeLimitCommand.self, NodeExistsCommand.self,
            NodeHashCommand.self, NodeHubHashCommand.self,
        ])
}
