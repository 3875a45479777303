internal import Logging
internal import Support

/// Prints what a tool's parts log as the tool's own complaints, from warnings on.
struct ComplaintLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { Terminal.complain("\(event.message)") }
}
