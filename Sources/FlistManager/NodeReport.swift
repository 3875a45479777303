/// What a node serves and what it waits for, at one moment. Written and read as JSON, with these names.
///
/// Counts start with the process. Bytes are bytes, times seconds.
public struct NodeReport: Codable, Sendable {
    public struct Mount: Codable, Sendable {
        public var name: String
        public var path: String
        /// Of the flist; nil if it cannot be told.
        public var md5: String?
        public var isReadOnly: Bool
        /// Bytes of what was written, and the most that may be; nil where there is no volume of the mount's own.
        public var used: UInt64?
        public var limit: UInt64?
    }

    public struct Flist: Codable, Sendable {
        public var md5: String
        /// Where it came from, without secrets; empty when it was there before the process.
        public var url: String
        public var format: String
        public var entries: Int
        /// Of all its files.
        public var bytes: UInt64
        /// Named mounts that show it.
        public var mounts: Int
        /// False: unmounted, but still in use somewhere.
        public var isMounted: Bool
        /// How files are opened: `none` (nobody is asked), `message` or `passthrough`.
        public var opens: String
        public var stores: [String]
        public var reads: Reads
    }

    public struct Reads: Codable, Sendable {
        /// Answered from the cache at once.
        public var local: UInt64
        /// That had to wait for a block.
        public var waited: UInt64
        public var failed: UInt64
        public var bytes: UInt64
        /// Blocks that stores were asked for, by why: `demand`, `readahead`, `prefetch`.
        public var blocks: [String: UInt64]
    }

    public struct Store: Codable, Sendable {
        /// Without secrets.
        public var address: String
        public var isHealthy: Bool
        public var blocks: UInt64
        public var bytes: UInt64
        public var inFlight: Int
        /// Moving average of the time for one block.
        public var latency: Double
        /// Failed reads by kind.
        public var failures: [String: UInt64]
    }

    public struct Fetching: Codable, Sendable {
        public var inFlight: Int
        public var inFlightBytes: Int
        /// Blocks waiting, by class: `demand`, `readahead`, `prefetch`.
        public var queued: [String: Int]
        public var blocks: UInt64
        public var storedBytes: UInt64
        public var plainBytes: UInt64
        public var retries: UInt64
        /// Blocks asked of a second store since the first was late, and how many of those it gave.
        public var hedges: UInt64
        public var hedgesWon: UInt64
        public var failures: UInt64
    }

    public struct Cache: Codable, Sendable {
        public var path: String
        public var bytes: UInt64
        public var quota: UInt64?
        public var complete: Int
        public var partial: Int
        public var evictions: Int
        /// Blocks that could not be stored.
        public var failures: Int
        /// Read again in the background; nil from a flistd that does not tell, as `damaged`.
        public var scrubbedBytes: UInt64?
        /// Contents that were found damaged, and are fetched again.
        public var damaged: Int?
    }

    public struct Worker: Codable, Sendable {
        public var isBusy: Bool
        /// The call, such as `[flist@0.0.1].Mount()`; empty when it is free.
        public var action: String
        /// Since when it has been so.
        public var seconds: Double
    }

    public struct Bus: Codable, Sendable {
        public var broker: String
        public var isConnected: Bool
        public var workers: [Worker]
    }

    public var version: String
    public var root: String
    public var pid: Int32
    /// Since the start of the process.
    public var seconds: Double
    public var mounts: [Mount]
    public var flists: [Flist]
    public var reads: Reads
    public var stores: [Store]
    public var fetching: Fetching
    public var cache: Cache?
    /// Nil while the service is not on a bus.
    public var bus: Bus?
}
