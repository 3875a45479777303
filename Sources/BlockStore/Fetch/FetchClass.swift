/// How urgent a fetch is. A lower class waits for all of the higher ones.
public enum FetchClass: Int, Sendable, Hashable, CaseIterable, Comparable {
    /// Somebody waits for the bytes.
    case demand = 0
    /// Somebody is about to ask for them.
    case readahead = 1
    /// They may be asked for some day.
    case prefetch = 2

    /// Less is more urgent.
    public static func < (a: FetchClass, b: FetchClass) -> Bool { a.rawValue < b.rawValue }
}
