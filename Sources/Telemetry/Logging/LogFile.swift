internal import CLinux
internal import Glibc
public import Logging
public import Support

/// Where a program's log goes: a file that is appended to, or stderr.
///
/// Thread-safe. Whole lines even with several processes on one file, since each is one write(2) to its end.
public final class LogFile: Sendable {
    /// What a line looks like.
    enum Style {
        /// With the time in front.
        case plain
        /// With the level as the journal wants it, see sd-daemon(3); it adds the time itself.
        case journal
    }

    let style: Style
    private let descriptor: Int32
    private let path: String?

    /// Standard error; when that is the journal of systemd, in its form.
    public static let standardError = LogFile(
        descriptor: STDERR_FILENO, path: nil, style: isJournal(STDERR_FILENO) ? .journal : .plain)

    /// Opens a file for appending; makes it, readable by its owner and group, when it is missing.
    public convenience init(_ path: String) throws(FlistError) {
        self.init(descriptor: try Self.open(path).release(), path: path, style: .plain)
    }

    private init(descriptor: Int32, path: String?, style: Style) {
        self.descriptor = descriptor
        self.path = path
        self.style = style
    }

    deinit {
        if path != nil { close(descriptor) }
    }

    /// Opens the path anew, after logrotate(8) has moved the file away. No line is lost or cut. Does nothing for stderr.
    ///
    /// - Throws: when the new file cannot be opened; the old one is written on then.
    public func reopen() throws(FlistError) {
        guard let path else { return }
        let new = try Self.open(path)
        // In place of the old one, in one step: writers see either.
        guard linux_dup3(new.number, descriptor, O_CLOEXEC) >= 0 else {
            throw FlistError("cannot reopen the log \(path)", errno: .current)
        }
    }

    /// Sends what all loggers of the process say from now on here. Only one log can be started in a process's life.
    ///
    /// - Parameter level: what is less grave than this is left out, unless a logger is told otherwise.
    public func start(level: Logger.Level = .info) {
        LoggingSystem.bootstrap { _ in LineLogHandler(self, level: level) }
    }

    func write(line: [UInt8]) { _ = try? systemCall { Glibc.write(descriptor, line, line.count) } }

    private static func open(_ path: String) throws(FlistError) -> FileDescriptor {
        do throws(Errno) {
            return try FileDescriptor(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o640)
        } catch {
            throw FlistError("cannot open the log \(path)", errno: error)
        }
    }

    /// Whether systemd says that this is the journal: JOURNAL_STREAM holds its device and inode, see systemd.exec(5).
    private static func isJournal(_ descriptor: Int32) -> Bool {
        var status = stat()
        guard let value = getenv("JOURNAL_STREAM"), fstat(descriptor, &status) == 0 else { return false }
        return String(cString: value) == "\(status.st_dev):\(status.st_ino)"
    }
}
