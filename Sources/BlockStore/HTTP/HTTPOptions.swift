/// Bounds of the process's HTTP client.
struct HTTPOptions: Sendable {
    /// Connections to one host and port; further requests wait, or share one where the server speaks HTTP/2.
    ///
    /// Without HTTP/2 one connection carries one block per round trip: 32 of them carry 53 MB/s of 512 KiB blocks
    /// over 300 ms. More would be held by few servers as abuse.
    var connectionsPerHost = 32
    /// Requests of one store handed to libcurl at a time; the rest wait in a queue that costs nothing.
    var transfersPerStore = 128
    /// Streams on one HTTP/2 connection, if the server allows as many. RFC 9113 §6.5.2 advises servers of at least 100.
    var streamsPerConnection = 128
    /// For name lookup, TCP and TLS together.
    var connectTimeout: Duration = .seconds(5)
    /// A transfer under `lowSpeedLimit` bytes per second for this long is given up.
    var lowSpeedTime: Duration = .seconds(10)
    var lowSpeedLimit = 64
    var maximumRedirects = 5
    /// What one reading from a socket may take. 128 KiB against curl's 16 KiB: see docs/performance.md.
    var receiveBuffer = 128 << 10
    /// Idle handles kept for use again.
    var idleHandles = 64
}
