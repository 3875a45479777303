internal import Glibc
internal import ProgramSupport

@main
enum Main {
    static func main() {
        Process.prepare()
        let words = CommandLine.arguments
        let arguments = Array(words.dropFirst())
        exit(StandIn.run(as: words.first ?? "", arguments) ?? Runner.run(Flist.self, arguments))
    }
}
