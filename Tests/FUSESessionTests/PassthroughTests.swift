import FUSESession
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Files that the kernel reads by itself", .serialized, .timeLimit(.minutes(5)))
struct PassthroughTests {
    /// A file system with one file, which lies on the disk as well.
    private struct Place {
        let fileSystem: MemoryFileSystem
        let node: NodeID
        let path: String

        init(in folder: String, _ content: [UInt8]) throws {
            var tree = MemoryTree()
            node = tree.add(Array("file".utf8), mode: 0o100755, content)
            fileSystem = MemoryFileSystem(tree)
            path = "\(folder)/backing"
            try Data(content).write(to: URL(fileURLWithPath: path))
        }

        func show() { fileSystem.backing.withLock { $0[node] = path } }

        func hide() { fileSystem.backing.withLock { $0[node] = nil } }
    }

    private static let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }

    private func withPlace(
        _ content: [UInt8] = Self.content, overlay: Bool = false,
        _ body: (Place, FUSESession, String) throws -> Void
    ) throws {
        try withFolder { folder in
            let place = try Place(in: folder, content)
            try withMount(place.fileSystem, overlay: overlay, { $0.opens = .passthrough }) { session, target throws in
                try #require(session.opens == .passthrough)
                try body(place, session, "\(target)/file")
                // The kernel tells of a close after the closer has gone on.
                #expect(eventually { session.openFiles == (0, 0) })
            }
        }
    }

    /// Maps a file, compares, and unmaps.
    private func mapped(_ path: String, _ flags: Int32, equals content: [UInt8]) throws -> Bool {
        let file = try FileDescriptor(path, O_RDONLY)
        let memory = mmap(nil, content.count, PROT_READ, flags, file.number, 0)
        guard let memory, memory != MAP_FAILED else { throw Errno.current }
        defer { munmap(memory, content.count) }
        return UnsafeRawBufferPointer(start: memory, count: content.count).elementsEqual(content)
    }

    @Test("are read in every way without a request, also below an overlay", arguments: [false, true])
    func everyWay(overlay: Bool) throws {
        let program = try contents("/bin/true")
        try withPlace(program, overlay: overlay) { place, session, path throws in
            place.show()
            #expect(try contents(path) == program)
            var piece = [UInt8](repeating: 0, count: 1000)
            let file = try FileDescriptor(path, O_RDONLY)
            #expect(pread(file.number, &piece, 1000, 5000) == 1000)
            #expect(piece == Array(program[5000..<6000]))
            #expect(try mapped(path, MAP_SHARED, equals: program))
            #expect(try mapped(path, MAP_PRIVATE, equals: program))
            #expect(try ChildProcess([path]).endSoon() == .exited(0))
            #expect(session.requests[.read] == 0)
            #expect(session.requests[.open] >= 5)
            #expect(session.openFiles.passthrough == 1)
            // These come as reads all the same.
            posix_fadvise(file.number, 0, 0, POSIX_FADV_WILLNEED)
            #expect(try contents(path) == program)
        }
    }

    @Test("stay so for who opens them meanwhile, whatever becomes of the file on the disk")
    func sameFile() throws {
        try withPlace { place, session, path throws in
            place.show()
            let first = try FileDescriptor(path, O_RDONLY)
            try #require(unlink(place.path) == 0)
            try Data(Self.content.reversed()).write(to: URL(fileURLWithPath: place.path))
            #expect(try contents(path) == Self.content)
            place.hide()
            #expect(try contents(path) == Self.content)
            #expect(session.requests[.read] == 0)
            #expect(session.openFiles.passthrough == 1)
            var byte: UInt8 = 0
            #expect(pread(first.number, &byte, 1, 12345) == 1)
            #expect(byte == Self.content[12345])
        }
    }

    @Test("are read by messages until the last close when they were opened before they were complete")
    func lateFile() throws {
        try withPlace { place, session, path throws in
            do {
                let first = try FileDescriptor(path, O_RDONLY)
                place.show()
                #expect(try contents(path) == Self.content)
                #expect(session.openFiles.passthrough == 0)
                // A mapping counts as an open.
                let memory = mmap(nil, 4096, PROT_READ, MAP_SHARED, first.number, 0)
                close(first.release())
                #expect(eventually { session.openFiles.opens == 1 })
                #expect(try contents(path) == Self.content)
                #expect(session.openFiles.passthrough == 0)
                munmap(memory, 4096)
            }
            #expect(eventually { session.openFiles.opens == 0 })
            let reads = session.requests[.read]
            #expect(try contents(path) == Self.content)
            #expect(session.requests[.read] == reads)
        }
    }

    @Test("can be opened by many at once while they come and go")
    func flipping() throws {
        try withPlace { place, session, path throws in
            let end = Monitor(false)
            let flipper = try WorkerThread("flipper") {
                while !end.withLock({ $0 }) {
                    place.show()
                    usleep(3000)
                    place.hide()
                    usleep(3000)
                }
            }
            let failures = Monitor<[String]>([])
            let openers = try (0..<6).map { number in
                try WorkerThread("opener") {
                    var piece = [UInt8](repeating: 0, count: 4096)
                    for round in 0..<1500 {
                        let offset = (number * 7919 + round * 4096) % (Self.content.count - 4096)
                        do throws(Errno) {
                            let file = try FileDescriptor(path, O_RDONLY)
                            let isRight =
                                pread(file.number, &piece, 4096, offset) == 4096
                                && piece.elementsEqual(Self.content[offset..<offset + 4096])
                            if !isRight { failures.withLock { $0.append("wrong bytes") } }
                            // So that there are moments without any open.
                            if round % 5 == 0 { usleep(500) }
                        } catch {
                            failures.withLock { $0.append("\(error)") }
                        }
                    }
                }
            }
            openers.forEach { $0.join() }
            end.withLock { $0 = true }
            flipper.join()
            #expect(failures.withLock { $0 } == [])
            #expect(session.requests[.open] == 9000)
        }
    }

    @Test("are given back when the opener is killed")
    func killedOpeners() throws {
        try withPlace { place, session, path throws in
            place.show()
            place.fileSystem.backingDelay.store(3000, ordering: .relaxed)
            for round in 0..<60 {
                let process = try ChildProcess(["cat", path])
                usleep(UInt32(round) * 100)
                process.signal(SIGKILL)
                let end = process.endSoon()
                #expect(end == .signalled(SIGKILL) || end == .exited(0))
            }
            #expect(eventually { session.openFiles == (0, 0) })
            #expect(try contents(path) == Self.content)
        }
    }

    @Test("leave no open file behind in the kernel")
    func leaks() throws {
        func openInAll() throws -> Int {
            let words = try text("/proc/sys/fs/file-nr").split(separator: "\t")
            return try #require(words.first.flatMap { Int($0) })
        }
        try withPlace { place, session, path throws in
            place.show()
            let before = try openInAll()
            for _ in 0..<5000 { close(try FileDescriptor(path, O_RDONLY).release()) }
            #expect(eventually { session.openFiles == (0, 0) })
            // Others use the machine, too.
            #expect(try openInAll() < before + 2500)
        }
    }

    @Test("are read by messages where they lie on an overlay themselves")
    func onOverlay() throws {
        try withFolder { folder in
            for name in ["lower", "upper", "work", "merged"] { try makeFolder("\(folder)/\(name)") }
            try Overlay.mount(
                lower: "\(folder)/lower", upper: "\(folder)/upper", work: "\(folder)/work", at: "\(folder)/merged")
            defer { umount2("\(folder)/merged", Int32(MNT_DETACH)) }
            let place = try Place(in: "\(folder)/merged", Self.content)
            place.show()
            try withMount(place.fileSystem, { $0.opens = .passthrough }) { session, target throws in
                #expect(session.opens == .passthrough)
                #expect(try contents("\(target)/file") == Self.content)
                #expect(try contents("\(target)/file") == Self.content)
                #expect(session.requests[.read] > 0)
                #expect(eventually { session.openFiles == (0, 0) })
            }
        }
    }
}
