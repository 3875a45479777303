import Foundation
import Glibc
import Synchronization
import Testing

@testable import BlockCache

@Suite("Cache on a disk that loses what it took")
struct LosingDiskTests {
    let folder = TemporaryFolder()

    @Test("gives up storing a content, and leaves few descriptors open", arguments: [100, 9000])
    func givesUp(size: Int) throws {
        let cache = try folder.open()
        let content = TestContent(seed: 1, size: size)
        let object = cache.object(content)
        var stored = 0
        for _ in 0..<100 where object.storeAll(content) {
            stored += 1
            let files = try FileManager.default.subpathsOfDirectory(atPath: folder.cache)
            for file in files where file.hasPrefix("fresh/") || file.hasPrefix("objects/") {
                chmod("\(folder.cache)/\(file)", 0o600)
                truncate("\(folder.cache)/\(file)", 0)
            }
            #expect(throws: (any Error).self) { try object.bytes(0..<size) }
        }
        #expect(stored >= 4 && stored <= 16)
        #expect(object.slow.withLock { $0.retired.count } <= 17)
        let other = TestContent(seed: 2, size: size)
        #expect(cache.object(other).storeAll(other))
    }
}
