internal import ArgumentParser
internal import Support
internal import ProgramSupport

/// Where contents are kept, and how much of them.
struct CacheOptions: ParsableArguments {
    @Option(
        name: .customLong("cache"),
        help: ArgumentHelp(
            "The folder of the cache: /var/cache/flist for root, else ~/.cache/flist.", valueName: "dir"),
        completion: .directory)
    var folder: String?

    @Option(
        name: .customLong("cache-size"),
        help: ArgumentHelp(
            "The most bytes the cache may hold, as in 10GiB. Without it, a share of the disk stays free."),
        transform: SizeArgument.parse)
    var size: ByteCount?

    /// The folder, made up from the environment where it was not given.
    var path: String { folder ?? Self.defaultFolder }

    static var defaultFolder: String {
        if Process.isRoot { return "/var/cache/flist" }
        if let base = Process.environment("XDG_CACHE_HOME") { return base + "/flist" }
        // Without a home the user's own folder under /tmp would be a trap set by others: the current folder is not.
        return (Process.environment("HOME") ?? ".") + "/.cache/flist"
    }
}
