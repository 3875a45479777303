internal import Support
internal import YAML

/// The file of `--config`: a YAML mapping of flags' names to their values.
struct ConfigurationFile {
    private var values: [String: String] = [:]

    static let keys = [
        "broker", "root", "workers", "storage", "hub", "netns", "volumes", "cache-size", "scrub-rate", "timeout",
        "keep",
        "metrics", "log",
        "log-level",
    ]

    /// Nothing is set.
    init() {}

    /// - Parameter name: what the file is called in errors.
    init(parsing bytes: [UInt8], name: String) throws(FlistError) {
        let node: YAMLNode
        do throws(YAMLNode.Fault) {
            node = try YAMLNode.parse(bytes)
        } catch .empty {
            // All of its lines are comments.
            return
        } catch {
            throw FlistError(.usage, "\(name) is no configuration: \(error.reason)")
        }
        if case .scalar("") = node { return }
        guard case .mapping(let pairs) = node else {
            throw FlistError(.usage, "\(name) is no configuration: it needs lines such as 'workers: 8'")
        }
        for (key, value) in pairs {
            guard Self.keys.contains(key) else {
                throw FlistError(
                    .usage, "\(name): there is no setting '\(key)'; there are \(Self.keys.joined(separator: ", "))")
            }
            guard case .scalar(let text) = value else {
                throw FlistError(.usage, "\(name): \(key) takes one value")
            }
            // `key:` alone is what is left of a line whose value was taken away.
            if !text.isEmpty { values[key] = text }
        }
    }

    subscript(key: String) -> String? { values[key] }
}
