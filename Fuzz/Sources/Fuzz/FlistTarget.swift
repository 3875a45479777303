import FlistImage
import Support

/// Flists of every format, by the way that programs open them.
enum FlistTarget {
    /// Anything: an archive, a database, neither.
    static func archive(_ bytes: UnsafeRawBufferPointer) { open(ScratchFile.write(bytes)) }

    /// Always a database: without its first 16 bytes little is ever read.
    static func database(_ bytes: UnsafeRawBufferPointer) {
        var sound = [UInt8](bytes)
        let magic = Array("SQLite format 3\0".utf8)
        sound.replaceSubrange(0..<min(magic.count, sound.count), with: magic.prefix(sound.count))
        sound.withUnsafeBytes { open(ScratchFile.write($0)) }
    }

    private static func open(_ path: String) {
        do throws(FlistError) {
            let index = try FlistReader.open(path, indexFolder: nil)
            let reached = IndexTarget.countAll(index)
            require(reached == index.summary.entries, "\(reached) of \(index.summary.entries) entries can be reached")
        } catch {
            let text = error.description
            require(!text.unicodeScalars.contains { $0.value < 32 }, "one line of text: \(text)")
            require(text.contains(path), "the path in: \(text)")
        }
    }
}
