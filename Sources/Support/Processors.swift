internal import CLinux
internal import Glibc

/// The processors of the machine.
public enum Processors {
    /// Those that are online, at least 1.
    public static let count = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}
