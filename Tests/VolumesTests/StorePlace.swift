import CLinux
import FUSESession
import Foundation
import Glibc
import Logging
import Support
import TestSupport
import Testing

@testable import Volumes

/// What the root of a store lies on.
enum Ground: CaseIterable {
    /// Not on btrfs: the store makes an image.
    case disk
    /// On a btrfs of its own.
    case btrfs
}

/// A root for stores, and a look at what they leave behind.
struct StorePlace {
    let folder: String
    let root: String

    var pool: String { "\(root)/volumes" }
    var image: String { "\(root)/volumes.img" }

    func store(_ change: (inout BtrfsVolumeStore.Options) -> Void = { _ in }) throws -> BtrfsVolumeStore {
        var options = BtrfsVolumeStore.Options()
        change(&options)
        return try BtrfsVolumeStore(root: root, options: options, logger: quiet)
    }

    /// The files of loop devices that have to do with this place.
    func loopFiles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/sys/block").compactMap { name in
            let file = try? String(contentsOfFile: "/sys/block/\(name)/loop/backing_file", encoding: .utf8)
            guard let file, file.hasPrefix(folder) else { return nil }
            return String(file.dropFirst(folder.utf8.count).prefix { $0 != "\n" })
        }
    }

    func mounts() throws -> [String] {
        try MountTable.current().entries.map(\.mountPoint).filter { $0.hasPrefix(folder) }
    }

    /// The ids of the subvolumes that the pool's file system accounts for.
    func groups() throws -> [UInt64] {
        try Quota(of: FileDescriptor(pool, O_RDONLY | O_DIRECTORY)).subvolumes()
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A place in a temporary folder; whatever is mounted there is gone afterwards, and no loop device stays.
func withPlace(_ ground: Ground = .disk, _ body: (StorePlace) throws -> Void) throws {
    var template = Array("/var/tmp/flist-test-volumes-XXXXXX\0".utf8CString.dropLast())
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    let place = StorePlace(folder: folder, root: "\(folder)/root")
    defer {
        for mount in (try? place.mounts().reversed()) ?? [] { try? unmount(mount, lazy: true) }
        #expect(eventually { (try? place.loopFiles()) == [] }, "a loop device is left")
        try? FileManager.default.removeItem(atPath: folder)
    }
    try #require(mkdir(place.root, 0o755) == 0)
    if ground == .btrfs {
        let image = "\(folder)/host.img"
        try run("truncate", "-s", "2G", image)
        try run("mkfs.btrfs", "--quiet", image)
        try run("mount", "-o", "loop", image, place.root)
    }
    try body(place)
}

/// Runs a program of the system that must succeed.
func run(_ name: String, _ arguments: String...) throws {
    let program = try #require(HelperProgram(named: name, alsoIn: ["/usr/sbin", "/sbin"]), "\(name) is missing")
    let end = try program.run(arguments)
    try #require(end.status == 0, "\(name): \(end.complaint)")
}

/// Runs `body` for each number at the same time.
func together(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
    let threads = try (0..<count).map { number in try WorkerThread("test-\(number)") { body(number) } }
    threads.forEach { $0.join() }
}

extension Volume {
    /// Without what is in use, to which any commit of the kernel's may add the empty folder.
    var unused: Volume { Volume(name: name, path: path, limit: limit, used: 0) }
}

/// The error of a call that must fail, as one line.
func failure(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return "\(error)" }
    return nil
}

func code(_ body: () throws -> Void) -> FlistError.Code? {
    do { try body() } catch { return (error as? FlistError)?.code }
    return nil
}
