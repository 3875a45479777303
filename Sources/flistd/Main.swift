internal import Glibc
internal import Keeper
internal import ProgramSupport

@main
enum Main {
    static func main() {
        Process.prepare()
        if CommandLine.arguments.first == KeeperService.programName { exit(KeeperService.main()) }
        let status = Runner.run(Daemon.self, Array(CommandLine.arguments.dropFirst()))
        // Threads still serve mounts, which wait for the next process then: libraries must not be torn down under them.
        fflush(nil)
        _exit(status)
    }
}
