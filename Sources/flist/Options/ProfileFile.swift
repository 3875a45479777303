internal import FlistImage
internal import Glibc
internal import ProgramSupport
internal import Support

/// A profile in a file that people keep.
enum ProfileFile {
    static func read(_ path: String) throws(FlistError) -> [ProfileEntry] {
        let text = try SmallFile.read(path, limit: ProfileText.maximumBytes)
        do throws(FlistError) {
            return try ProfileText.decode(text)
        } catch {
            throw FlistError(error.code, "\(path): \(error.message)")
        }
    }

    static func write(_ entries: [ProfileEntry], _ path: String) throws(FlistError) {
        let bytes = ProfileText.encode(entries)
        do throws(Errno) {
            let file = try FileDescriptor(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
            let number = file.number
            var done = 0
            while done < bytes.count {
                done += try systemCall {
                    bytes[done...].withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
                }
            }
        } catch {
            throw FlistError("cannot write \(path)", errno: error)
        }
    }
}
