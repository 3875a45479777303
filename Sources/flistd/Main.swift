internal import Glibc
internal import ProgramSupport

@main
enum Main {
    static func main() {
        Process.prepare()
        exit(Runner.run(Daemon.self, Array(CommandLine.arguments.dropFirst())))
    }
}
