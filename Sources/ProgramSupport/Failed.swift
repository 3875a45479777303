/// Thrown by a command whose lines on stderr have said everything: `Runner` adds none.
public struct Failed: Error {
    /// The program's exit status.
    public let status: Int32

    public init(status: Int32 = 1) { self.status = status }
}
