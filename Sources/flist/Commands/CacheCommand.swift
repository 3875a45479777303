internal import ArgumentParser
internal import BlockCache
internal import Support
internal import Synchronization
internal import ProgramSupport

/// `flist cache`: looks after the cache.
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Shows, verifies, tidies and empties the cache.",
        discussion: """
            stat   what is in it
            check  read everything and compare it with its hashes; what is damaged is removed and fetched again when read
            gc     remove what has not been used for 90 days, what ended processes left, and what is beyond --cache-size
            clear  remove everything that is not in use, but profiles (see flist profile)

              flist cache stat
              flist cache gc --cache-size 10GiB
            """)

    enum Action: String, ExpressibleByArgument, CaseIterable {
        case stat, check, gc, clear
    }

    @Argument(help: "What to do.")
    var action: Action

    @OptionGroup var cache: CacheOptions

    @Flag(name: .shortAndLong, help: "No progress.")
    var quiet = false

    @OptionGroup var json: JSONOption

    func run() throws {
        ProgramLog.startComplaining()
        var options = BlockCache.Options()
        options.quota = cache.size?.bytes
        let path = cache.path
        guard BlockCache.isThere(path) else {
            throw FlistError(.notFound, "there is no cache in \(path); --cache DIR names the one that is meant")
        }
        let cache = try BlockCache(folder: path, options: options)
        defer { cache.close() }
        switch action {
        case .stat: show(cache.statistics(), path)
        case .check: try check(cache, path)
        case .gc: show(cache.collect(), path)
        case .clear: show(cache.clear(), path)
        }
    }

    private func show(_ statistics: CacheStatistics, _ path: String) {
        if json.isOn {
            return JSONValue.object([
                ("cache", .string(path)), ("bytes", .unsigned(statistics.bytes)),
                ("quota", statistics.quota.map { .unsigned($0) } ?? .null),
                ("complete", .integer(Int64(statistics.objects))), ("partial", .integer(Int64(statistics.partial))),
                ("fresh", .integer(Int64(statistics.fresh))), ("suspect", .integer(Int64(statistics.suspect))),
                ("indexes", .integer(Int64(statistics.indexFiles))), ("index_bytes", .unsigned(statistics.indexBytes)),
            ]).print()
        }
        Output.line("cache     \(path)")
        Output.line(
            "contents  \(ByteCount(statistics.bytes))" + (statistics.quota.map { " of \(ByteCount($0))" } ?? ""))
        Output.line("complete  \(statistics.objects)")
        Output.line(
            "partial   \(statistics.partial)" + (statistics.suspect > 0 ? ", \(statistics.suspect) to verify" : ""))
        Output.line("indexes   \(statistics.indexFiles), \(ByteCount(statistics.indexBytes))")
    }

    private func check(_ cache: BlockCache, _ path: String) throws {
        let done = Mutex<(done: UInt64, all: UInt64)>((0, 0))
        let shared = Shared(done)
        let progress = TerminalProgress("check", quiet: quiet) {
            let (done, all) = shared.value.withLock { $0 }
            return TerminalProgress.Figures(done: done, total: all, note: "")
        }
        let result = cache.check { done, all in
            shared.value.withLock { $0 = (done, all) }
            return true
        }
        progress.stop()
        let damaged = result.damaged.count + result.damagedBlocks
        if json.isOn {
            JSONValue.object([
                ("cache", .string(path)), ("contents", .integer(Int64(result.objects))),
                ("bytes", .unsigned(result.bytes)),
                ("damaged_contents", .array(result.damaged.map { .string($0.description) })),
                ("damaged_blocks", .integer(Int64(result.damagedBlocks))),
            ]).print()
        } else if damaged == 0 {
            Output.line("\(path): good, \(result.objects) contents, \(ByteCount(result.bytes))")
        }
        guard damaged > 0 else { return }
        Terminal.complain(
            "\(path): \(result.damaged.count) contents and \(result.damagedBlocks) blocks were damaged and are removed;"
                + " they are fetched again when read")
        throw Failed()
    }

    private func show(_ collection: CacheCollection, _ path: String) {
        if json.isOn {
            return JSONValue.object([
                ("cache", .string(path)), ("contents", .integer(Int64(collection.objects))),
                ("indexes", .integer(Int64(collection.indexFiles))),
                ("leftovers", .integer(Int64(collection.leftovers))), ("bytes", .unsigned(collection.bytes)),
            ]).print()
        }
        Output.line(
            "\(path): removed \(collection.objects) contents and \(collection.indexFiles) indexes,"
                + " \(ByteCount(collection.bytes))")
    }
}

/// A lock that closures can share.
private final class Shared: Sendable {
    let value: Mutex<(done: UInt64, all: UInt64)>

    init(_ value: consuming Mutex<(done: UInt64, all: UInt64)>) { self.value = value }
}
