import FlistImage
import Support

/// Tar files that `pack` takes.
enum TarTarget {
    static func run(_ bytes: UnsafeRawBufferPointer) {
        let path = ScratchFile.write(bytes)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { buffer.deallocate() }
        guard let reader = try? TarReader(path) else { return }
        // Members that are large only by their word are read no further than this.
        var left = 16 << 20
        while left > 0, let member = try? reader.next() {
            require(!member.path.contains(0), "no NUL in a path")
            while left > 0, let count = try? reader.read(into: buffer), count > 0 { left -= count }
            left -= 512
        }
    }
}
