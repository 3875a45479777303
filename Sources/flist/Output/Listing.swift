internal import FlistImage
internal import Support
internal import ProgramSupport

/// The lines of `flist ls`.
struct Listing {
    let index: TreeIndex
    let long: Bool
    let all: Bool
    let human: Bool

    /// Whether a name is shown without `-a`.
    func shows(_ number: InodeNumber) -> Bool {
        all || index.withName(of: number) { $0.first != UInt8(ascii: ".") } ?? false
    }

    /// The entries that `--json` prints.
    func all(below start: InodeNumber, recursive: Bool, itself: Bool) -> [InodeNumber] {
        guard index.type(of: start) == .directory, !itself else { return [start] }
        var entries: [InodeNumber] = []
        var pending = [start]
        while let number = pending.popLast() {
            if number != start { entries.append(number) }
            guard number == start || recursive else { continue }
            pending.append(contentsOf: (index.children(of: number) ?? 0..<0).filter(shows).reversed())
        }
        return entries
    }

    func printDirectory(_ number: InodeNumber) {
        var rows: [(InodeNumber, [UInt8])] = []
        if all {
            rows.append((number, Array(".".utf8)))
            rows.append((index.parent(of: number), Array("..".utf8)))
        }
        for child in index.children(of: number) ?? 0..<0 where shows(child) {
            rows.append((child, index.name(of: child)))
        }
        if long {
            let blocks = rows.reduce(UInt64(0)) { $0 &+ (index.attributes(of: $1.0)?.sectors ?? 0) }
            // As ls counts: in KiB.
            Output.line("total \(human ? Self.short(blocks &* 512) : "\((blocks &+ 1) / 2)")")
        }
        print(rows)
    }

    func print(_ rows: [(number: InodeNumber, name: [UInt8])]) {
        guard long else {
            for row in rows { Output.write(bytes: NameStyle.bytes(row.name) + [UInt8(ascii: "\n")]) }
            return
        }
        let table = rows.map { cells($0.number) }
        // Mode, links, owner, group, size: numbers to the right but owner and group, as ls has them.
        let widths = (0..<5).map { column in table.map { $0[column].utf8.count }.max() ?? 0 }
        for (row, cells) in zip(rows, table) {
            var line = cells[0]
            for column in 1..<5 {
                let padding = String(repeating: " ", count: widths[column] - cells[column].utf8.count)
                let isToTheLeft = column == 2 || column == 3
                line += isToTheLeft ? " \(cells[column])\(padding)" : " \(padding)\(cells[column])"
            }
            var bytes = Array("\(line) \(cells[5]) ".utf8) + NameStyle.bytes(row.name)
            if let target = index.linkTarget(of: row.number) { bytes += Array(" -> ".utf8) + NameStyle.bytes(target) }
            Output.write(bytes: bytes + [UInt8(ascii: "\n")])
        }
    }

    private func cells(_ number: InodeNumber) -> [String] {
        guard let attributes = index.attributes(of: number) else { return Array(repeating: "?", count: 6) }
        let isDevice = attributes.type == .characterDevice || attributes.type == .blockDevice
        let size =
            isDevice
            ? "\(attributes.major), \(attributes.minor)"
            : human ? Self.short(attributes.size) : "\(attributes.size)"
        return [
            ModeText.text(attributes.type, attributes.permissions), "\(attributes.nlink)", "\(attributes.uid)",
            "\(attributes.gid)", size, TimeText.minutes(attributes.mtime),
        ]
    }

    /// As `ls -h`: three figures at most, rounded up.
    static func short(_ bytes: UInt64) -> String {
        guard bytes >= 1024 else { return "\(bytes)" }
        var value = Double(bytes)
        var unit = -1
        let units = ["K", "M", "G", "T", "P", "E"]
        repeat {
            value /= 1024
            unit += 1
        } while value > 1023 && unit < units.count - 1
        let tenths = (value * 10).rounded(.up)
        let whole = Int(tenths)
        return tenths < 100 ? "\(whole / 10).\(whole % 10)\(units[unit])" : "\(Int(value.rounded(.up)))\(units[unit])"
    }
}
