import Foundation
import Support
import TestSupport

/// A hub with one flist, `slow.fl`, that it begins to send at once and completes when the test lets it.
final class SlowHub: Sendable {
    private let server: RawHTTPServer
    private let gate = Gate()

    init(_ flist: String) throws {
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: flist)))
        let gate = gate
        server = try RawHTTPServer { request in
            guard request.path == "/slow.fl" else { return [.answer(404)] }
            gate.pass()
            return [.answer(200, body: bytes)]
        }
    }

    deinit {
        gate.open()
        server.close()
    }

    var url: String { "\(server.url)/slow.fl" }

    /// Waits until somebody downloads.
    var isAsked: Bool { gate.waitUntil(1) }

    func goOn() { gate.open() }
}
