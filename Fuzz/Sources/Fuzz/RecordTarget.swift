import FlistFormat

/// The records of a `.flist`, with all that they point at.
enum RecordTarget {
    static func run(_ bytes: UnsafeRawBufferPointer) {
        let bytes = [UInt8](bytes)
        _ = try? AccessRecord(bytes)
        guard let record = try? DirectoryRecord(bytes) else { return }
        for position in 0..<record.count {
            guard let entry = try? record.entry(position) else { return }
            switch entry.content {
            case .file(let file):
                for number in 0..<file.count {
                    guard (try? file.block(number)) != nil else { break }
                }
            case .special(let special): _ = special.meaning
            case .directory, .link: break
            }
        }
    }
}
