extension Hub {
    /// Bounds of downloads.
    public struct Options: Sendable {
        /// Bytes of a flist; 4 GiB of metadata hold some 50 million entries.
        public var limit: UInt64 = 4 << 30
        /// Attempts in a row that bring nothing, before a hub counts as away. One that brought bytes starts the count
        /// anew: `deadline` bounds them.
        public var attempts = 5
        /// For a whole fetch, with all its attempts and the pauses between them.
        public var deadline: Duration = .seconds(600)
        /// For a whole question for a hash.
        public var hashDeadline: Duration = .seconds(30)
        /// For name lookup, TCP and TLS together.
        public var connectTimeout: Duration = .seconds(10)
        /// Under 64 bytes per second for this long, a transfer is given up. Whole seconds.
        public var stallTimeout: Duration = .seconds(30)
        /// How long a hub has to say whether the flist that is already here is still the one. A hub that did answer, but
        /// then does not send the new one, is waited for as long as `stallTimeout`, once.
        public var cachedWait: Duration = .seconds(3)
        /// Attempts while there is a flist of an earlier fetch to fall back on.
        public var cachedAttempts = 2
        /// Before the second attempt; doubled for each further one, with chance, or as long as the hub asks for.
        public var firstPause: Duration = .milliseconds(250)
        public var longestPause: Duration = .seconds(10)
        /// Between two lines of the log on the progress of a long download.
        public var progressInterval: Duration = .seconds(10)

        public init() {}
    }
}
