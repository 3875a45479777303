/// Where a Redis server listens.
public enum RedisEndpoint: Sendable, Hashable {
    /// The path of a unix socket.
    case socket(path: String)
    /// A host's name or number (IPv6 without brackets) and a port.
    case host(String, port: UInt16)
}
