internal import CFUSE
internal import CLinux
internal import Glibc
internal import Support

/// The open files of a session in memory that outlives the process: a file without a name, mapped.
///
/// Not thread-safe. A slot of which any word is zero is free: a process that dies between two writes leaves none half
/// taken, and the kernel asks again for what it did not answer.
final class OpenSlots: @unchecked Sendable {
    /// One open. Its handle is the number of the request that opened it, which no other request of the connection has.
    struct Slot: Equatable {
        let handle: UInt64
        let node: NodeID
        /// Of the file that the kernel reads; nil for an open by messages.
        let backing: Int32?
    }

    /// Opens at once, at most. The memory is used from the lowest slot on: 24 bytes for each open.
    static let capacity = 1 << 20
    private static let stride = 24

    let file: FileDescriptor
    // Guarded by the open table's lock.
    private let memory: UnsafeMutableRawPointer

    /// Makes an empty one; nil when there is no memory.
    convenience init?() {
        let number = linux_memfd_create("flist-opens")
        guard number >= 0 else { return nil }
        let file = FileDescriptor(owning: number)
        guard ftruncate(number, Self.capacity * Self.stride) == 0 else { return nil }
        self.init(file)
    }

    /// Takes over the file of an earlier process; nil for a file of another size.
    init?(_ file: consuming FileDescriptor) {
        var status = stat()
        let length = Self.capacity * Self.stride
        guard fstat(file.number, &status) == 0, status.st_size == length else { return nil }
        let start = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, 0)
        guard let start, start != MAP_FAILED else { return nil }
        memory = start
        self.file = file
    }

    deinit { munmap(memory, Self.capacity * Self.stride) }

    subscript(index: Int) -> Slot? {
        get {
            let base = memory + index * Self.stride
            let handle = base.load(as: UInt64.self)
            let node = base.load(fromByteOffset: 8, as: UInt64.self)
            let backing = base.load(fromByteOffset: 16, as: UInt64.self)
            guard handle != 0, node != 0, backing != 0 else { return nil }
            return Slot(
                handle: handle, node: node, backing: backing == 1 ? nil : Int32(truncatingIfNeeded: backing - 1))
        }
        set {
            let base = memory + index * Self.stride
            // Ids that the kernel gives are positive.
            let backing = newValue.map { UInt64(clamping: $0.backing ?? 0) + 1 }
            base.storeBytes(of: newValue?.handle ?? 0, as: UInt64.self)
            base.storeBytes(of: newValue?.node ?? 0, toByteOffset: 8, as: UInt64.self)
            base.storeBytes(of: backing ?? 0, toByteOffset: 16, as: UInt64.self)
        }
    }

    /// How many slots were ever used: pages behind have never been written.
    var used: Int {
        var status = stat()
        guard fstat(file.number, &status) == 0 else { return Self.capacity }
        // Blocks of 512 bytes; slots are used from the lowest on.
        return min(Self.capacity, (Int(status.st_blocks) * 512 + Self.stride - 1) / Self.stride)
    }
}
