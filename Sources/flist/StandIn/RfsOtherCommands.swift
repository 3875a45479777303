internal import ArgumentParser
internal import Support

/// A command of rfs's that the stand-in does not have: it names the one to use.
protocol RfsOtherCommand: ParsableCommand {
    static var instead: String { get }
}

extension RfsOtherCommand {
    func run() throws {
        let name = Self.configuration.commandName ?? ""
        throw FlistError(.usage, "\(name): this rfs is flist and only mounts; use \(Self.instead)")
    }
}

/// The words of a command that is not carried out.
struct RfsOtherArguments: ParsableArguments {
    @Argument(parsing: .captureForPassthrough)
    var words: [String] = []
}

struct RfsPackCommand: RfsOtherCommand {
    static let configuration = CommandConfiguration(commandName: "pack", abstract: "Is flist pack.")
    static let instead = "'flist pack -s STORE -m OUT.fl DIR' (see flist pack --help)"
    @OptionGroup var arguments: RfsOtherArguments
}

struct RfsUnpackCommand: RfsOtherCommand {
    static let configuration = CommandConfiguration(commandName: "unpack", abstract: "Is flist unpack.")
    static let instead = "'flist unpack FLIST DIR' (see flist unpack --help)"
    @OptionGroup var arguments: RfsOtherArguments
}

struct RfsCloneCommand: RfsOtherCommand {
    static let configuration = CommandConfiguration(commandName: "clone", abstract: "Is flist unpack and flist pack.")
    static let instead = "'flist unpack FLIST DIR', then 'flist pack -s STORE -m OUT.fl DIR'"
    @OptionGroup var arguments: RfsOtherArguments
}

struct RfsConfigCommand: RfsOtherCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Is flist tag and flist route.")
    static let instead = "'flist tag FLIST list|add|delete' and 'flist route FLIST list|add|delete'"
    @OptionGroup var arguments: RfsOtherArguments
}
