internal import ArgumentParser
internal import BlockCache
internal import FlistContent
internal import FlistImage
internal import ProgramSupport
internal import Support

/// `flist profile`: looks after what is recorded of a flist's start.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Shows, keeps and moves what a flist's mounts read first.",
        discussion: """
            The first minute of a mount is recorded in the cache, and later mounts of the
            same flist fetch it before it is asked for. A profile in a file has one range
            of bytes a line: offset, length, path.

            show         print the profile: the cache's, else the one in the flist
            export FILE  write it to a file
            import FILE  keep a file as the cache's profile of this flist
            clear        forget the cache's profile: the next mount is recorded
            embed [FILE] write the file, or the cache's profile, into the flist, a .fl, for
                         all who mount it with a cache that has none. The flist is another
                         one then, with a hash of its own.

              flist profile web.fl show
              flist profile web.fl export web.profile
              flist pack --profile web.profile -s dir:///srv/blocks -m web2.fl web
            """)

    enum Action: String, ExpressibleByArgument, CaseIterable {
        case show, export, `import`, clear, embed
    }

    @OptionGroup var flist: FlistArgument

    @Argument(help: "What to do.")
    var action: Action = .show

    @Argument(help: "The profile's file.", completion: .file())
    var file: String?

    @OptionGroup var cache: CacheOptions
    @OptionGroup var json: JSONOption

    func validate() throws {
        switch action {
        case .show, .clear:
            guard file == nil else { throw ValidationError("\(action.rawValue) takes no file") }
        case .export, .import:
            guard file != nil else { throw ValidationError("\(action.rawValue) which file? Name it") }
        case .embed: break
        }
    }

    func run() throws {
        let index = try FlistOpening.index(flist)
        let hash = index.summary.flistHash
        let folder = ProfileFolder(BlockCache.profileFolder(in: cache.path))
        switch action {
        case .show: show(try profile(folder.load(hash), index))
        case .export:
            guard let file else { return }
            try ProfileFile.write(profile(folder.load(hash), index).entries, file)
        case .import:
            guard let file else { return }
            // Makes the cache where there is none, and refuses one that others may write in.
            try BlockCache(folder: cache.path).close()
            try folder.save(RecordedProfile(entries: ProfileFile.read(file), isComplete: true), of: hash)
        case .clear:
            guard try folder.remove(hash) else { throw missing() }
        case .embed: try embed(try file.map(ProfileFile.read) ?? profile(folder.load(hash), index).entries)
        }
    }

    private func profile(_ recorded: RecordedProfile?, _ index: TreeIndex) throws -> RecordedProfile {
        if let recorded { return recorded }
        guard !index.profile.isEmpty else { throw missing() }
        return RecordedProfile(entries: index.profile, isComplete: true)
    }

    private func missing() -> FlistError {
        FlistError(.notFound, "\(flist.flist): no mount of it was recorded in \(cache.path); mount it and use it first")
    }

    private func show(_ profile: RecordedProfile) {
        guard json.isOn else { return Output.write(bytes: ProfileText.encode(profile.entries)) }
        JSONValue.object([
            ("complete", .bool(profile.isComplete)), ("bytes", .unsigned(profile.bytes)),
            (
                "ranges",
                .array(
                    profile.entries.map { entry in
                        .object(
                            JSONValue.name("path", entry.path) + [
                                ("offset", .unsigned(entry.offset)), ("length", .unsigned(entry.length)),
                            ])
                    })
            ),
        ]).print()
    }

    private func embed(_ entries: [ProfileEntry]) throws {
        guard !FlistLocation.isURL(flist.flist) else {
            throw FlistError(.usage, "\(flist.flist): only a file can be written into; download it first")
        }
        try FlistEditor(flist.flist).setProfile(entries)
    }
}
