internal import CLinux
internal import Glibc
public import Support

/// A network namespace that the process has entered, and the way back to the one that it came from.
///
/// Network namespaces belong to threads, new threads are in that of the one that starts them, and a socket stays in that
/// of the thread that made it (network_namespaces(7)). So a process that enters before it starts any thread fetches in
/// there with all of them, and what must be outside is made by `outside`. Thread-safe.
public final class NetworkNamespace: Sendable {
    private let origin: FileDescriptor

    /// Puts the calling thread, and all that it starts from now on, into a namespace. Needs CAP_SYS_ADMIN.
    ///
    /// - Parameter name: as ip-netns(8) has it, below /run/netns, or a path.
    public init(entering name: String) throws(FlistError) {
        let path = name.contains("/") ? name : "/run/netns/\(name)"
        do throws(Errno) {
            origin = try FileDescriptor("/proc/thread-self/ns/net", O_RDONLY)
        } catch {
            throw FlistError("cannot find the own network namespace", errno: error)
        }
        do throws(Errno) {
            try Self.enter(try FileDescriptor(path, O_RDONLY))
        } catch .noEntry {
            throw FlistError(.notFound, "there is no network namespace \(name) (\(path)); make it with ip netns add")
        } catch {
            throw FlistError("cannot enter the network namespace \(name)", errno: error)
        }
    }

    /// Runs `body` where the process came from, on a thread that ends with it; waits for its end.
    ///
    /// The calling thread never leaves, so that nothing it does later can be outside by mistake.
    public func outside(_ body: () -> Void) throws(FlistError) {
        let result = withoutActuallyEscaping(body) { body -> Result<Void, FlistError> in
            // Used by the one other thread only, while this one waits.
            nonisolated(unsafe) let body = body
            let failure = Monitor<Errno?>(nil)
            do throws(FlistError) {
                let thread = try WorkerThread("outside") { [self] in
                    do throws(Errno) {
                        try Self.enter(origin)
                        body()
                    } catch {
                        failure.withLock { $0 = error }
                    }
                }
                thread.join()
            } catch {
                return .failure(error)
            }
            guard let error = failure.withLock({ $0 }) else { return .success(()) }
            return .failure(FlistError("cannot go back to the own network namespace", errno: error))
        }
        try result.get()
    }

    private static func enter(_ namespace: borrowing FileDescriptor) throws(Errno) {
        let number = namespace.number
        _ = try systemCall { linux_setns_network(number) }
    }
}
