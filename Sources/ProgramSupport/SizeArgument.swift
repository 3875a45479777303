internal import ArgumentParser
public import Support

/// Reads sizes for options: `@Option(transform: SizeArgument.parse)`.
public enum SizeArgument {
    /// `512KiB`, `10GiB`, plain bytes.
    ///
    /// - Throws: what to write instead, as wrong usage.
    public static func parse(_ text: String) throws -> ByteCount {
        guard let size = ByteCount(parsing: text) else {
            throw ValidationError("'\(text)' is no size; write 512KiB, 10GiB or a number of bytes.")
        }
        return size
    }
}
