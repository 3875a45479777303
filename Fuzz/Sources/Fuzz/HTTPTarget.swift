import BlockCodec
import Glibc
import Support
import Synchronization

@testable import BlockStore

/// What a web server answers, through libcurl: a server in this process sends the input to whoever connects.
enum HTTPTarget {
    private static let server = HTTPServer()
    private static let store = HTTPStore(base: "http://127.0.0.1:\(server.port)/b")

    static func run(_ bytes: UnsafeRawBufferPointer) {
        // What the store makes of the error text of others needs no server.
        _ = HTTPResponse(status: Int(bytes.first ?? 0) + 300, body: nil, errorText: [UInt8](bytes)).error
        server.answer.withLock { $0 = [UInt8](bytes) }
        let done = Monitor(false)
        let request = StoreRequest(
            id: BLAKE2b.hash([], .bytes32), maximumLength: 4096, deadline: .after(.seconds(3)), patience: .seconds(2)
        ) { result in
            if case .success(let buffer) = result { require(buffer.count <= 4096, "no more than the limit") }
            done.withLock { $0 = true }
            done.broadcast()
        }
        store.get([request])
        done.wait { $0 ? () : nil }
    }
}

/// Sends the same bytes to everybody who asks, and hangs up.
final class HTTPServer: Sendable {
    let answer = Mutex<[UInt8]>([])
    let port: UInt16

    init() {
        signal(SIGPIPE, SIG_IGN)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let size = length
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isListening else {
            perror("cannot listen on the loopback")
            exit(2)
        }
        port = UInt16(bigEndian: address.sin_port)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Context(self, listener)).toOpaque()
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Context>.fromOpaque(context).takeRetainedValue().serve()
                return nil
            }, context)
        pthread_detach(thread)
    }

    private final class Context {
        private let server: HTTPServer
        private let listener: Int32

        init(_ server: HTTPServer, _ listener: Int32) {
            self.server = server
            self.listener = listener
        }

        func serve() {
            var request = [UInt8](repeating: 0, count: 4096)
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { continue }
                _ = recv(connection, &request, request.count, 0)
                let bytes = server.answer.withLock { $0 }
                _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                // A reset would take the answer away from who has not read it yet.
                shutdown(connection, Int32(SHUT_WR))
                while recv(connection, &request, request.count, 0) > 0 {}
                close(connection)
            }
        }
    }
}
