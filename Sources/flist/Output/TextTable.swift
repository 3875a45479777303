/// Columns of text under headings, as wide as what is in them.
struct TextTable {
    /// A heading that begins with a space stands over numbers, which go to the right.
    private let headings: [String]
    private var rows: [[String]] = []

    init(_ headings: String...) { self.headings = headings }

    var isEmpty: Bool { rows.isEmpty }

    /// Adds a row; what would end its line or steer a terminal is shown with a backslash.
    mutating func add(_ cells: String...) { rows.append(cells.map(NameStyle.escaped)) }

    /// The heading and all rows.
    var lines: [String] {
        let titles = headings.map { $0.hasPrefix(" ") ? String($0.dropFirst()) : $0 }
        let widths = headings.indices.map { column in
            max(titles[column].count, rows.map { $0[column].count }.max() ?? 0)
        }
        return ([titles] + rows).map { cells in
            var line = ""
            for (column, cell) in cells.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                if column > 0 { line += "  " }
                let isLast = column == cells.count - 1
                line += headings[column].hasPrefix(" ") ? padding + cell : cell + (isLast ? "" : padding)
            }
            return line
        }
    }
}
