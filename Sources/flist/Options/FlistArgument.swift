internal import ArgumentParser

/// The flist that a command is about.
struct FlistArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp("A path or an http(s) URL; its content tells the format."),
        completion: .file(extensions: ["fl", "flist"]))
    var flist: String
}
