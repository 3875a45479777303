internal import Support
internal import Synchronization

/// What went otherwise than wished, told at once and counted. Thread-safe.
final class PackJournal: Sendable {
    struct Counts: Sendable {
        var changed = 0
        var vanished = 0
        var failed = 0
        var excluded = 0
        var entries: UInt64 = 0
        /// The first error that ended the work.
        var fatal: FlistError?
    }

    private let counts = Mutex(Counts())
    private let source: String
    private let tell: @Sendable (PackNotice) -> Void

    init(source: String, tell: @escaping @Sendable (PackNotice) -> Void) {
        self.source = source
        self.tell = tell
    }

    var current: Counts { counts.withLock { $0 } }

    /// The path as a person finds it: under the source.
    func shown(_ path: [UInt8]) -> String {
        let text = PathText.escaped(path)
        if path.isEmpty { return source }
        return source.hasSuffix("/") ? source + text : "\(source)/\(text)"
    }

    func found() { counts.withLock { $0.entries += 1 } }

    func excluded() { counts.withLock { $0.excluded += 1 } }

    func changed(_ path: [UInt8]) {
        counts.withLock { $0.changed += 1 }
        tell(.warning("\(shown(path)): changed while it was read, twice; packed as it was read"))
    }

    func vanished(_ path: [UInt8]) {
        counts.withLock { $0.vanished += 1 }
        tell(.warning("\(shown(path)): went away before it was read; left out"))
    }

    func failed(_ path: [UInt8], _ why: String) {
        counts.withLock { $0.failed += 1 }
        tell(.failure("\(shown(path)): \(why); left out"))
    }

    func warn(_ text: String) { tell(.warning(text)) }

    func warn(_ path: [UInt8], _ why: String) { tell(.warning("\(shown(path)): \(why)")) }

    /// An entry could not be looked at: it went away, or is an error.
    func lost(_ path: [UInt8], _ what: String, _ error: Errno) {
        if error == .noEntry { vanished(path) } else { failed(path, "\(what): \(error)") }
    }

    /// Keeps the first.
    func end(_ error: FlistError) { counts.withLock { if $0.fatal == nil { $0.fatal = error } } }
}
