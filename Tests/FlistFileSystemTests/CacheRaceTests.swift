import Foundation
import Glibc
import Support
import Synchronization
import TestSupport
import Testing

@Suite(
    "Processes that share a cache too small for them", .serialized,
    .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct CacheRaceTests {
    /// Serves the flist at a place of its own until it is killed or the mount ends.
    private final class Server {
        private let process: ChildProcess
        let target: String

        init(_ place: MountPlace, _ name: String, _ quota: String) throws {
            target = place.path(name)
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
            process = try ChildProcess([
                MountPlace.program, "mount", "-f", place.path("tree.fl"), target, "--cache", place.path("cache"),
                "--cache-size", quota, "-o", "noprofile", "--log", place.path("log"),
            ])
            guard eventually({ FileManager.default.fileExists(atPath: "\(target)/large0") }) else {
                throw FlistError(.io, "\(name) is not mounted")
            }
        }

        func kill() {
            process.kill()
            umount2(target, Int32(MNT_DETACH))
        }

        func stop() {
            umount2(target, 0)
            process.wait()
        }
    }

    private final class Tally: Sendable {
        let wrong = Atomic<Int>(0)
        let failed = Atomic<Int>(0)
        let reads = Atomic<Int>(0)
        let isDone = Atomic<Bool>(false)
    }

    /// What du counts: bytes on disk of contents and maps, each file once. A file that moves on meanwhile counts once.
    private func onDisk(_ place: MountPlace) -> UInt64 {
        var sizes: [ino_t: UInt64] = [:]
        for folder in ["partial", "fresh", "objects"] {
            guard let all = FileManager.default.enumerator(atPath: place.path("cache/\(folder)")) else { continue }
            for case let name as String in all {
                var status = stat()
                guard lstat(place.path("cache/\(folder)/\(name)"), &status) == 0, status.st_mode & S_IFMT == S_IFREG
                else { continue }
                sizes[status.st_ino] = UInt64(status.st_blocks) * 512
            }
        }
        return sizes.values.reduce(0, +)
    }

    @Test(
        "never give a wrong byte nor exceed the quota, though they are killed and started again",
        .timeLimit(.minutes(5)))
    func race() throws {
        let place = try MountPlace()
        let sizes = (0..<12).map { 700_000 + $0 * 150_000 }
        let large = sizes.enumerated().map { MountPlace.noise($1, seed: UInt64($0)) }
        for (number, bytes) in large.enumerated() { try place.write(bytes, "large\(number)") }
        for number in 0..<60 { try place.write(MountPlace.noise(5000, seed: UInt64(100 + number)), "small\(number)") }
        try place.pack()
        let quota = 8 << 20
        let tally = Tally()

        /// Reads until told to stop, or until its server is gone.
        func reader(_ target: String, _ seed: UInt64, mayFail: Bool) throws -> WorkerThread {
            let (large, folder) = (large, target)
            return try WorkerThread("reader") {
                var generator = SeededGenerator(seed: seed)
                while !tally.isDone.load(ordering: .relaxed) {
                    let isSmall = Bool.random(using: &generator)
                    let number = Int.random(in: 0..<(isSmall ? 60 : 12), using: &generator)
                    let expected = isSmall ? MountPlace.noise(5000, seed: UInt64(100 + number)) : large[number]
                    switch MountPlace.read("\(folder)/\(isSmall ? "small" : "large")\(number)") {
                    case .success(let bytes):
                        if bytes != expected { tally.wrong.add(1, ordering: .relaxed) }
                        tally.reads.add(1, ordering: .relaxed)
                    case .failure:
                        if mayFail { return }
                        tally.failed.add(1, ordering: .relaxed)
                    }
                    // Else the kernel would answer from then on.
                    if let file = try? FileDescriptor("\(folder)/\(isSmall ? "small" : "large")\(number)", O_RDONLY) {
                        posix_fadvise(file.number, 0, 0, POSIX_FADV_DONTNEED)
                    }
                }
            }
        }

        let steady = try Server(place, "target", "\(quota)")
        var threads = try (0..<2).map { try reader(steady.target, UInt64($0), mayFail: false) }
        var most: UInt64 = 0
        for round in 0..<5 {
            let other = try Server(place, "second", "\(quota)")
            threads.append(try reader(other.target, UInt64(10 + round), mayFail: true))
            let before = tally.reads.load(ordering: .relaxed)
            let isBusy = eventually {
                most = max(most, onDisk(place))
                return tally.reads.load(ordering: .relaxed) >= before + 30
            }
            #expect(isBusy)
            other.kill()
        }
        tally.isDone.store(true, ordering: .relaxed)
        for thread in threads { thread.join() }
        steady.stop()
        #expect(tally.wrong.load(ordering: .relaxed) == 0 && tally.failed.load(ordering: .relaxed) == 0)
        #expect(most <= UInt64(quota) && most > UInt64(quota) / 2, "\(most)")
        let check = try place.shell("\(MountPlace.program) cache check --cache cache --json")
        #expect(check.status == 0, "\(check.output)")
        // What the killed had reserved is free again: the cache fills to its quota, and not beyond.
        let last = try Server(place, "target", "\(quota)")
        for number in 0..<12 { #expect(MountPlace.read("\(last.target)/large\(number)") == .success(large[number])) }
        #expect(onDisk(place) > UInt64(quota) / 2 && onDisk(place) <= UInt64(quota))
        last.stop()
    }
}
