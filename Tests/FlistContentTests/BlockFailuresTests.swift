import BlockStore
import Support
import Testing

@testable import FlistContent

@Suite("Memory of failed blocks")
struct BlockFailuresTests {
    private let failures = BlockFailures()
    private let error = FetchError.failed(.zero, [])

    private func key(_ block: Int) -> MemoryBlocks.Key { .init(content: .zero, block: block) }
    private func at(_ milliseconds: Int) -> Deadline { Deadline(nanoseconds: UInt64(milliseconds) * 1_000_000) }

    @Test("one block is told of once a minute")
    func once() {
        #expect(failures.note(key(1), error, after: .zero, now: at(0)) == 0)
        #expect(failures.note(key(1), error, after: .zero, now: at(59_999)) == nil)
        #expect(failures.note(key(2), error, after: .zero, now: at(59_999)) == 0)
        #expect(failures.note(key(1), error, after: .zero, now: at(60_000)) == 0)
    }

    @Test("twenty blocks are told of in a minute, then how many were not")
    func many() {
        for block in 0..<2000 {
            #expect(failures.note(key(block), error, after: .zero, now: at(0)) == (block < 20 ? 0 : nil))
        }
        #expect(failures.note(key(3000), error, after: .zero, now: at(60_000)) == 1980)
        #expect(failures.note(key(3001), error, after: .zero, now: at(60_000)) == 0)
    }

    @Test("only what took long to fail is not asked for again at once")
    func recent() {
        #expect(failures.recent(key(1), now: at(0)) == nil)
        _ = failures.note(key(1), error, after: .milliseconds(900), now: at(0))
        #expect(failures.recent(key(1), now: at(0)) == nil)
        _ = failures.note(key(1), error, after: .seconds(2), now: at(10))
        #expect(failures.recent(key(1), now: at(200)) == error)
        #expect(failures.recent(key(2), now: at(200)) == nil)
        #expect(failures.recent(key(1), now: at(260)) == nil)
    }
}
