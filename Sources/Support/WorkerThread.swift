internal import CLinux
internal import Glibc

/// A named thread of the operating system, for work that blocks; join it or let it run on.
///
/// All signals are blocked in it: they belong to the thread that waits for them.
public final class WorkerThread: @unchecked Sendable {
    // Written once before the object is handed out, read by `join` only.
    private var thread = pthread_t()

    /// Starts the thread; `name` is cut to 15 bytes, as Linux does.
    public init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(FlistError) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        let code = pthread_create(&thread, nil, workerThreadMain, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw FlistError("cannot start the thread \(name)", errno: Errno(rawValue: code))
        }
    }

    /// Calls the body on a thread of its own, and waits for it without taking a lock of Swift's.
    ///
    /// For the first thread of a process that was forked: those locks know a thread by the number that it had when it
    /// took the first one (LinuxImpl.swift in Swift's Synchronization), which is its parent's. Whoever waits for a lock of
    /// such a thread crashes, or waits for ever.
    public static func call(_ name: String, _ body: () throws -> Void) throws {
        try withoutActuallyEscaping(body) { body in
            // Shared by two threads, of which one waits for the other.
            nonisolated(unsafe) let body = body
            nonisolated(unsafe) var outcome = Result<Void, any Error>.success(())
            try WorkerThread(name) { outcome = Result(catching: body) }.join()
            try outcome.get()
        }
    }

    /// Has the calling thread run as soon as it is woken, also where others keep the processors busy: for one that does
    /// little at a time and is waited for. A wish; Linux before 6.12 does not hear it.
    ///
    /// With slices of 0.1 ms for threads that answer the kernel, the read of a tree from an empty cache took 1.93 s instead
    /// of 2.32 s on two busy cores.
    public static func answerPromptly() { linux_set_time_slice(100_000) }

    /// Waits until the body has returned. Call at most once.
    public func join() { pthread_join(thread, nil) }

    /// Lets the thread free itself when it ends; `join` must not be called then.
    public func detach() { pthread_detach(thread) }
}

private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func workerThreadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
    var signals = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    _ = linux_prctl_set_name(String(start.name.prefix(15)))
    start.body()
    return nil
}
