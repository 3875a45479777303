internal import ArgumentParser

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
