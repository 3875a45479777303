internal import Glibc
public import Support

extension MountOptions {
    static var isRoot: Bool { geteuid() == 0 }

    /// As many as there are cores, but 4 at least: reads of a cold cache file wait for the disk.
    static var defaultWorkers: Int { min(16, max(4, Processors.count)) }

    /// Applies one word of `-o`; false if it is not one that a FUSE mount knows.
    public mutating func apply(word: String) throws(FlistError) -> Bool {
        switch word {
        case "ro": readOnly = true
        case "rw": readOnly = false
        case "suid": noSuid = false
        case "nosuid": noSuid = true
        case "dev": noDev = false
        case "nodev": noDev = true
        case "exec": noExec = false
        case "noexec": noExec = true
        case "atime", "relatime", "strictatime": noAtime = false
        case "noatime": noAtime = true
        case "allow_other": allowOther = true
        case "default_permissions": defaultPermissions = true
        case "acl": aclSupport = true
        case "noacl": aclSupport = false
        case "defaults", "auto", "noauto", "nofail", "_netdev", "user", "nouser", "users": break
        default:
            guard let equals = word.firstIndex(of: "=") else { return false }
            return try apply(key: word[..<equals], value: String(word[word.index(after: equals)...]))
        }
        return true
    }

    private mutating func apply(key: Substring, value: String) throws(FlistError) -> Bool {
        switch key {
        case "fsname": source = value
        case "subtype": subtype = value
        case "max_read": maximumRead = try number(value, for: key, 4096...1 << 20)
        case "readahead": readaheadKiB = try number(value, for: key, 0...1 << 20)
        case "open":
            guard value != "auto" else { opens = nil; break }
            guard let mode = OpenMode(rawValue: value) else {
                throw FlistError(.usage, "-o open=\(value): none, message, passthrough or auto is needed")
            }
            opens = mode
        case "workers": workers = try number(value, for: key, 1...256)
        default: return key.hasPrefix("x-")
        }
        return true
    }

    private func number(_ value: String, for key: Substring, _ range: ClosedRange<Int>) throws(FlistError) -> Int {
        guard let number = Int(value), range.contains(number) else {
            throw FlistError(
                .usage, "-o \(key)=\(value): a number from \(range.lowerBound) to \(range.upperBound) is needed")
        }
        return number
    }

    /// Applies an argument of `-o`, words with commas between them.
    ///
    /// - Throws: `FlistError.Code.usage` for a word that is not known.
    public mutating func apply(_ text: String) throws(FlistError) {
        for word in text.split(separator: ",") where try !apply(word: String(word)) {
            throw FlistError(.usage, "-o \(word): there is no such mount option")
        }
    }

    /// For mount(2).
    var mountFlags: UInt {
        var flags: UInt = 0
        if readOnly { flags |= UInt(MS_RDONLY) }
        if noSuid { flags |= UInt(MS_NOSUID) }
        if noDev { flags |= UInt(MS_NODEV) }
        if noExec { flags |= UInt(MS_NOEXEC) }
        if noAtime { flags |= UInt(MS_NOATIME) }
        return flags
    }

    /// For libfuse and fusermount3, which take the flags as words.
    var libfuseArguments: [String] {
        var words = ["fsname=\(escaped(source))", "subtype=\(escaped(subtype))", readOnly ? "ro" : "rw"]
        if allowOther { words.append("allow_other") }
        if defaultPermissions { words.append("default_permissions") }
        // An ordinary user's mount is nosuid and nodev in any case.
        if noExec { words.append("noexec") }
        if noAtime { words.append("noatime") }
        words.append("max_read=\(maximumRead)")
        return ["-o", words.joined(separator: ",")]
    }

    /// libfuse ends an option at a comma that has no backslash before it.
    private func escaped(_ value: String) -> String {
        String(value.flatMap { $0 == "," || $0 == "\\" ? ["\\", $0] : [$0] })
    }
}
