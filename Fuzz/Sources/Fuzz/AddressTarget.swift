import Support

@testable import BlockStore
@testable import FlistImage
@testable import ZBus

/// Addresses as flists, routing files and command lines hold them.
enum AddressTarget {
    static func run(_ bytes: UnsafeRawBufferPointer) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let url = try? StoreURL(parsing: text) {
            let again = try? StoreURL(parsing: url.withPassword)
            require(again == url, "\(url) is read as it was written")
        }
        _ = try? BrokerAddress(parsing: text)
        _ = try? RouteRange(parsing: text)
        _ = HTTPHead.parse(contentRange: text)
        if let backend = try? ImageBackend(json: text) {
            _ = try? StoreURL.zdb(
                host: backend.host, port: backend.port, namespace: backend.namespace, password: backend.password,
                token: backend.token, socket: backend.socket)
        }
    }
}
