internal import Glibc
internal import Support

/// Looks again and again until it is so; false after twenty seconds.
public func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let limit = Deadline.after(.seconds(20))
    while !limit.hasPassed {
        if try condition() { return true }
        usleep(5_000)
    }
    return false
}
