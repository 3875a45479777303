import FlistImage
import Support

@testable import FlistContent

/// Profiles, as `flist profile import` and a cache's folder hold them.
enum ProfileTarget {
    static func run(_ bytes: UnsafeRawBufferPointer) {
        let bytes = [UInt8](bytes)
        if let entries = try? ProfileText.decode(bytes) {
            let again = try? ProfileText.decode(ProfileText.encode(entries))
            require(again == entries, "what was written is read again")
        }
        _ = ProfileFolder.decode(bytes, of: BLAKE2b.hash([], .bytes32))
    }
}
