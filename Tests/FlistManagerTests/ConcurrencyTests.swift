import Dispatch
import FlistManager
import Foundation
import Glibc
import Support
import Synchronization
import Testing

@Suite(
    "Calls at the same time", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"),
    .timeLimit(.minutes(5)))
struct ConcurrencyTests {
    /// Runs a body for each number, all at once on threads of their own; what they throw.
    private func atOnce(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws -> [String] {
        let errors = Shared<[String]>([])
        let threads = try (0..<count).map { number in
            try WorkerThread("caller") {
                do { try body(number) } catch { errors.value.withLock { $0.append("\(error)") } }
            }
        }
        for thread in threads { thread.join() }
        return errors.value.withLock { $0 }
    }

    @Test("fifty mounts of different names, and their ends")
    func different() throws {
        let node = try Node()
        #expect(
            try atOnce(50) { number in
                try node.mount("m\(number)", limit: number % 2 == 0 ? 1 << 24 : 0, readOnly: number % 2 == 1)
            } == [])
        #expect(try node.mounts.count == 51)
        for number in 0..<50 {
            #expect(
                FileManager.default.contents(atPath: "\(node.root)/mountpoint/m\(number)/name") == Data("one\n".utf8))
        }
        let errors = try atOnce(50) { try node.flister.unmount("m\($0)") }
        #expect(errors == [])
        #expect(try node.mounts == [])
        #expect(
            try node.shell("ls -A root/mountpoint root/ro root/volumes").output
                == "root/mountpoint:\n\nroot/ro:\n\nroot/volumes:\n")
    }

    @Test("fifty calls for one name, mounts and unmounts mixed, leave it whole or gone")
    func same() throws {
        let node = try Node()
        #expect(
            try atOnce(50) { number in
                if number % 3 == 2 { try node.flister.unmount("a") } else { try node.mount("a", limit: 1 << 24) }
            } == [])
        let path = try node.mount("a", limit: 1 << 24)
        #expect(try node.shell("diff -r trees/one \(path)").output == "")
        try node.flister.unmount("a")
        #expect(try node.mounts == [])
    }

    @Test("mounts and unmounts of many names over few flists do no harm to each other")
    func churn() throws {
        let node = try Node()
        for flist in ["two", "three"] {
            try node.makeTree(flist, "echo \(flist) > name")
            try node.publish(flist)
        }
        let flists = ["one", "two", "three"]
        #expect(
            try atOnce(12) { number in
                for round in 0..<6 {
                    let (name, flist) = ("n\(number)", flists[(number + round) % 3])
                    let path = try node.mount(
                        name, flist, limit: round % 2 == 0 ? 1 << 24 : 0, readOnly: round % 2 == 1)
                    guard FileManager.default.contents(atPath: "\(path)/name") == Data("\(flist)\n".utf8) else {
                        throw FlistError(.corrupt, "\(path) does not show \(flist)")
                    }
                    try node.flister.unmount(name)
                }
            } == [])
        #expect(try node.mounts == [])
    }

    @Test("a hundred named mounts of one flist share one session and one cache: each block is fetched once")
    func hundred() throws {
        let node = try Node()
        try node.makeTree("big", "for i in $(seq 20); do head -c 300K /dev/urandom > $i; done")
        try node.publish("big")
        for number in 0..<100 { try node.mount("m\(number)", "big", limit: 1 << 24) }
        #expect(try node.mounts.filter { $0.hasPrefix("ro/") }.count == 1)
        for number in stride(from: 0, to: 100, by: 9) {
            #expect(try node.shell("cat root/mountpoint/m\(number)/* | cmp - <(cat trees/big/*)").status == 0)
        }
        let report = try node.flister.report(version: "test", started: .now, bus: nil)
        #expect(report.fetching.blocks == 20)
        #expect(report.flists.map(\.mounts) == [100])
        #expect(report.mounts.count == 100)
        for number in 0..<100 { try node.flister.unmount("m\(number)") }
        #expect(try node.mounts == [])
    }
}

/// A lock that closures can share.
final class Shared<Value: Sendable>: Sendable {
    let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }
}
