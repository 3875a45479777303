internal import Foundation

/// One process of the client in Python for many calls, one after the other or at the same time. Ends with its object.
///
/// For one thread at a time.
public final class PythonBusSession {
    /// A call, by default of the node's flist module.
    public struct Call {
        public var queue = "flist.flist@0.0.1"
        public var object = "flist"
        public var version = "0.0.1"
        public var method: String
        /// A JSON array, see the script.
        public var arguments: String
        /// In seconds.
        public var timeout = 30

        public init(_ method: String, _ arguments: String) {
            self.method = method
            self.arguments = arguments
        }

        var json: String {
            let words = [("queue", queue), ("object", object), ("version", version), ("method", method)]
            return "{" + words.map { "\"\($0)\": \"\($1)\"" }.joined(separator: ", ")
                + ", \"arguments\": \(arguments), \"timeout\": \(timeout)}"
        }
    }

    private let process: ChildProcess
    private let input = Pipe()
    private let output = Pipe()

    /// - Parameter broker: a port of 127.0.0.1, the path of a unix socket, or a URL of redis.
    public init(_ broker: String) throws {
        process = try ChildProcess(
            [PythonBusClient.python, PythonBusClient.script, broker, "--session"],
            input: input.fileHandleForReading.fileDescriptor, output: output.fileHandleForWriting.fileDescriptor)
        try input.fileHandleForReading.close()
        try output.fileHandleForWriting.close()
    }

    deinit {
        process.kill()
    }

    /// Calls a method and waits; nil when no answer came in time.
    public func call(_ method: String, _ arguments: String) throws -> PythonBusClient.Answer? {
        try call([Call(method, arguments)])[0]
    }

    /// Calls all at the same time, and waits for all.
    public func call(_ calls: [Call]) throws -> [PythonBusClient.Answer?] {
        try send(calls)
        return try receive()
    }

    /// Begins calls whose answers `receive` waits for.
    public func send(_ calls: [Call]) throws {
        let line = "[" + calls.map(\.json).joined(separator: ", ") + "]\n"
        try input.fileHandleForWriting.write(contentsOf: Data(line.utf8))
    }

    /// The answers to what was sent first of all that is not received yet.
    public func receive() throws -> [PythonBusClient.Answer?] {
        var line: [UInt8] = []
        while true {
            guard let byte = try output.fileHandleForReading.read(upToCount: 1)?.first else {
                throw ServerProcess.Failure(description: "the client in Python has ended")
            }
            if byte == UInt8(ascii: "\n") { break }
            line.append(byte)
        }
        guard let answers = try JSONSerialization.jsonObject(with: Data(line)) as? [Any] else { return [] }
        return try answers.map { try ($0 as? [String: Any]).map { try PythonBusClient.Answer(json: $0) } }
    }
}
