internal import ArgumentParser
internal import Glibc
internal import Support

/// Runs a command and turns its outcome into output and an exit status: 0 done, 1 failed, 2 wrong usage.
@main
enum Main {
    static func main() {
        Process.prepare()
        exit(Runner.run(Array(CommandLine.arguments.dropFirst())))
    }
}

/// What `main` does, away from the main actor: closures of commands run on any thread.
enum Runner {
    static func run(_ arguments: [String]) -> Int32 {
        do {
            var command = try Flist.parseAsRoot(arguments)
            try command.run()
            return Output.finish() ? 0 : 1
        } catch {
            return report(error, arguments)
        }
    }

    private static func report(_ error: any Error, _ arguments: [String]) -> Int32 {
        if let error = error as? FlistError {
            Terminal.complain(error.description)
            return error.code == .usage ? 2 : 1
        }
        // A command that has told what was wrong already.
        if let failure = error as? Failed { return failure.status }
        if let code = error as? ExitCode, code != .success { return code.rawValue }
        if Flist.exitCode(for: error) == .success {
            // Help, version or a completion script.
            Output.write(Flist.fullMessage(for: error) + "\n")
            return Output.finish() ? 0 : 1
        }
        Terminal.complain("\(Flist.message(for: error).replacingNewlines) (see \(helpCommand(arguments)))")
        return 2
    }
}

extension Runner {
    /// How to get the help that fits.
    private static func helpCommand(_ arguments: [String]) -> String {
        var names: [String] = []
        for group in Flist.configuration.groupedSubcommands {
            for command in group.subcommands { names.append(command.configuration.commandName ?? "") }
        }
        guard let name = arguments.first, names.contains(name) else { return "flist --help" }
        return "flist \(name) --help"
    }
}

/// Thrown by a command whose lines on stderr have said everything.
struct Failed: Error {
    let status: Int32 = 1
}

extension String {
    /// One line: what the argument parser spreads over several.
    fileprivate var replacingNewlines: String {
        split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }.joined(separator: " ")
    }
}
