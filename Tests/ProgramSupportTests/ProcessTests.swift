import Glibc
import ProgramSupport
import TestSupport
import Testing

@Suite("Process")
struct ProcessTests {
    /// malloc(3) marks a chunk that is a mapping of its own with the second bit of the word before it (glibc, malloc.c).
    private func isMapping(_ memory: UnsafeMutableRawPointer) -> Bool {
        (memory - MemoryLayout<Int>.size).load(as: Int.self) & 2 != 0
    }

    @Test(
        "memory of large buffers goes back to the system, whatever was freed before",
        .disabled(if: Sanitizer.isThread || Sanitizer.isAddress, "they bring a malloc of their own"))
    func largeBuffers() throws {
        Process.prepare()
        // Larger than what the arenas have free: they are asked first.
        for size in [8 << 20, 4 << 20] {
            let memory = try #require(malloc(size))
            #expect(isMapping(memory), "\(size) bytes")
            free(memory)
        }
        let small = try #require(malloc(64 << 10))
        #expect(!isMapping(small))
        free(small)
    }
}
