extension XXTEA {
    /// One word of each of four blocks.
    typealias Lanes = SIMD4<Word>

    /// Blocks of at least this many words all take 6 rounds, and so can be decrypted side by side.
    static let fewestLaneWords = 53

    @inline(__always)
    private static func mix(_ y: Lanes, _ z: Lanes, _ sum: Lanes, _ key: Lanes) -> Lanes {
        (((z &>> 5) ^ (y &<< 2)) &+ ((y &>> 3) ^ (z &<< 4))) ^ ((sum ^ y) &+ (key ^ z))
    }

    /// Decrypts four blocks side by side in place: word `p` of block `i` is `words[p][i]`.
    ///
    /// One block is a chain in which every word waits for the one before it; four chains take about as long as one.
    /// `counts` must fall from lane to lane and be at least `fewestLaneWords`; a lane without a block may have 2. What
    /// is behind a block's words in its lane is overwritten.
    /// - Parameter keys: element `j` holds word `j` of each lane's key.
    static func decrypt(
        _ words: UnsafeMutablePointer<Lanes>, _ counts: SIMD4<Int>, _ keys: (Lanes, Lanes, Lanes, Lanes)
    ) {
        var sum = rounds(fewestLaneWords) &* delta
        while sum != 0 {
            let ordered = order(sum, keys.0, keys.1, keys.2, keys.3)
            let sums = Lanes(repeating: sum)
            var y = words[0]
            for lane in 0..<4 {
                // The longer lanes are under way; this one begins here, and what it had until now was of no block.
                y[lane] = words[0][lane]
                let end = lane < 3 ? counts[lane + 1] - 1 : 0
                y = run(words, y, sums, ordered, from: counts[lane] - 1, to: end)
            }
            var z = Lanes()
            for lane in 0..<4 { z[lane] = words[counts[lane] - 1][lane] }
            words[0] = words[0] &- mix(y, z, sums, ordered.0)
            sum &-= delta
        }
    }

    /// Runs a round over the words from `first` down to the one behind `end`, and answers the last one's new value.
    @inline(__always)
    private static func run(
        _ words: UnsafeMutablePointer<Lanes>, _ y: Lanes, _ sum: Lanes, _ keys: (Lanes, Lanes, Lanes, Lanes),
        from first: Int, to end: Int
    ) -> Lanes {
        var y = y
        @inline(__always)
        func step(_ p: Int, _ key: Lanes) {
            y = words[p] &- mix(y, words[p - 1], sum, key)
            words[p] = y
        }
        var p = first
        if p & 3 == 2, p > end { step(p, keys.2); p -= 1 }
        if p & 3 == 1, p > end { step(p, keys.1); p -= 1 }
        if p & 3 == 0, p > end { step(p, keys.0); p -= 1 }
        while p - 3 > end {
            step(p, keys.3)
            step(p - 1, keys.2)
            step(p - 2, keys.1)
            step(p - 3, keys.0)
            p -= 4
        }
        if p & 3 == 3, p > end { step(p, keys.3); p -= 1 }
        if p & 3 == 2, p > end { step(p, keys.2); p -= 1 }
        if p & 3 == 1, p > end { step(p, keys.1) }
        return y
    }
}
