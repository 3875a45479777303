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

/// Whether a workload, done again, comes to change a count no more. It is done until then, since what the kernel keeps of a
/// mount it gives up when it likes: memory is short, or somebody drops the caches of the whole machine.
public func settles<Count: Equatable>(_ count: () -> Count, _ workload: () throws -> Void) rethrows -> Bool {
    try eventually {
        let before = count()
        try workload()
        return count() == before
    }
}
