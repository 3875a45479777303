internal import Glibc
public import Support

extension ControlSocket {
    /// Asks the program behind a control socket how it is. Blocks.
    ///
    /// - Parameters:
    ///   - timeout: for connecting and the whole answer.
    ///   - limit: bytes; a longer answer is an error.
    /// - Throws: `notFound` when there is no socket, `unavailable` when its program is gone or refuses to answer, `timedOut`,
    ///   `permission`, and `invalid` for too long an answer.
    public static func read(
        path: String, timeout: Duration = .seconds(5), limit: Int = 16 << 20
    ) throws(FlistError) -> [UInt8] {
        let deadline = Deadline.after(timeout)
        let answer: [UInt8]?
        do throws(Errno) {
            let connection = try socket()
            try connect(connection.number, path, until: deadline)
            answer = try receive(connection.number, limit, deadline)
            if answer?.isEmpty == true { throw .connectionReset }
        } catch {
            throw unanswered(path, error)
        }
        guard let answer else { throw FlistError(.invalid, "\(path): the answer is longer than \(limit) bytes") }
        return answer
    }

    private static func connect(_ socket: Int32, _ path: String, until deadline: Deadline) throws(Errno) {
        while true {
            do throws(Errno) {
                return try connect(socket, path)
            } catch .again {
                // Too many are waiting; the kernel tells nobody when that changes.
                guard !deadline.hasPassed else { throw .timedOut }
                usleep(10_000)
            }
        }
    }

    /// Nil for more than the limit.
    private static func receive(_ connection: Int32, _ limit: Int, _ deadline: Deadline) throws(Errno) -> [UInt8]? {
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(connection, &chunk, chunk.count, 0)
            if count == 0 { return answer }
            guard count < 0 else {
                guard answer.count + count <= limit else { return nil }
                answer += chunk[..<count]
                continue
            }
            let error = Errno.current
            if error == .interrupted { continue }
            guard error == .again else { throw error }
            guard SocketWait.wait(connection, POLLIN, until: deadline) else { throw .timedOut }
        }
    }

    private static func unanswered(_ path: String, _ error: Errno) -> FlistError {
        switch error {
        case .noEntry, .notDirectory:
            FlistError(.notFound, "nobody answers at \(path): there is no such socket; is the service running?")
        case .connectionRefused:
            FlistError(.unavailable, "nobody answers at \(path): the service that made it has ended")
        case .connectionReset:
            FlistError(.unavailable, "\(path): hung up without an answer; only root and the service's own user get one")
        case .timedOut: FlistError(.timedOut, "\(path): no answer in time")
        default: FlistError("cannot ask \(path)", errno: error)
        }
    }
}
