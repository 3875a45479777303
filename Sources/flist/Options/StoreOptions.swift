internal import ArgumentParser
internal import ProgramSupport

/// Stores to use before those that the flist names.
struct StoreOptions: ParsableArguments {
    @Option(
        name: .customLong("store"),
        help: ArgumentHelp(
            "A store to look for blocks in before the flist's own. May be given again. xx-yy takes ids by first byte.",
            discussion:
                "dir:///path, zdb://host:9900/namespace, redis://, http(s)://, s3(s)://key:secret@host:port/bucket",
            valueName: "[xx-yy=]url"))
    var stores: [String] = []

    @Option(
        help: ArgumentHelp("A router.yaml as 0-fs has it, used before the flist's own stores.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var router: String?
}

/// How long tools wait for stores; a mount has `-o timeout`.
struct PatienceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How long to wait for a block of which nothing comes, from all its stores together.", valueName: "seconds"),
        transform: TimeoutArgument.parse)
    var timeout: Duration = .seconds(10)
}
