/// What is wrong with a message or record: one line without the record's name, which the caller knows.
public enum FormatError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes break the rules of Cap'n Proto's encoding.
    case malformed(String)
    /// Following the message's pointers would take longer than a message of its length may.
    case tooMuchWork
    /// Well-formed Cap'n Proto, but not what a record of a flist may hold.
    case badRecord(String)

    public var description: String {
        switch self {
        case .malformed(let what): what
        case .tooMuchWork: "its pointers cover the same bytes again and again"
        case .badRecord(let what): what
        }
    }
}
