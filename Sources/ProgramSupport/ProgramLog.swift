public import Logging
public import Support
public import Telemetry

/// Starts the log of a program.
public enum ProgramLog {
    /// To stderr, as lines of the program, for one that does its work and ends. Call once, and `start` not at all.
    public static func startComplaining() { LoggingSystem.bootstrap { _ in ComplaintLogHandler() } }

    /// To a file; without one to stderr in the foreground, and nowhere in the background, where nobody would see it.
    ///
    /// Call once; again only after it threw, since no file could be opened then.
    /// - Returns: the log, to be reopened on SIGHUP; nil for none.
    @discardableResult
    public static func start(
        _ path: String?, isBackground: Bool = false, level: Logger.Level = .info
    ) throws(FlistError) -> LogFile? {
        let file = try path.map { path throws(FlistError) in try LogFile(path) }
        let log = file ?? (isBackground ? nil : LogFile.standardError)
        if let log { log.start(level: level) } else { LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() } }
        return log
    }
}
