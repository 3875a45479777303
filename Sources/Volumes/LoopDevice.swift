internal import CBtrfs
internal import Glibc
internal import Support

/// A file seen as a disk, see loop(4).
///
/// The kernel detaches it by itself when neither this value nor a mount uses it any more, however the process ends.
struct LoopDevice: ~Copyable {
    let path: String
    private let file: FileDescriptor

    /// Opens a device that may be attached to anything.
    init(_ path: String) throws(Errno) {
        self.path = path
        // For reading, which suffices root: udev takes the end of a writer as a change.
        file = try FileDescriptor(path, O_RDONLY)
    }

    private init(path: String, file: consuming FileDescriptor) {
        self.path = path
        self.file = file
    }

    /// Attaches a free device to an image.
    static func attach(_ image: String) throws(FlistError) -> LoopDevice {
        do throws(Errno) {
            let control = try FileDescriptor("/dev/loop-control", O_RDWR)
            let number = control.number
            let backing = try FileDescriptor(image, O_RDWR)
            var failure = Errno.busy
            // Others may take the free device before us.
            for _ in 0..<100 {
                let path = "/dev/loop\(try systemCall { loop_get_free(number) })"
                let device = try FileDescriptor(path, O_RDWR)
                do throws(Errno) {
                    try configure(device, backing, image)
                    return LoopDevice(path: path, file: device)
                } catch {
                    guard error == .busy else { throw error }
                    failure = error
                }
            }
            throw failure
        } catch {
            throw FlistError("cannot attach a loop device to \(image)", errno: error)
        }
    }

    /// The device that is attached to an image already.
    ///
    /// There must never be a second one: two mounts of one image that do not know of each other destroy it.
    static func attached(to image: String) throws(Errno) -> LoopDevice? {
        guard let directory = opendir("/sys/block") else { throw .current }
        defer { closedir(directory) }
        for name in directoryNames(directory) where name.hasPrefix("loop") {
            guard access("/sys/block/\(name)/loop/backing_file", F_OK) == 0 else { continue }
            // It may be gone since.
            guard let device = try? LoopDevice("/dev/\(name)"), device.isAttached(to: image) else { continue }
            return device
        }
        return nil
    }

    func isAttached(to image: String) -> Bool {
        let number = file.number
        var info = loop_info64()
        var status = stat()
        guard loop_get_status(number, &info) == 0, stat(image, &status) == 0 else { return false }
        return info.lo_device == status.st_dev && info.lo_inode == status.st_ino
    }

    /// Takes the size that the file has now.
    func adoptSize() throws(Errno) {
        let number = file.number
        _ = try systemCall { loop_set_capacity(number) }
    }

    private static func configure(
        _ device: borrowing FileDescriptor, _ backing: borrowing FileDescriptor, _ image: String
    ) throws(Errno) {
        let number = device.number
        var config = loop_config()
        config.fd = UInt32(backing.number)
        // btrfs writes in pages; disks with sectors of 4096 bytes refuse direct I/O in smaller ones.
        config.block_size = 4096
        withUnsafeMutableBytes(of: &config.info.lo_file_name) { $0.copyBytes(from: image.utf8.prefix($0.count - 1)) }
        // Direct I/O, as the pages are cached above already; not every file system has it.
        let autoclear = UInt32(LO_FLAGS_AUTOCLEAR)
        config.info.lo_flags = autoclear | UInt32(LO_FLAGS_DIRECT_IO)
        do throws(Errno) {
            _ = try systemCall { loop_configure(number, &config) }
        } catch {
            guard error == .invalid else { throw error }
            config.info.lo_flags = autoclear
            _ = try systemCall { loop_configure(number, &config) }
        }
    }
}
