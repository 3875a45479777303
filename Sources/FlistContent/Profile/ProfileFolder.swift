internal import FlistImage
internal import Glibc
public import Support

/// The profiles in a cache's folder, one for each flist that was mounted: `<hash of the flist>.profile`.
///
/// The file is the profile's text behind two lines: what it is, then whose it is, whether it is complete, and the
/// BLAKE2b-32 of all that. One that is damaged counts as none. Thread-safe, and safe beside other processes: files
/// appear by rename. Blocks on the disk.
public struct ProfileFolder: Sendable {
    private let path: String

    /// - Parameter path: `BlockCache.profileFolder`; made when something is kept in it, if the cache is there.
    public init(_ path: String) { self.path = path }

    private func file(_ flist: Digest) -> String { "\(path)/\(flist).profile" }

    /// The profile of a flist; nil when there is none, or none that can be trusted. Counts as a use of it.
    public func load(_ flist: Digest) -> RecordedProfile? {
        let name = file(flist)
        guard let bytes = Self.read(name) else { return nil }
        // What is used stays when the cache is tidied.
        utimensat(AT_FDCWD, name, nil, AT_SYMLINK_NOFOLLOW)
        return Self.decode(bytes, of: flist)
    }

    /// Keeps a profile in place of the one that is there.
    public func save(_ profile: RecordedProfile, of flist: Digest) throws(FlistError) {
        let bytes = Self.encode(profile, of: flist)
        let temporary = "\(path)/\(flist).\(UInt64.random(in: 0...UInt64.max)).tmp"
        do throws(Errno) {
            // A cache that was taken away while it was mounted is not to come back.
            try Folder.make(path, mode: 0o700, parents: false)
            do throws(Errno) {
                let file = try FileDescriptor(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
                let number = file.number
                var done = 0
                while done < bytes.count {
                    done += try systemCall {
                        bytes[done...].withUnsafeBytes { write(number, $0.baseAddress, $0.count) }
                    }
                }
                // Whether it is on the disk does not matter: a damaged one is none.
                _ = try systemCall { rename(temporary, self.file(flist)) }
            } catch {
                unlink(temporary)
                throw error
            }
        } catch {
            throw FlistError("cannot keep the profile in \(path)", errno: error)
        }
    }

    /// Removes the profile of a flist; false when there is none.
    public func remove(_ flist: Digest) throws(FlistError) -> Bool {
        do throws(Errno) {
            _ = try systemCall { unlink(file(flist)) }
            return true
        } catch .noEntry {
            return false
        } catch {
            throw FlistError("cannot remove \(file(flist))", errno: error)
        }
    }

    private static let title = "# flist profile 1\n"

    static func encode(_ profile: RecordedProfile, of flist: Digest) -> [UInt8] {
        let text = ProfileText.encode(profile.entries)
        let state = "\(flist) \(profile.isComplete ? "complete" : "partial")"
        let hash = BLAKE2b.hash(Array(state.utf8) + text, .bytes32)
        return Array("\(title)# of \(state) \(hash)\n".utf8) + text
    }

    static func decode(_ bytes: [UInt8], of flist: Digest) -> RecordedProfile? {
        for isComplete in [true, false] {
            let empty = encode(RecordedProfile(entries: [], isComplete: isComplete), of: flist)
            // The lines before the text have the same length whatever the text is.
            let head = empty.count - ProfileText.encode([]).count
            guard bytes.count >= head, let entries = try? ProfileText.decode(Array(bytes[head...])) else { continue }
            let profile = RecordedProfile(entries: entries, isComplete: isComplete)
            if encode(profile, of: flist) == bytes { return profile }
        }
        return nil
    }

    private static func read(_ name: String) -> [UInt8]? {
        guard let file = try? FileDescriptor(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { return nil }
        var status = stat()
        let limit = ProfileText.maximumBytes + 1024
        guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
            return nil
        }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(status.st_size), alignment: 16)
        defer { memory.deallocate() }
        guard let count = try? file.read(into: memory, at: 0) else { return nil }
        return Array(memory[..<count])
    }
}
