internal import ArgumentParser
internal import FlistManager
internal import ProgramSupport
internal import Support
internal import ZBus

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
            Mount.self, Umount.self, Limit.self, Exists.self, Hash.self, HubHash.self,
        ])

    struct Bus: ParsableArguments {
        @Option(help: ArgumentHelp("The bus: unix:///path or tcp://[password@]host:port.", valueName: "url"))
        var broker = "unix:///var/run/redis.sock"

        @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "seconds"))
        var timeout = 600

        func validate() throws {
            guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout takes 1 to 86400 seconds.") }
        }

        func client() throws(FlistError) -> FlisterClient {
            FlisterClient(broker: try BrokerAddress(parsing: broker), timeout: .seconds(timeout))
        }
    }

    struct Mount: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Mounts a flist under a name; prints where.",
            discussion: "A mount of that name that is there already is left as it is.")

        @Argument(help: "The name: one component of a path.")
        var name: String

        @Argument(help: "An http(s) or file address; without a scheme, relative to the node's hub.")
        var url: String

        @Flag(name: .customLong("read-only"), help: "Nothing can be written.")
        var readOnly = false

        @Option(help: "The most bytes that may be written.", transform: SizeArgument.parse)
        var limit = ByteCount(256 << 20)

        @Option(help: ArgumentHelp("A store to ask before the flist's own.", valueName: "url"))
        var storage = ""

        @Option(
            name: .customLong("volume"),
            help: ArgumentHelp("Keep what is written in this folder, which is never deleted.", valueName: "dir"))
        var volume = ""

        @OptionGroup var bus: Bus

        func run() throws {
            var options = NamedMountOptions()
            options.readOnly = readOnly
            options.limit = limit.bytes
            options.storage = storage
            options.persistedVolume = volume
            Output.line(try bus.client().mount(name, url: url, options: options))
        }
    }

    struct Umount: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Unmounts a name, and deletes what was written below it.", aliases: ["unmount"])

        @Argument(help: "The name.")
        var name: String

        @OptionGroup var bus: Bus

        func run() throws { try bus.client().unmount(name) }
    }

    struct Limit: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes how much may be written below a mount; prints where it is.",
            discussion: "A limit below what is in use is refused.")

        @Argument(help: "The name.")
        var name: String

        @Argument(help: "The most bytes, as in 2GiB.", transform: SizeArgument.parse)
        var size: ByteCount

        @OptionGroup var bus: Bus

        func run() throws { Output.line(try bus.client().updateMountSize(name, limit: size.bytes)) }
    }

    struct Exists: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tells whether something is mounted under a name.",
            discussion: "Prints true or false; the exit status is 0 for both.")

        @Argument(help: "The name.")
        var name: String

        @OptionGroup var bus: Bus

        func run() throws { Output.line(try bus.client().exists(name) ? "true" : "false") }
    }

    struct Hash: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the MD5 of the flist that is mounted under a name.")

        @Argument(help: "The name, or a path that ends in it.")
        var name: String

        @OptionGroup var bus: Bus

        func run() throws { Output.line(try bus.client().hashFromRootPath(name)) }
    }

    struct HubHash: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "hub-hash", abstract: "Prints the MD5 that the hub gives for a flist, without fetching it.")

        @Argument(help: "The flist's address.")
        var url: String

        @OptionGroup var bus: Bus

        func run() throws { Output.line(try bus.client().flistHash(url)) }
    }
}
