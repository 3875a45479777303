public import Support

/// Runs the making of every connection, so that a program can do it in another network namespace.
///
/// Called on the thread that connects, DNS included. It must call what it is given exactly once, on that thread, and
/// have undone whatever it changed when it returns. What it throws counts as a broker that cannot be reached.
public typealias ConnectScope = @Sendable (_ connect: () -> Void) throws(FlistError) -> Void
