internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

extension CacheCore {
    /// Takes the trust from what another boot of the machine left behind without knowing that it is on disk.
    func enterBoot() {
        guard smallFile(folder.boot) != boot.bytes else { return }
        folder.withLock {
            guard smallFile(folder.boot) != boot.bytes else { return }
            demoteFresh()
            if !entries(of: folder.fresh).isEmpty { isFreshTrusted.store(false, ordering: .releasing) }
            // Reservations of processes that are gone: counted anew at the first store.
            unlink(folder.usage)
            let temporary = "\(folder.boot).new"
            do throws(Errno) {
                let file = try FileDescriptor(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
                var failure: Errno?
                boot.bytes.withUnsafeBytes { bytes in
                    do throws(Errno) { try file.write(bytes, at: 0) } catch { failure = error }
                }
                if let failure { throw failure }
                _ = try systemCall { rename(temporary, folder.boot) }
            } catch {
                // The next process demotes again what this one makes, which costs time but no bytes.
                cannotStore(error)
            }
        }
    }

    /// Makes partial contents, all of them suspect, of the complete ones that are not known to be on disk.
    func demoteFresh() {
        for entry in entries(of: folder.fresh) {
            let path = "\(folder.fresh)/\(entry)"
            guard let name = ObjectName(parsing: entry) else {
                unlink(path)
                continue
            }
            // Without a map everything in a partial file is suspect.
            unlink(folder.map(name))
            chmod(path, 0o600)
            do throws(Errno) {
                try CacheFolder.move(path, to: folder.partial(name))
            } catch {
                unlink(path)
            }
        }
    }

    /// Takes the trust from everything written since the start: the disk said that it lost something.
    func distrust() {
        folder.withLock {
            demoteFresh()
            for shard in CacheFolder.shards(of: folder.partial) {
                for entry in entries(of: shard) where entry.hasSuffix(CacheFolder.mapSuffix) {
                    guard let file = try? FileDescriptor("\(shard)/\(entry)", O_RDWR | O_NOFOLLOW) else { continue }
                    // A header that is not valid makes all blocks suspect.
                    BootID.none.bytes.withUnsafeBytes { try? file.write($0, at: 0) }
                }
            }
        }
        for object in openObjects { object.reopen() }
    }
}
