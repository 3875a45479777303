internal import BlockCache
internal import FUSESession
internal import FlistContent
internal import FlistFileSystem
internal import Glibc
internal import Logging
internal import ProgramSupport
internal import Support
internal import Telemetry

/// A mount as a command line describes it, and how this process serves it until it ends.
struct MountService {
    let flist: String
    let target: String
    var content: ContentOptions
    var options = FlistMount.Options()
    /// Whether cached contents are checked in the background while the mount lives.
    var scrubs = true
    var log: String?
    var level = Logger.Level.info
    /// A file that holds the process's number while the mount lives.
    var pidFile: String?
    /// Whether SIGHUP ends the mount; else the log is opened anew.
    var endsAtHangup = true
    /// Written to stdout when the mount can be used, for those who wait for it there.
    var announcement: String?

    /// Mounts, serves, and returns when the mount is gone.
    ///
    /// - Parameter readyDescriptor: who is told how mounting went; nil in the foreground.
    func run(readyDescriptor: Int32?) throws {
        // Before any thread: all inherit it, so that the one that waits gets them.
        let signals = ProgramSignals()
        let log = ProgramLog.start(log, isBackground: readyDescriptor != nil, level: level)
        var content = content
        // The one that came with the options was made before and writes to stderr, which nobody sees.
        content.logger = Logger(label: "flist")
        let readiness = Readiness(readyDescriptor)
        do {
            let open = try OpenFlist(flist, options: content)
            defer { open.close() }
            if scrubs { open.cache?.startScrubbing() }
            let pid = try pidFile.map(PIDFile.init)
            defer { pid?.remove() }
            let mount = try FlistMount.mount(open, source: FlistLocation.shown(flist), at: target, options: options)
            let stopping = Monitor(0)
            try handle(signals, mount, log, stopping)
            readiness.succeed()
            if let announcement {
                Output.line(announcement)
                _ = Output.finish()
            }
            mount.wait()
            // Cutting off those who use the mount ends the wait before it is out of the tree.
            stopping.wait { $0 == 0 ? () : nil }
        } catch {
            readiness.fail(error)
            throw error
        }
    }

    /// - Parameter stopping: how many calls are ending the mount just now.
    private func handle(
        _ signals: ProgramSignals, _ mount: FlistMount, _ log: LogFile?, _ stopping: Monitor<Int>
    ) throws {
        let hangup: @Sendable () -> Void = {
            do throws(FlistError) {
                try log?.reopen()
            } catch {
                Terminal.complain("\(error)")
            }
        }
        try signals.handle(
            ending: {
                stopping.withLock { $0 += 1 }
                defer {
                    stopping.withLock { $0 -= 1 }
                    stopping.broadcast()
                }
                do throws(FlistError) {
                    try mount.stop()
                } catch {
                    Terminal.complain("cannot end the mount: \(error)")
                }
            }, hangup: endsAtHangup ? nil : hangup)
    }
}

/// A file with the number of this process, which others read to find it.
struct PIDFile {
    private let path: String

    /// Writes it, in place of an older one.
    init(_ path: String) throws(FlistError) {
        self.path = path
        do throws(Errno) {
            let file = try FileDescriptor(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
            // No end of line: readers that expect a number and nothing else are about.
            let bytes = Array("\(getpid())".utf8)
            let number = file.number
            _ = try systemCall { write(number, bytes, bytes.count) }
        } catch {
            throw FlistError("cannot write the pid file \(path)", errno: error)
        }
    }

    func remove() { unlink(path) }
}
