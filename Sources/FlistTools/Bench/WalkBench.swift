internal import Glibc
public import Support

/// Measures how fast a tree is gone through, by readdir(3) and lstat(2) of every entry.
public enum WalkBench {
    /// Walks once, on this thread. `count` is entries below the root, `latencies` those of lstat(2).
    ///
    /// - Parameter descends: Whether directories below the root are walked, too; without it this is what `ls -l` asks.
    /// - Throws: what could not be read.
    public static func run(
        _ root: String, descends: Bool = true, progress: BenchProgress = BenchProgress()
    ) throws(FlistError) -> BenchFigures {
        var figures = BenchFigures()
        let start = Deadline.now
        try FileWalk.run(
            root, descends: descends, timing: { figures.succeed(bytes: 0, since: $0) },
            visit: { _ in
                progress.add(bytes: 0)
                return true
            })
        figures.elapsed = .nanoseconds(Int64(clamping: Deadline.now.nanoseconds - start.nanoseconds))
        return figures
    }
}
