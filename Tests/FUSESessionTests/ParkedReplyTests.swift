import FUSESession
import Glibc
import Support
import Synchronization
import TestSupport
import Testing

@Suite("Parked replies", .serialized, .timeLimit(.minutes(5)))
struct ParkedReplyTests {
    /// What the hook parked, in order.
    private final class Lot: Sendable {
        let parked = Monitor<[(offset: UInt64, size: Int, reply: ParkedReply)]>([])
        let interrupts = Atomic<Int>(0)

        func park(_ offset: UInt64, _ size: Int, _ reply: consuming DataReply) {
            let parkedReply = ParkedReply(reply) { [self] in
                interrupts.wrappingAdd(1, ordering: .sequentiallyConsistent)
            }
            parked.withLock { $0.append((offset, size, parkedReply)) }
            parked.signal()
        }

        /// The oldest one, or nil when none comes.
        func next() -> (offset: UInt64, size: Int, reply: ParkedReply)? {
            parked.wait(until: .after(.seconds(20))) { $0.isEmpty ? nil : $0.removeFirst() }
        }
    }

    private static func tree() -> (MemoryTree, NodeID) {
        var tree = MemoryTree()
        let slow = tree.add(Array("slow".utf8), mode: 0o100644, [UInt8](repeating: 1, count: 4096))
        for number in 0..<1000 { tree.file("file\(number)") }
        return (tree, slow)
    }

    private func withLot(direct: Bool, _ body: (Lot, FUSESession, String) throws -> Void) throws {
        let (tree, slow) = Self.tree()
        let lot = Lot()
        let fileSystem = MemoryFileSystem(tree, hooked: [slow], directIO: direct) { _, offset, size, reply in
            lot.park(offset, size, reply)
        }
        try withMount(fileSystem, { $0.opens = direct ? .message : OpenMode.none }) { try body(lot, $0, $1) }
    }

    /// Reads 4096 bytes in a thread of its own, which SIGUSR2 interrupts.
    private final class Reader: Sendable {
        let result = Monitor<Result<[UInt8], Errno>?>(nil)
        let thread = Atomic<UInt>(0)

        init(_ path: String, count: Int = 1) throws {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { _ in }
            sigaction(SIGUSR2, &action, nil)
            try WorkerThread("reader") { [self] in
                var signals = sigset_t()
                sigemptyset(&signals)
                sigaddset(&signals, SIGUSR2)
                pthread_sigmask(SIG_UNBLOCK, &signals, nil)
                thread.store(UInt(pthread_self()), ordering: .sequentiallyConsistent)
                var last = Result<[UInt8], Errno>.failure(.noEntry)
                for _ in 0..<count {
                    do throws(Errno) {
                        last = .success(try contents(path))
                    } catch {
                        last = .failure(error)
                    }
                }
                // The thread may not be signalled any more once this is seen.
                result.withLock { $0 = last }
                result.broadcast()
            }.detach()
        }

        func interrupt() {
            let number = thread.load(ordering: .sequentiallyConsistent)
            result.withLock { if $0 == nil, number != 0 { pthread_kill(pthread_t(number), SIGUSR2) } }
        }

        func outcome() -> Result<[UInt8], Errno>? { result.wait(until: .after(.seconds(20))) { $0 } }
    }

    @Test("hold no worker: lookups go on, and another thread answers")
    func answeredLater() throws {
        try withLot(direct: false) { lot, session, target in
            let reader = try Reader("\(target)/slow")
            let parked = try #require(lot.next())
            #expect(!parked.reply.isAnswered)
            for number in 0..<1000 { #expect(try status("\(target)/file\(number)").st_size == 0) }
            #expect(session.requests[.lookup] == 1001)
            #expect(reader.result.withLock { $0 } == nil)
            let bytes = (0..<4096).map { UInt8(truncatingIfNeeded: $0) }
            #expect(bytes.withUnsafeBytes { parked.reply.send($0) })
            #expect(reader.outcome() == .success(bytes))
            #expect(parked.reply.isAnswered)
            #expect(!parked.reply.fail(.io))
        }
    }

    @Test("answer EIO when they are dropped, as any reply does")
    func dropped() throws {
        try withLot(direct: true) { lot, _, target in
            let reader = try Reader("\(target)/slow")
            #expect(lot.next() != nil)
            #expect(reader.outcome() == .failure(.io))
        }
        let (tree, slow) = Self.tree()
        let forgetful = MemoryFileSystem(tree, hooked: [slow]) { _, _, _, _ in }
        try withMount(forgetful) { _, target in
            #expect(throws: Errno.io) { try contents("\(target)/slow") }
        }
    }

    @Test("answer EINTR at once when the reader gets a signal")
    func interrupted() throws {
        try withLot(direct: true) { lot, session, target in
            let reader = try Reader("\(target)/slow")
            let parked = try #require(lot.next())
            reader.interrupt()
            #expect(reader.outcome() == .failure(.interrupted))
            #expect(parked.reply.isAnswered)
            #expect(eventually { lot.interrupts.load(ordering: .sequentiallyConsistent) == 1 })
            #expect(session.requests[.interrupt] >= 1)
            #expect(!parked.reply.fail(.io))
        }
    }

    @Test("do not hold a process that gets SIGINT", arguments: [true, false])
    func controlC(direct: Bool) throws {
        try withLot(direct: direct) { lot, _, target in
            let process = try ChildProcess(["cat", "\(target)/slow"])
            let parked = try #require(lot.next())
            process.signal(SIGINT)
            #expect(process.endSoon() == .signalled(SIGINT))
            #expect(parked.reply.isAnswered == direct)
        }
    }

    @Test("survive interrupts, answers and drops in every order")
    func stress() throws {
        let (tree, slow) = Self.tree()
        let lot = Lot()
        let fileSystem = MemoryFileSystem(tree, hooked: [slow], directIO: true) { _, offset, size, reply in
            if offset > 0 { return reply.send(UnsafeRawBufferPointer(start: nil, count: 0)) }
            lot.park(offset, size, reply)
        }
        try withMount(fileSystem, { $0.opens = .message }) { session, target in
            let readers = try (0..<4).map { _ in try Reader("\(target)/slow", count: 500) }
            let signaller = try WorkerThread("signaller") {
                while readers.contains(where: { $0.result.withLock { $0 } == nil }) {
                    readers.forEach { $0.interrupt() }
                    usleep(100)
                }
            }
            let bytes = [UInt8](repeating: 3, count: 100)
            let answerer = try WorkerThread("answerer") {
                var number = 0
                while readers.contains(where: { $0.result.withLock { $0 } == nil }) {
                    let parked = lot.parked.wait(until: .after(.milliseconds(5))) {
                        $0.isEmpty ? nil : $0.removeFirst()
                    }
                    number += 1
                    guard let parked, number % 5 != 0 else { continue }
                    if number % 3 == 0 { usleep(150) }
                    bytes.withUnsafeBytes { _ = parked.reply.send($0) }
                }
            }
            for reader in readers { #expect(reader.outcome() != nil) }
            signaller.join()
            answerer.join()
            #expect(session.requests[.interrupt] > 0)
            #expect(try status(target).st_ino == 1)
        }
    }
}
