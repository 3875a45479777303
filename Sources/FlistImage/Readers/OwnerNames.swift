internal import FlistFormat
internal import Glibc

/// Turns the owners' names of a `.flist` into numbers, each name once.
///
/// What a name means is asked of this machine only when the record has no number, as 0-fs does: the same flist can
/// then have other owners on another machine. Nobody's name is 1000, again as 0-fs has it.
struct OwnerNames {
    static let unknown: UInt32 = 1000
    /// Strangers' names are looked up in the machine's user database, which may be far away: not without bound.
    private static let maximumLookups = 256

    private var users: [[UInt8]: UInt32] = [:]
    private var groups: [[UInt8]: UInt32] = [:]

    mutating func uid(_ name: [UInt8]) -> UInt32 {
        if let known = users[name] { return known }
        let number = Self.number(name) ?? (users.count < Self.maximumLookups ? Self.lookupUser(name) : nil)
        if users.count < Self.maximumLookups { users[name] = number ?? Self.unknown }
        return number ?? Self.unknown
    }

    mutating func gid(_ name: [UInt8]) -> UInt32 {
        if let known = groups[name] { return known }
        let number = Self.number(name) ?? (groups.count < Self.maximumLookups ? Self.lookupGroup(name) : nil)
        if groups.count < Self.maximumLookups { groups[name] = number ?? Self.unknown }
        return number ?? Self.unknown
    }

    private static func number(_ name: [UInt8]) -> UInt32? {
        name == Array("root".utf8) ? 0 : DecimalDigits.value(name)
    }

    /// The characters and the length that useradd(8) takes.
    private static func isName(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name.count <= 32
            && name.allSatisfy { byte in
                byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
                    || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
                    || byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            }
    }

    private static func lookupUser(_ name: [UInt8]) -> UInt32? {
        guard isName(name) else { return nil }
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16 << 10) { buffer in
            guard let base = buffer.baseAddress else { return nil }
            return getpwnam_r(String(decoding: name, as: UTF8.self), &record, base, buffer.count, &found) == 0
                && found != nil ? record.pw_uid : nil
        }
    }

    private static func lookupGroup(_ name: [UInt8]) -> UInt32? {
        guard isName(name) else { return nil }
        var record = group()
        var found: UnsafeMutablePointer<group>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64 << 10) { buffer in
            guard let base = buffer.baseAddress else { return nil }
            return getgrnam_r(String(decoding: name, as: UTF8.self), &record, base, buffer.count, &found) == 0
                && found != nil ? record.gr_gid : nil
        }
    }
}
