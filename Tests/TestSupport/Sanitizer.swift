import Glibc

/// Which sanitizer the tests were built with.
public enum Sanitizer {
    /// Has a thread of its own in every process.
    public static let isThread = dlsym(nil, "__tsan_init") != nil
    public static let isAddress = dlsym(nil, "__asan_init") != nil
}
