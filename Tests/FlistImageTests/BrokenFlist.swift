import FlistImage
import Support
import TestSupport
import Testing

/// What came of opening a file that may be broken.
enum Outcome: Equatable {
    case refused(String)
    case tree

    /// Opens a file and walks it. Answers faults of the refusal itself, which there should be none of.
    static func of(_ path: String, indexFolder: String? = nil) -> (outcome: Outcome, faults: [String]) {
        do {
            let index = try FlistReader.open(path, indexFolder: indexFolder)
            let entries = ManifestEntry.tree(of: index).count
            return (.tree, entries == index.summary.entries ? [] : ["\(path): \(entries) entries can be reached"])
        } catch {
            var faults: [String] = []
            let text = error.description
            if text.contains("\n") { faults.append("\(path): more than one line: \(text)") }
            if !text.contains(path) { faults.append("\(path): is not named: \(text)") }
            if text.count > 600 { faults.append("\(path): \(text.count) characters: \(text)") }
            if text.unicodeScalars.contains(where: { $0.value < 32 }) { faults.append("\(path): control characters") }
            let known: [FlistError.Code] = [.invalid, .unsupported, .io, .corrupt]
            if !known.contains(error.code) { faults.append("\(path): of kind \(error.code): \(text)") }
            return (.refused(error.description), faults)
        }
    }
}

enum Damage {
    /// Truncations, single bytes changed, runs of zeros and of noise, at seeded places.
    static func variants(of sound: [UInt8], seed: UInt64, count: Int) -> [(name: String, bytes: [UInt8])] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { number in
            var bytes = sound
            let place = Int.random(in: 0..<sound.count, using: &generator)
            switch number % 5 {
            case 0:
                bytes = Array(bytes[..<place])
                return ("cut at \(place)", bytes)
            case 1:
                bytes[place] ^= UInt8.random(in: 1...255, using: &generator)
                return ("flip at \(place)", bytes)
            case 2:
                // The first pages hold what everything else hangs on.
                let early = place % min(4096, sound.count)
                bytes[early] = UInt8.random(in: 0...255, using: &generator)
                return ("byte at \(early)", bytes)
            case 3:
                for index in place..<min(place + 64, bytes.count) { bytes[index] = 0 }
                return ("zeros at \(place)", bytes)
            default:
                for index in place..<min(place + 16, bytes.count) {
                    bytes[index] = UInt8.random(in: 0...255, using: &generator)
                }
                return ("noise at \(place)", bytes)
            }
        }
    }
}
