internal import Glibc
internal import ProgramSupport

@main
enum Main {
    static func main() {
        Process.prepare()
        let words = CommandLine.arguments
        let arguments = Array(words.dropFirst())
        let status = StandIn.run(as: words.first ?? "", arguments) ?? Runner.run(Flist.self, arguments)
        // The thread that talks HTTP has no end: libraries must not be torn down under it.
        fflush(nil)
        _exit(status)
    }
}
