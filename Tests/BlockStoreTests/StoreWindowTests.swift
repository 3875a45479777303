import Support
import Testing

@testable import BlockStore

@Suite("Window of a store")
struct StoreWindowTests {
    /// Takes all that there is room for, and answers it after `time`; how much it was.
    private func round(_ window: inout StoreWindow, slots: Int = 1, time: (Int) -> Duration) -> Int {
        var taken = 0
        while window.hasRoom(for: slots, isDemand: false, parallel: nil) {
            window.take(slots)
            taken += 1
        }
        for number in 0..<taken { window.give(slots, after: time(number), nil) }
        return taken
    }

    @Test("grows eightfold while answers come as soon as ever")
    func fast() {
        var window = StoreWindow(largest: 4096)
        #expect(round(&window) { _ in .milliseconds(300) } == 512)
        #expect(round(&window) { _ in .milliseconds(300) } == 4096)
        #expect(round(&window) { _ in .milliseconds(300) } == 4096)
    }

    @Test("doubles while answers are within the second")
    func medium() {
        var window = StoreWindow(largest: 4096)
        #expect(round(&window) { .milliseconds($0 == 0 ? 100 : 900) } == 512)
        // Seven for the first, one for each of the others.
        #expect(round(&window) { _ in .milliseconds(900) } == 512 + 7 + 511)
    }

    @Test("hardly grows on a slow line, and shrinks when answers pile up")
    func slow() {
        var window = StoreWindow(largest: 4096)
        // 24 blocks, one every 400 ms.
        #expect(round(&window, slots: 21) { .milliseconds(400 * ($0 + 1)) } == 24)
        #expect(round(&window, slots: 21) { .milliseconds(400 * ($0 + 1)) } < 40)
    }

    @Test("has room for one more demand when it is full, and for anything when it is empty")
    func demand() {
        var window = StoreWindow(largest: 64)
        for _ in 0..<8 { window.take(1) }
        #expect(!window.hasRoom(for: 1, isDemand: false, parallel: nil))
        #expect(window.hasRoom(for: 1, isDemand: true, parallel: nil))
        window.take(1)
        #expect(!window.hasRoom(for: 1, isDemand: true, parallel: nil))
        #expect(StoreWindow(largest: 64).hasRoom(for: 1000, isDemand: false, parallel: 1))
    }

    @Test("leaves an eighth of a store's connections to demand")
    func parallel() {
        var window = StoreWindow(largest: 4096)
        for _ in 0..<28 { window.take(1) }
        #expect(!window.hasRoom(for: 1, isDemand: false, parallel: 32))
        #expect(window.hasRoom(for: 1, isDemand: true, parallel: 32))
        for _ in 0..<12 { window.take(1) }
        #expect(!window.hasRoom(for: 1, isDemand: true, parallel: 32))
    }
}
