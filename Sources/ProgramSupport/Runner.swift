public import ArgumentParser
internal import Glibc
internal import Support

/// Runs a command and turns its outcome into output and an exit status: 0 done, 1 failed, 2 wrong usage.
///
/// `main` only calls it: closures that commands make here run on any thread, those made in `main` on its own only.
public enum Runner {
    /// Runs the program whose root command this is and answers its exit status. The root's name is the program's.
    ///
    /// An error is one line on stderr. The answer is on stdout; what could not be written there is an error too.
    public static func run<Root: ParsableCommand>(_ root: Root.Type, _ arguments: [String]) -> Int32 {
        Terminal.program = root._commandName
        do {
            var command = try root.parseAsRoot(arguments)
            try command.run()
            return Output.finish() ? 0 : 1
        } catch {
            return report(error, root, arguments)
        }
    }

    private static func report<Root: ParsableCommand>(
        _ error: any Error, _ root: Root.Type, _ arguments: [String]
    ) -> Int32 {
        // What was found out before it failed.
        _ = Output.finish()
        if let error = error as? FlistError {
            Terminal.complain(error.description)
            return error.code == .usage ? 2 : 1
        }
        // A command that has told what was wrong already.
        if let failure = error as? Failed { return failure.status }
        if let code = error as? ExitCode, code != .success { return code.rawValue }
        if root.exitCode(for: error) == .success {
            // Help, version or a completion script.
            Output.write(root.fullMessage(for: error) + "\n")
            return Output.finish() ? 0 : 1
        }
        Terminal.complain("\(root.message(for: error).replacingNewlines) (see \(helpCommand(root, arguments)))")
        return 2
    }

    /// How to get the help that fits.
    private static func helpCommand<Root: ParsableCommand>(_ root: Root.Type, _ arguments: [String]) -> String {
        var (words, command): ([String], any ParsableCommand.Type) = ([root._commandName], root)
        for argument in arguments {
            let next = command.configuration.subcommands.first {
                ($0.configuration.commandName ?? $0._commandName) == argument
            }
            guard let next else { break }
            words.append(argument)
            command = next
        }
        return words.joined(separator: " ") + " --help"
    }
}

extension String {
    /// One line: what the argument parser spreads over several.
    fileprivate var replacingNewlines: String {
        split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }.joined(separator: " ")
    }
}
