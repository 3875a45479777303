/// A device, fifo or socket of a `.flist` (schema `Special`).
public struct Special: Equatable, Sendable {
    /// The schema's enum. The field's most used writer never sets it, so that everything it writes is a `socket`.
    public enum Kind: UInt16, Sendable {
        case socket = 0
        case block, character, fifo, unknown
    }

    /// What a faithful reader makes of kind and data together.
    public enum Meaning: Equatable, Sendable {
        case characterDevice(major: UInt32, minor: UInt32)
        case blockDevice(major: UInt32, minor: UInt32)
        case fifo
        case socket
    }

    public let kind: Kind
    /// `major,minor` in decimal digits for devices, `(nothing)` for the others.
    public let data: [UInt8]

    public init(kind: Kind, data: [UInt8]) {
        self.kind = kind
        self.data = data
    }

    init(_ record: CapnpStruct) throws(FormatError) {
        // An enumerant of a newer schema is one that we know nothing of.
        kind = Kind(rawValue: record.integer(at: 0, as: UInt16.self)) ?? .unknown
        data = Array(try record.data(0))
    }

    /// Numbers make a device whatever the kind says: a character device, which is by far the likelier, unless the
    /// kind says block. Without numbers the kind is believed, so that a fifo of the usual writer becomes a socket:
    /// nothing in the file tells the two apart. Nil when neither the numbers nor the kind say anything.
    public var meaning: Meaning? {
        if let (major, minor) = deviceNumbers {
            return kind == .block
                ? .blockDevice(major: major, minor: minor) : .characterDevice(major: major, minor: minor)
        }
        return switch kind {
        case .socket: .socket
        case .fifo: .fifo
        case .block, .character, .unknown: nil
        }
    }

    private var deviceNumbers: (UInt32, UInt32)? {
        let parts = data.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard parts.count == 2, let major = DecimalDigits.value(parts[0]), let minor = DecimalDigits.value(parts[1])
        else { return nil }
        return (major, minor)
    }
}

/// Unsigned numbers written in ASCII digits alone.
public enum DecimalDigits {
    /// Nil when there is none, anything else than a digit, or more than 32 bits hold.
    public static func value(_ digits: some Collection<UInt8>) -> UInt32? {
        guard !digits.isEmpty else { return nil }
        var value: UInt32 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt32(digit - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }
}
