/// A real server of one kind, for blocks of up to 512 KiB; proxies stand before it. Ends with its object.
///
/// The S3 kind is a web server: what is signed is not looked at.
public final class FaultyServer: Sendable {
    public let kind: StoreKind
    private let redis: RedisServer?
    private let nginx: NginxServer?

    /// - Parameter tls: speaks https, with a certificate that nobody trusts.
    public init(_ kind: StoreKind, tls: Bool = false) throws {
        self.kind = kind
        redis = kind == .redis ? try RedisServer() : nil
        nginx = kind == .redis ? nil : try NginxServer(tls: tls)
    }

    public var port: UInt16 { redis?.port ?? nginx?.port ?? 0 }

    /// Puts a block there. `id` is its name, of which HTTP stores use the digits.
    public func put(_ id: [UInt8], _ digits: String, _ stored: [UInt8]) throws {
        try redis?.set(id, stored)
        try nginx?.write(stored, to: kind == .s3 ? "blocks/\(digits)" : "\(digits.prefix(2))/\(digits)")
    }

    /// The address of a store that is reached at a port, or for a fault of the address that address.
    public func address(_ port: UInt16, _ fault: StoreFault? = nil) -> String {
        let tls = fault == .noTLS || fault == .untrusted ? "s" : ""
        let host = fault == .unknownHost ? "no-such-host.invalid" : fault == .untrusted ? "localhost" : "127.0.0.1"
        return switch kind {
        case .redis: "redis://\(host):\(port)"
        case .http: "http\(tls)://\(host):\(port)"
        case .s3: "s3\(tls)://key:secret@\(host):\(port)/blocks"
        }
    }
}
