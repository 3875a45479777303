internal import CFUSE
internal import Support

/// What is needed to go on serving a mount in another process.
public struct KeptSession: Sendable {
    /// To be handed to `FUSESession.resume`.
    public let state: [UInt8]
    /// Of the FUSE device, and with passthrough of the memory of open files. They belong to the session, or to whoever
    /// received copies.
    public let descriptors: [Int32]

    public init(state: [UInt8], descriptors: [Int32]) {
        self.state = state
        self.descriptors = descriptors
    }
}

/// What `KeptSession.state` says. A connection's promises hold for whoever serves it.
struct SessionState: Equatable {
    var opens: OpenMode
    var target: String
    var device: MountTable.Device?
    var fuseDevice: MountTable.Device?
    var request: [UInt8]
    var answer: [UInt8]

    private static let version: [UInt8] = [1]

    var bytes: [UInt8] {
        Fields.encode([
            Self.version, Array(opens.rawValue.utf8), Array(target.utf8), Self.encode(device), Self.encode(fuseDevice),
            request, answer,
        ])
    }

    init(
        opens: OpenMode, target: String, device: MountTable.Device?, fuseDevice: MountTable.Device?, request: [UInt8],
        answer: [UInt8]
    ) {
        self.opens = opens
        self.target = target
        self.device = device
        self.fuseDevice = fuseDevice
        self.request = request
        self.answer = answer
    }

    /// Nil for what this version of the program does not know.
    init?(_ bytes: [UInt8]) {
        guard let fields = Fields.decode(bytes), fields.count == 7, fields[0] == Self.version,
            let opens = OpenMode(rawValue: String(decoding: fields[1], as: UTF8.self))
        else { return nil }
        self.init(
            opens: opens, target: String(decoding: fields[2], as: UTF8.self), device: Self.device(fields[3]),
            fuseDevice: Self.device(fields[4]), request: fields[5], answer: fields[6])
    }

    private static func encode(_ device: MountTable.Device?) -> [UInt8] {
        device.map { Array("\($0.major):\($0.minor)".utf8) } ?? []
    }

    private static func device(_ bytes: [UInt8]) -> MountTable.Device? {
        let numbers = String(decoding: bytes, as: UTF8.self).split(separator: ":").compactMap { UInt32($0) }
        return numbers.count == 2 ? MountTable.Device(major: numbers[0], minor: numbers[1]) : nil
    }
}
