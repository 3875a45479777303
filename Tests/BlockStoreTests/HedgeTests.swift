import BlockCodec
import Support
import TestSupport
import Testing

@testable import BlockStore

@Suite("Asking a second store", .timeLimit(.minutes(5)))
struct HedgeTests {
    @Test("a demand whose store is late is asked of the next, and the first answer counts")
    func late() throws {
        let fixture = try FetchFixture(stores: 2)
        let blocks = try TestBlock.many(2)
        // Readahead can wait: it was there first, and would be asked again first.
        let ahead = fixture.fetch(blocks[0], .readahead)
        fixture.fetch(blocks[1], .demand)
        let second = try fixture.request(0, of: 1)
        #expect(second.id == blocks[1].reference.id)
        #expect(fixture.stores[1].requests.all.count == 1)
        second.succeed(blocks[1].stored)
        #expect(fixture.results.wait(for: 1) == [.success(blocks[1].reference.key)])
        let first = try fixture.request(1)
        #expect(first.id == blocks[1].reference.id && first.isFinished)
        ahead.lift(to: .demand)
        try fixture.request(1, of: 1).succeed(blocks[0].stored)
        #expect(fixture.results.wait(for: 2).last == .success(blocks[0].reference.key))
        fixture.fetcher.shutdown()
        let statistics = fixture.fetcher.statistics
        #expect(statistics.hedges == 2 && statistics.hedgesWon == 2 && statistics.retries == 0)
        #expect(statistics.inFlight == 0 && statistics.inFlightBytes == 0)
    }

    @Test("the first store may still win, or both fail")
    func others() throws {
        let fixture = try FetchFixture(stores: 3)
        let blocks = try TestBlock.many(2)
        fixture.fetch(blocks[0])
        let loser = try fixture.request(0, of: 1)
        try fixture.request(0).succeed(blocks[0].stored)
        #expect(fixture.results.wait(for: 1) == [.success(blocks[0].reference.key)])
        #expect(loser.isFinished)
        fixture.fetch(blocks[1])
        let second = try fixture.request(1, of: 1)
        try fixture.request(1).complete(.failure(.missing))
        second.complete(.failure(.missing))
        try fixture.request(0, of: 2).succeed(blocks[1].stored)
        #expect(fixture.results.wait(for: 2).last == .success(blocks[1].reference.key))
        fixture.fetcher.shutdown()
        let statistics = fixture.fetcher.statistics
        #expect(statistics.hedges == 2 && statistics.hedgesWon == 0 && statistics.retries == 1)
        #expect(statistics.inFlightBytes == 0)
    }

    @Test("a wrong answer of the second store leads back to the first")
    func wrong() throws {
        let fixture = try FetchFixture(stores: 2)
        let block = try TestBlock(1)
        fixture.fetch(block)
        try fixture.request(0, of: 1).succeed([1, 2, 3])
        try fixture.request(1).succeed(block.stored)
        #expect(fixture.results.wait(for: 1) == [.success(block.reference.key)])
        #expect(fixture.statistics(1).failures == [.corrupt: 1])
    }

    @Test("a store that loses four races in a row is left alone, one store is never asked twice")
    func hanging() throws {
        let fixture = try FetchFixture(stores: 2)
        let blocks = try TestBlock.many(5)
        for block in blocks[..<4] { fixture.fetch(block) }
        for number in 0..<4 { try fixture.request(number, of: 1).complete(.failure(.missing)) }
        #expect(fixture.statistics(0).isHealthy)
        for (number, block) in blocks[..<4].enumerated() { try fixture.request(number).succeed(block.stored) }
        #expect(fixture.results.wait(for: 4).count == 4)
        #expect(fixture.fetcher.statistics.hedges == 4)
        let other = try FetchFixture(stores: 2)
        for block in blocks[..<4] { other.fetch(block) }
        for number in 0..<4 {
            let request = try other.request(number, of: 1)
            let block = try #require(blocks.first { $0.reference.id == request.id })
            request.succeed(block.stored)
        }
        #expect(other.results.wait(for: 4).count == 4)
        #expect(!other.statistics(0).isHealthy)
        // The next is asked of the healthy one first.
        other.fetch(blocks[4])
        try other.request(4, of: 1).succeed(blocks[4].stored)
        #expect(other.results.wait(for: 5).count == 5)
        #expect(other.stores[0].requests.all.count == 4)
    }

    @Test("eight at once and four of a hundred")
    func allowance() {
        var allowance = HedgeAllowance()
        #expect((0..<20).filter { _ in allowance.spend() }.count == 8)
        for _ in 0..<1010 { allowance.earn() }
        #expect((0..<20).filter { _ in allowance.spend() }.count == 8)
        for _ in 0..<60 { allowance.earn() }
        #expect((0..<20).filter { _ in allowance.spend() }.count == 2)
    }

    @Test("late is later than 95 of the last answers, and never below 50 ms")
    func percentile() {
        var record = LatencyRecord()
        for number in 1...15 { record.note(.milliseconds(number)) }
        #expect(record.late == LatencyRecord.unknown)
        record.note(.milliseconds(16))
        #expect(record.late == .milliseconds(50))
        for number in 1...64 { record.note(.milliseconds(number * 10)) }
        #expect(record.late == .milliseconds(610))
    }
}
