internal import Glibc

/// The mounts of the calling thread's mount namespace, in the kernel's order: what lies on top comes later.
public struct MountTable: Sendable {
    /// A file system's device number; unique while it is mounted.
    public struct Device: Sendable, Hashable {
        public let major: UInt32
        public let minor: UInt32

        public init(major: UInt32, minor: UInt32) {
            self.major = major
            self.minor = minor
        }
    }

    /// One line of the table, see proc_pid_mountinfo(5). Names are raw bytes; their strings are for people.
    public struct Entry: Sendable {
        public let id: Int
        public let parent: Int
        public let device: Device
        /// What of the file system is mounted here.
        public let rootBytes: [UInt8]
        public let mountPointBytes: [UInt8]
        public let type: String
        public let sourceBytes: [UInt8]
        /// Of this mount point, as "ro,nosuid".
        public let options: String
        /// Of the file system.
        public let superOptions: String
        /// The same one by one. A comma in a value is escaped in the table, so that it ends none.
        let superOptionList: [String]

        /// The value of an option `key=value` of the file system; nil if it has none of that name.
        public func superOption(_ key: String) -> String? {
            superOptionList.first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
        }

        public var root: String { String(decoding: rootBytes, as: UTF8.self) }
        public var mountPoint: String { String(decoding: mountPointBytes, as: UTF8.self) }
        public var source: String { String(decoding: sourceBytes, as: UTF8.self) }
    }

    public let entries: [Entry]

    /// Reads the kernel's table. Talks to no file system, so it does not hang on a dead one.
    public static func current() throws(FlistError) -> MountTable {
        // Not /proc/self, which is the first thread's: mount namespaces belong to threads.
        let path = "/proc/thread-self/mountinfo"
        do throws(Errno) {
            let file = try FileDescriptor(path, O_RDONLY)
            let number = file.number
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = try systemCall { Glibc.read(number, &chunk, chunk.count) }
                if count == 0 { return MountTable(parsing: bytes) }
                bytes += chunk.prefix(count)
            }
        } catch {
            throw FlistError("cannot read \(path)", errno: error)
        }
    }

    /// Parses the text of a mountinfo file; lines that do not have its form are left out.
    public init(parsing text: [UInt8]) {
        entries = text.split(separator: UInt8(ascii: "\n")).compactMap(Entry.init(parsing:))
    }

    /// The mount seen at a path: the topmost one. The path is compared byte by byte, without following symlinks.
    public func find(target: String) -> Entry? {
        let bytes = Array(target.utf8)
        return entries.last { $0.mountPointBytes == bytes }
    }

    /// All mounts of a type, such as "fuse.flist".
    public func mounts(type: String) -> [Entry] { entries.filter { $0.type == type } }
}

extension MountTable.Entry {
    /// Fields: id, parent, major:minor, root, mount point, options, optional fields, "-", type, source, super options.
    init?(parsing line: ArraySlice<UInt8>) {
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard fields.count >= 10 else { return nil }
        guard let dash = fields[6...].firstIndex(of: [UInt8(ascii: "-")]), fields.count >= dash + 4 else { return nil }
        func text(_ field: ArraySlice<UInt8>) -> String { String(decoding: field, as: UTF8.self) }
        let numbers = fields[2].split(separator: UInt8(ascii: ":"))
        guard let id = Int(text(fields[0])), let parent = Int(text(fields[1])), numbers.count == 2,
            let major = UInt32(text(numbers[0])), let minor = UInt32(text(numbers[1]))
        else { return nil }
        self.id = id
        self.parent = parent
        device = MountTable.Device(major: major, minor: minor)
        rootBytes = OctalEscape.decode(fields[3])
        mountPointBytes = OctalEscape.decode(fields[4])
        options = text(fields[5])
        type = String(decoding: OctalEscape.decode(fields[dash + 1]), as: UTF8.self)
        sourceBytes = OctalEscape.decode(fields[dash + 2])
        superOptions = String(decoding: OctalEscape.decode(fields[dash + 3]), as: UTF8.self)
        superOptionList = fields[dash + 3].split(separator: UInt8(ascii: ",")).map {
            String(decoding: OctalEscape.decode($0), as: UTF8.self)
        }
    }
}
