internal import BlockCodec
internal import Support

extension TreeIndexBuilder {
    func fault(_ id: UInt64, _ name: [UInt8], _ reason: String) -> FlistError {
        FlistError(.invalid, "entry \(id) (\"\(EscapedBytes.render(name))\"): \(reason)")
    }

    /// Checks what an entry says of itself.
    func check(_ entry: TreeEntry, isRoot: Bool) throws(FlistError) {
        let reason: String?
        if isRoot {
            reason =
                if !entry.name.isEmpty { "the root has a name" } else if entry.type != .directory {
                    "the root is not a directory"
                } else { fault(inAttributes: entry) }
        } else {
            reason = Self.fault(inName: entry.name) ?? fault(inAttributes: entry)
        }
        if let reason { throw fault(entry.id, entry.name, reason) }
    }

    static func fault(inName name: [UInt8]) -> String? {
        if name.isEmpty { return "the name is empty" }
        if name.count > 255 { return "the name has \(name.count) bytes, more than 255" }
        if name.contains(UInt8(ascii: "/")) { return "the name holds a slash" }
        if name.contains(0) { return "the name holds a NUL byte" }
        let dot = UInt8(ascii: ".")
        if name == [dot] || name == [dot, dot] { return "the name is reserved" }
        return nil
    }

    private func fault(inAttributes entry: TreeEntry) -> String? {
        if entry.permissions > 0o7777 { return "the permissions have more than 12 bits" }
        if entry.size > UInt64(Int64.max), entry.type == .regular || entry.type == .directory {
            return "the size \(entry.size) is more than 2^63 - 1"
        }
        if entry.mtime.nanoseconds >= 1_000_000_000 || entry.ctime.nanoseconds >= 1_000_000_000 {
            return "a time has a second or more of nanoseconds"
        }
        switch entry.type {
        case .symlink:
            if entry.linkTarget.isEmpty { return "the symlink has no target" }
            // PATH_MAX is 4,096 with the final NUL.
            if entry.linkTarget.count > 4095 {
                return "the symlink's target has \(entry.linkTarget.count) bytes, more than 4095"
            }
            if entry.linkTarget.contains(0) { return "the symlink's target holds a NUL byte" }
        case .characterDevice, .blockDevice:
            // The kernel's dev_t has 12 and 20 bits (include/linux/kdev_t.h).
            if entry.major >= 1 << 12 { return "the device's major number \(entry.major) is more than 4095" }
            if entry.minor >= 1 << 20 { return "the device's minor number \(entry.minor) is more than 1048575" }
        case .regular, .directory, .fifo, .socket: break
        }
        if entry.type != .symlink, !entry.linkTarget.isEmpty { return "has a link target but is no symlink" }
        return nil
    }

    func fault(inBlock id: Digest, _ key: Digest) -> String? {
        let length = info.codec.digestLength.rawValue
        if id.count != length { return "the id has \(id.count) bytes, not \(length)" }
        if key.count != length { return "the key has \(key.count) bytes, not \(length)" }
        // In the index this would be a hole. No hash is all zeros but by a chance of 1 in 2^128.
        if id.first == 0, id.bytes.allSatisfy({ $0 == 0 }) { return "the id is all zeros" }
        return nil
    }

    func faultInHole(hasID: Bool, hasKey: Bool) -> String? {
        if hasID { return "has an id but no key" }
        if hasKey { return "has a key but no id" }
        return info.kind == .zstd ? nil : "is a hole, which this kind of flist cannot have"
    }

    /// Checks what does not belong to one entry.
    func checkInfo() throws(FlistError) {
        // 64 MiB: eight times the largest value that 0-db takes.
        guard info.blockSize >= 4096, info.blockSize <= 64 << 20, info.blockSize % 4096 == 0 else {
            throw FlistError(
                .invalid, "the block size \(info.blockSize) is not a multiple of 4096 from 4096 to 67108864")
        }
        for route in info.routes where route.start > route.end {
            throw FlistError(.invalid, "a route begins at \(route.start) and ends before that, at \(route.end)")
        }
    }
}
