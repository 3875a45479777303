internal import Glibc
public import Support

/// Reads a file into memory.
public enum SmallFile {
    /// All of it; `limit` is the most bytes that it may have.
    public static func read(_ path: String, limit: Int) throws(FlistError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        let count: Int
        do throws(Errno) {
            let file = try FileDescriptor(path, O_RDONLY)
            // The closure of withUnsafeMutableBytes is not typed.
            var failure: Errno?
            let read = bytes.withUnsafeMutableBytes { buffer -> Int in
                do throws(Errno) {
                    return try file.read(into: buffer, at: 0)
                } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { throw failure }
            count = read
        } catch {
            throw FlistError("cannot read \(path)", errno: error)
        }
        guard count <= limit else { throw FlistError(.invalid, "\(path) is larger than \(limit) bytes") }
        return [UInt8](bytes[..<count])
    }
}
