internal import Foundation

/// A server program of the machine, listening on a free port of 127.0.0.1, in a temporary folder of its own.
///
/// Ends with its object, folder and all.
final class ServerProcess: Sendable {
    private let process: ChildProcess
    let folder: String
    let port: UInt16

    /// Why a server did not come up.
    struct Failure: Error, CustomStringConvertible { let description: String }

    /// A new folder that a server may fill.
    static func makeFolder(_ name: String) throws -> String {
        let path = "\(NSTemporaryDirectory())flist-test-\(name)-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// Starts the program and waits until it accepts connections; its output goes to `<folder>/log`.
    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], folder: String, port: UInt16
    ) throws {
        self.folder = folder
        self.port = port
        let log = "\(folder)/log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let output = FileHandle(forWritingAtPath: log)
        process = try ChildProcess(
            [program] + arguments, environment: environment, output: output?.fileDescriptor,
            errors: output?.fileDescriptor)
        let end = Date(timeIntervalSinceNow: 30)
        while !LoopbackPort.isOpen(port) {
            guard process.isRunning, Date() < end else {
                let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
                throw Failure(description: "\(program) did not start: \(text.suffix(500))")
            }
            usleep(10_000)
        }
    }

    /// Ends it; nobody listens on its port any more when this returns.
    func stop() { process.kill() }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
