extension CapnpMessage {
    /// Where a pointer leads: the word that describes the object, and where the object starts.
    struct Target {
        let tag: UInt64
        let segment: Int
        /// May lie outside the segment until the object's length has been checked.
        let start: Int

        var kind: UInt64 { tag & 3 }
    }

    /// Follows the pointer at a word, through one or two far pointers. Nil for a null pointer.
    func target(segment: Int, word: Int) throws(FormatError) -> Target? {
        let pointer = try self.word(segment: segment, at: word)
        guard pointer != 0 else { return nil }
        guard pointer & 3 == 2 else {
            return Target(tag: pointer, segment: segment, start: word + 1 + Self.offset(pointer))
        }
        try spend(1)
        let (padSegment, padWord) = Self.far(pointer)
        let pad = try self.word(segment: padSegment, at: padWord)
        if pointer & 4 == 0 {
            guard pad & 3 != 2 else { throw .malformed("a far pointer leads to a far pointer") }
            // A null landing pad is a null pointer.
            guard pad != 0 else { return nil }
            return Target(tag: pad, segment: padSegment, start: padWord + 1 + Self.offset(pad))
        }
        // A double-far pointer: the pad says where the object is, the word after it what the object is.
        guard pad & 7 == 2 else { throw .malformed("a double-far pointer leads to something else than a far pointer") }
        let tag = try self.word(segment: padSegment, at: padWord + 1)
        guard tag & 3 < 2, Self.offset(tag) == 0 else {
            throw .malformed("the tag of a double-far pointer is not a struct's or list's")
        }
        let (contentSegment, contentWord) = Self.far(pad)
        guard contentSegment < segments.count else { throw .malformed("a pointer leaves its segment") }
        return Target(tag: tag, segment: contentSegment, start: contentWord)
    }

    /// Reads the struct that a pointer leads to; an empty one when the pointer is null.
    func readStruct(segment: Int, word: Int, depth: Int) throws(FormatError) -> CapnpStruct {
        guard depth < Self.maximumDepth else { throw .malformed("nested deeper than \(Self.maximumDepth)") }
        guard let target = try target(segment: segment, word: word) else {
            return CapnpStruct(message: self, segment: 0, start: 0, dataWords: 0, pointers: 0, depth: depth)
        }
        guard target.kind == 0 else { throw .malformed("a list stands where a struct belongs") }
        let dataWords = Int(target.tag >> 32 & 0xffff)
        let pointers = Int(target.tag >> 48)
        try check(target, words: dataWords + pointers)
        // An empty struct still costs something to visit.
        try spend(max(1, dataWords + pointers))
        return CapnpStruct(
            message: self, segment: target.segment, start: target.start, dataWords: dataWords, pointers: pointers,
            depth: depth)
    }

    /// Reads the list of structs that a pointer leads to; an empty one when the pointer is null.
    func readStructs(segment: Int, word: Int, depth: Int) throws(FormatError) -> CapnpStructList {
        guard depth < Self.maximumDepth else { throw .malformed("nested deeper than \(Self.maximumDepth)") }
        guard let target = try target(segment: segment, word: word) else {
            return CapnpStructList(
                message: self, segment: 0, start: 0, count: 0, dataWords: 0, pointers: 0, depth: depth)
        }
        guard target.kind == 1, target.tag >> 32 & 7 == 7 else {
            throw .malformed("something else stands where a list of structs belongs")
        }
        let words = Int(target.tag >> 35)
        try check(target, words: words + 1)
        let tag = try self.word(segment: target.segment, at: target.start)
        guard tag & 3 == 0 else { throw .malformed("the tag of a list of structs is not a struct's") }
        // The offset field of the tag holds the number of elements.
        let count = Int(UInt32(truncatingIfNeeded: tag) >> 2)
        let dataWords = Int(tag >> 32 & 0xffff)
        let pointers = Int(tag >> 48)
        // At most 2^30 elements of 2^17 words: no overflow.
        guard count * (dataWords + pointers) <= words else {
            throw .malformed("a list of \(count) structs is longer than it says")
        }
        try spend(1 + max(count, words))
        return CapnpStructList(
            message: self, segment: target.segment, start: target.start + 1, count: count, dataWords: dataWords,
            pointers: pointers, depth: depth)
    }

    /// The bytes of the list of bytes that a pointer leads to, as a range of the message; empty when it is null.
    func readBytes(segment: Int, word: Int) throws(FormatError) -> Range<Int> {
        guard let target = try target(segment: segment, word: word) else { return 0..<0 }
        guard target.kind == 1, target.tag >> 32 & 7 == 2 else {
            throw .malformed("something else stands where bytes belong")
        }
        let count = Int(target.tag >> 35)
        let words = (count + 7) / 8
        try check(target, words: words)
        try spend(max(1, words))
        let start = segments[target.segment].start + target.start * 8
        return start..<start + count
    }

    /// Checks that an object of `words` words lies inside its segment.
    private func check(_ target: Target, words: Int) throws(FormatError) {
        guard target.segment >= 0, target.segment < segments.count, target.start >= 0,
            target.start <= segments[target.segment].words, words <= segments[target.segment].words - target.start
        else { throw .malformed("a pointer leaves its segment") }
    }

    /// The signed offset of a struct's or list's pointer, in words from the pointer's end.
    private static func offset(_ pointer: UInt64) -> Int {
        Int(Int32(truncatingIfNeeded: pointer) >> 2)
    }

    private static func far(_ pointer: UInt64) -> (segment: Int, word: Int) {
        (Int(pointer >> 32), Int(UInt32(truncatingIfNeeded: pointer) >> 3))
    }
}
