/// An error at a library's boundary: what kind it is, one line for a person, and what lay beneath.
///
/// The message names the thing (path, address, block), what is wrong with it and, where known, the way out.
public struct FlistError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure. More kinds may come: compare with the constants, do not switch exhaustively.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case usage, notFound, invalid, corrupt, unsupported, unavailable, timedOut, permission, exists, busy, io
        }
        private let kind: Kind

        /// The caller asked for something that makes no sense.
        public static let usage = Code(kind: .usage)
        /// The thing named does not exist.
        public static let notFound = Code(kind: .notFound)
        /// Input from outside breaks the rules of its format.
        public static let invalid = Code(kind: .invalid)
        /// Data does not have the hash it should have.
        public static let corrupt = Code(kind: .corrupt)
        /// Well formed, but of a kind that this version does not handle.
        public static let unsupported = Code(kind: .unsupported)
        /// A store or service could not be reached or refused.
        public static let unavailable = Code(kind: .unavailable)
        /// A deadline passed.
        public static let timedOut = Code(kind: .timedOut)
        /// The rights are missing.
        public static let permission = Code(kind: .permission)
        /// The thing to be made is there already.
        public static let exists = Code(kind: .exists)
        /// The thing is in use.
        public static let busy = Code(kind: .busy)
        /// The operating system reported a failure.
        public static let io = Code(kind: .io)

        public var description: String { kind.rawValue }
    }

    public let code: Code
    public let message: String
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message, and the cause's after a colon.
    public var description: String {
        guard let cause else { return message }
        return "\(message): \(cause)"
    }
}

extension FlistError {
    /// Wraps a failed system call: `what` names the deed and the thing, as in "cannot open /a/b".
    public init(_ what: String, errno: Errno) {
        let code: Code =
            switch errno {
            case .noEntry, .notDirectory: .notFound
            case .accessDenied, .notPermitted: .permission
            case .exists: .exists
            case .busy: .busy
            default: .io
            }
        self.init(code, what, cause: errno)
    }
}
