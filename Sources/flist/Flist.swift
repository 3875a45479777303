internal import ArgumentParser

@main
struct Flist: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flist", abstract: "Makes, looks into and mounts flists.")
}
