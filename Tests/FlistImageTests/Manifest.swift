import FlistImage
import Foundation

/// One line about an entry, as the fixtures' manifests have it but without what an index does not hold.
struct ManifestEntry: Equatable, CustomStringConvertible {
    var type: Character
    var permissions: UInt16
    var uid: UInt32
    var gid: UInt32
    var size: UInt64
    var mtime: Int64
    var device: String
    var link: [UInt8]

    var description: String {
        "\(type) \(String(permissions, radix: 8)) \(uid) \(gid) \(size) \(mtime) \(device) \(link)"
    }

    /// The tree of an index by path, `.` for the root.
    static func tree(of index: TreeIndex) -> [[UInt8]: ManifestEntry] {
        var tree: [[UInt8]: ManifestEntry] = [:]
        var pending: [(InodeNumber, [UInt8])] = [(TreeIndex.root, [])]
        while let (number, path) = pending.popLast() {
            guard let attributes = index.attributes(of: number) else { continue }
            let isDevice = attributes.type == .characterDevice || attributes.type == .blockDevice
            let letters: [FileType: Character] = [
                .regular: "-", .directory: "d", .symlink: "l", .characterDevice: "c", .blockDevice: "b", .fifo: "p",
                .socket: "s",
            ]
            tree[path.isEmpty ? Array(".".utf8) : path] = ManifestEntry(
                type: letters[attributes.type] ?? "?", permissions: attributes.permissions, uid: attributes.uid,
                gid: attributes.gid,
                size: attributes.type == .regular || attributes.type == .symlink ? attributes.size : 0,
                mtime: attributes.mtime.seconds, device: isDevice ? "\(attributes.major):\(attributes.minor)" : "-",
                link: index.linkTarget(of: number) ?? Array("-".utf8))
            for child in index.children(of: number) ?? 0..<0 {
                pending.append(
                    (child, path.isEmpty ? index.name(of: child) : path + [UInt8(ascii: "/")] + index.name(of: child)))
            }
        }
        return tree
    }

    /// Reads a manifest of manifest.py: names are Python literals, with bytes that are not UTF-8 as `\udcXX`.
    static func parse(_ text: String) -> [[UInt8]: ManifestEntry] {
        var tree: [[UInt8]: ManifestEntry] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 7)
            guard fields.count == 8, let type = fields[0].first else { continue }
            var rest = fields[7][...]
            let link = literal(&rest)
            rest = rest.drop { $0 == " " }.drop { $0 != " " }.dropFirst()
            let path = literal(&rest)
            tree[path] = ManifestEntry(
                type: type, permissions: UInt16(fields[1], radix: 8) ?? 0, uid: UInt32(fields[2]) ?? 0,
                gid: UInt32(fields[3]) ?? 0, size: UInt64(fields[4]) ?? 0,
                mtime: Int64(fields[5].split(separator: ".")[0]) ?? 0,
                device: String(fields[6]), link: link)
        }
        return tree
    }

    private static func literal(_ text: inout Substring) -> [UInt8] {
        guard let quote = text.first, quote == "'" || quote == "\"" else { return [] }
        text.removeFirst()
        var bytes: [UInt8] = []
        while let character = text.popFirst(), character != quote {
            guard character == "\\", let escape = text.popFirst() else {
                bytes += Array(String(character).utf8)
                continue
            }
            let digits = ["x": 2, "u": 4, "U": 8][escape] ?? 0
            if digits > 0, let value = UInt32(text.prefix(digits), radix: 16) {
                text.removeFirst(digits)
                if (0xdc80...0xdcff).contains(value) {
                    bytes.append(UInt8(value - 0xdc00))
                } else if let scalar = UnicodeScalar(value) {
                    bytes += Array(String(Character(scalar)).utf8)
                }
            } else {
                bytes += Array(String(["n": "\n", "t": "\t", "r": "\r"][escape] ?? escape).utf8)
            }
        }
        return bytes
    }
}
