internal import CXXHash

/// Checksums against accidents, not against forgery: XXH3-64.
enum XXH3 {
    static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        XXH3_64bits_withSeed(bytes.baseAddress, bytes.count, seed)
    }

    /// A checksum over bytes that come in pieces.
    struct Stream: ~Copyable {
        // The state wants 64-byte alignment: the library allocates it. Nil only when memory is out.
        private let state: OpaquePointer?

        init() {
            state = XXH3_createState()
            reset()
        }

        deinit { XXH3_freeState(state) }

        mutating func reset() {
            if let state { XXH3_64bits_reset(state) }
        }

        mutating func update(_ bytes: UnsafeRawBufferPointer) {
            if let state { XXH3_64bits_update(state, bytes.baseAddress, bytes.count) }
        }

        func digest() -> UInt64 { state.map { XXH3_64bits_digest($0) } ?? 0 }
    }
}
