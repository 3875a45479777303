internal import Glibc
internal import Support

/// Looks again and again until it is so; false after forty seconds, which is far more than a loaded machine needs.
public func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let limit = Deadline.after(.seconds(40))
    while !limit.hasPassed {
        if try condition() { return true }
        usleep(1_000)
    }
    return try condition()
}
