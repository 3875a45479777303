/// Figures for one scrape, written as Prometheus reads them: the text format, version 0.0.4.
///
/// Families come in the order in which they were first named, samples in the order in which they were added. Names and
/// help are the program's own; values of labels may be any text.
public struct MetricsPage: Sendable {
    /// Names and values, as in `["store": url]`.
    public typealias Labels = KeyValuePairs<String, String>

    private struct Family {
        let type: String
        let help: String
        var lines = ""
    }

    private var families: [String: Family] = [:]
    private var order: [String] = []

    public init() {}

    /// The media type that goes with `text`.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A figure that only grows; its name ends in `_total`.
    public mutating func counter(_ name: String, help: String, _ value: some BinaryInteger, labels: Labels = [:]) {
        add(name, "counter", help, [Self.line(name, labels, "\(value)")])
    }

    /// A figure that only grows and is no whole number, such as seconds.
    public mutating func counter(_ name: String, help: String, _ value: Double, labels: Labels = [:]) {
        add(name, "counter", help, [Self.line(name, labels, Self.text(value))])
    }

    /// A figure that goes up and down.
    public mutating func gauge(_ name: String, help: String, _ value: some BinaryInteger, labels: Labels = [:]) {
        add(name, "gauge", help, [Self.line(name, labels, "\(value)")])
    }

    /// A figure that goes up and down and is no whole number.
    public mutating func gauge(_ name: String, help: String, _ value: Double, labels: Labels = [:]) {
        add(name, "gauge", help, [Self.line(name, labels, Self.text(value))])
    }

    /// How values are distributed.
    public mutating func histogram(
        _ name: String, help: String, _ snapshot: Histogram.Snapshot, labels: Labels = [:]
    ) {
        var lines: [String] = []
        var count: UInt64 = 0
        for (bound, number) in zip(snapshot.bounds + [.infinity], snapshot.counts) {
            count &+= number
            lines.append(Self.line(name + "_bucket", labels, bound: Self.text(bound), "\(count)"))
        }
        lines.append(Self.line(name + "_sum", labels, Self.text(snapshot.sum)))
        lines.append(Self.line(name + "_count", labels, "\(count)"))
        add(name, "histogram", help, lines)
    }

    /// The page.
    public var text: String {
        var text = ""
        for name in order {
            guard let family = families[name] else { continue }
            text += "# HELP \(name) \(Self.escaped(family.help))\n# TYPE \(name) \(family.type)\n\(family.lines)"
        }
        return text
    }

    private mutating func add(_ name: String, _ type: String, _ help: String, _ lines: [String]) {
        if families[name] == nil { order.append(name) }
        families[name, default: Family(type: type, help: help)].lines += lines.joined()
    }

    private static func line(_ name: String, _ labels: Labels, bound: String? = nil, _ value: String) -> String {
        var pairs = labels.map { "\($0.key)=\"\(escaped($0.value, quotes: true))\"" }
        if let bound { pairs.append("le=\"\(bound)\"") }
        return name + (pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}") + " \(value)\n"
    }

    private static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // "5" rather than "5.0", as others write bounds: the text is the bound's identity.
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value))" }
        return "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool = false) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
