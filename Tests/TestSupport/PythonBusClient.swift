internal import Foundation

/// A client of the bus that shares nothing with ours: Python with the packages redis and msgpack.
public enum PythonBusClient {
    /// What came back; `data` is JSON, `null` for nothing.
    public struct Answer: Equatable, Sendable {
        public let data: String
        public let error: String?
        public let protocolError: String?

        public init(data: String, error: String? = nil, protocolError: String? = nil) {
            self.data = data
            self.error = error
            self.protocolError = protocolError
        }

        /// Of what the script prints.
        init(json: [String: Any]) throws {
            let data = try JSONSerialization.data(
                withJSONObject: json["data"] ?? NSNull(),
                options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
            self.init(
                data: String(decoding: data, as: UTF8.self), error: json["error"] as? String,
                protocolError: json["protocol_error"] as? String)
        }
    }

    /// The script, see its first lines for the use from a command line.
    public static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/zbus/zbus_client.py").path

    /// The Python that `FLIST_TEST_PYTHON` names, or `python3`.
    public static let python = ProcessInfo.processInfo.environment["FLIST_TEST_PYTHON"] ?? "python3"

    /// True when that Python has the packages.
    public static let isInstalled: Bool = {
        guard let status = try? run(["-c", "import redis, msgpack"]).status else { return false }
        return status == 0
    }()

    /// Calls a method and waits; nil when no answer came in time.
    ///
    /// - Parameters:
    ///   - broker: a port of 127.0.0.1, or the path of a unix socket.
    ///   - arguments: a JSON array.
    public static func call(
        _ broker: String, _ module: String, _ object: String, _ version: String, _ method: String, _ arguments: String,
        timeout: Int = 20
    ) throws -> Answer? {
        let outcome = try run(
            [script, broker, module, object, version, method, arguments, "--timeout", "\(timeout)"])
        if outcome.status == 3 { return nil }
        guard outcome.status == 0,
            let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        else {
            throw ServerProcess.Failure(description: "\(script) ended with \(outcome.status): \(outcome.errors)")
        }
        return try Answer(json: json)
    }

    private static func run(_ arguments: [String]) throws -> ChildProcess.Outcome {
        try ChildProcess.run([python] + arguments)
    }
}
