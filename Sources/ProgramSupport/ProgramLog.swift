public import Logging
public import Telemetry

/// Starts the log of a program.
public enum ProgramLog {
    /// To a file; without one to stderr in the foreground, and nowhere in the background, where nobody would see it.
    ///
    /// Call once. A file that cannot be opened is complained about, and the program goes on without a log.
    /// - Returns: the log, to be reopened on SIGHUP; nil for none.
    @discardableResult
    public static func start(_ path: String?, isBackground: Bool = false, level: Logger.Level = .info) -> LogFile? {
        var log: LogFile?
        do {
            log = try path.map { path in try LogFile(path) } ?? (isBackground ? nil : LogFile.standardError)
        } catch {
            Terminal.complain("\(error)")
        }
        if let log { log.start(level: level) } else { LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() } }
        return log
    }
}
