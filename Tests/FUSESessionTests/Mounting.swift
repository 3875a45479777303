import FUSESession
import Foundation
import Glibc
import Support
import Testing

/// A temporary folder and a mount in it, both gone after `body`, whatever happens.
@discardableResult
func withMount<Result>(
    _ fileSystem: any FileSystem, overlay: Bool = false, _ change: (inout MountOptions) -> Void = { _ in },
    _ body: (FUSESession, String) throws -> Result
) throws -> Result {
    try withFolder { folder in
        for name in ["target", "upper", "work"] { try makeFolder("\(folder)/\(name)") }
        var options = MountOptions(source: "a source, odd")
        options.workers = 3
        change(&options)
        let layers = OverlayOptions(upper: "\(folder)/upper", work: "\(folder)/work")
        let session = try FUSESession.mount(
            fileSystem, at: "\(folder)/target", options: options, overlay: overlay ? layers : nil)
        defer {
            try? session.detach(force: true)
            #expect(session.wait(until: .after(.seconds(20))), "the session does not end")
        }
        return try body(session, "\(folder)/target")
    }
}

@discardableResult
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/flist-test-fuse-XXXXXX\0".utf8CString.dropLast())
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

func makeFolder(_ path: String) throws {
    try #require(mkdir(path, 0o755) == 0)
}

/// The whole file, or the error of opening or reading it.
func contents(_ path: String, flags: Int32 = O_RDONLY) throws(Errno) -> [UInt8] {
    let file = try FileDescriptor(path, flags)
    let number = file.number
    var result: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = read(number, &chunk, chunk.count)
        if count < 0 { throw .current }
        if count == 0 { return result }
        result += chunk.prefix(count)
    }
}

func text(_ path: String) throws -> String { String(decoding: try contents(path), as: UTF8.self) }

func names(_ path: String) throws -> [[UInt8]] {
    let directory = try #require(opendir(path))
    defer { closedir(directory) }
    var result: [[UInt8]] = []
    while let entry = readdir(directory) {
        let name = UnsafeRawPointer(entry).advanced(by: MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
        result.append(
            Array(UnsafeRawBufferPointer(start: name, count: strlen(name.assumingMemoryBound(to: CChar.self)))))
    }
    return result
}

func status(_ path: String) throws(Errno) -> stat {
    var result = stat()
    _ = try systemCall { lstat(path, &result) }
    return result
}
