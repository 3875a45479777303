internal import BlockStore
internal import FUSESession
internal import FlistContent
internal import FlistFileSystem
internal import Glibc
internal import Logging
internal import ProgramSupport
internal import Support

/// Called by the name of one of the programs that it replaces, through a link, the program takes that one's arguments.
///
/// Who starts them expects a mount of type `fuse.g8ufs` whose source is the number of the process that serves it, with the
/// flist's path among that process's arguments.
enum StandIn {
    /// Runs the program of that name and answers its exit status; nil when it stands in for none.
    static func run(as path: String, _ arguments: [String]) -> Int32? {
        switch path.split(separator: "/").last {
        case "g8ufs": Runner.run(G8ufsCommand.self, arguments)
        case "rfs": Runner.run(RfsCommand.self, arguments)
        default: nil
        }
    }

    /// How both mount.
    static func service(
        _ flist: String, at target: String, cache: String?, log: String?, debug: Bool
    ) throws(FlistError) -> MountService {
        guard try !isMountPoint(target) else {
            throw FlistError(.exists, "cannot mount on \(target): something is mounted there already")
        }
        var content = ContentOptions()
        content.cacheFolder = cache ?? CacheOptions.defaultFolder
        var service = MountService(flist: flist, target: target, content: content)
        service.log = log
        service.level = debug ? .debug : .info
        service.reopensAtHangup = true
        service.options.mount.subtype = "g8ufs"
        service.showsProcess = true
        return service
    }

    private static func isMountPoint(_ target: String) throws(FlistError) -> Bool {
        guard let path = realpath(target, nil) else { throw FlistError("cannot mount on \(target)", errno: .current) }
        defer { free(path) }
        return try MountTable.current().find(target: String(cString: path)) != nil
    }
}
