internal import Logging

/// Messages of a process that serves: lines on standard error, which a background process has in its log file.
enum Logs {
    private static let logger = Logger(label: "flist")

    static func start() { LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) } }

    /// For commands that report errors themselves: what the libraries log is not shown.
    static func silence() { LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() } }

    static func error(_ text: String) { logger.error("\(text)") }
}
