/// Bounds of the process's HTTP client.
struct HTTPOptions: Sendable {
    /// Connections to one host and port where the server does not speak HTTP/2: as many transfers at a time, too.
    ///
    /// One connection carries one block per round trip: 32 of them carry 1,600 blocks/s over 20 ms.
    var connectionsPerHost = 32
    /// Transfers to one host that speaks HTTP/2, on one connection. RFC 9113 §6.5.2 advises servers to allow at least
    /// 100 streams.
    var transfersPerHost = 128
    /// Both grow in proportion to the round trip beyond this, up to `farFactor` times as many: 128 connections carry
    /// 223 MB/s of 512 KiB blocks over 300 ms, 32 would carry 53.
    var nearRoundTrip: Duration = .milliseconds(25)
    var farFactor = 4
    /// Transfers to a host over TLS before its first answer told the version: each may open a connection.
    var transfersToUnknown = 8
    /// For name lookup, TCP and TLS together.
    var connectTimeout: Duration = .seconds(5)
    /// A transfer under `lowSpeedLimit` bytes per second for this long is given up.
    var lowSpeedTime: Duration = .seconds(10)
    var lowSpeedLimit = 64
    var maximumRedirects = 5
    /// What one reading from a socket may take. 512 KiB blocks from nginx over loopback, four in flight, best of two on
    /// two noisy cores, CPU of this process per block: 16 KiB (curl's own) 276 µs, 64 KiB 230 µs, 128 KiB 162 µs,
    /// 256 KiB 206 µs, 512 KiB 192 µs.
    var receiveBuffer = 128 << 10
    /// A file of certificates to trust instead of the system's.
    var certificateAuthorities: String?
    /// Idle handles kept for use again.
    var idleHandles = 64
}
