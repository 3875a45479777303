internal import Glibc
internal import Logging
internal import Support

/// Where the log goes: to a file, to stderr in the foreground, else nowhere.
enum LogFile {
    static func start(_ path: String?, isBackground: Bool) {
        let descriptor: Int32
        if let path {
            descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
            if descriptor < 0 { Terminal.complain("cannot open the log \(path): \(Errno.current)") }
        } else {
            descriptor = isBackground ? -1 : STDERR_FILENO
        }
        LoggingSystem.bootstrap { _ -> any LogHandler in
            if descriptor < 0 { return SwiftLogNoOpLogHandler() }
            return LineLogHandler(descriptor: descriptor)
        }
    }
}

/// Writes each message as one line: time, level, text, facts. Whole lines even with several processes on one file.
struct LineLogHandler: LogHandler {
    let descriptor: Int32
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(descriptor: Int32) { self.descriptor = descriptor }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:]) { $1 }
        var line = "\(Self.time()) \(event.level) \(event.message)"
        for (key, value) in facts.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
        let bytes = Array(line.utf8).map { $0 < 0x20 ? 0x20 : $0 } + [0x0a]
        _ = try? systemCall { write(descriptor, bytes, bytes.count) }
    }

    private static func time() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            let count = strftime(base, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
            return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
