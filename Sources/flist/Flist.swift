internal import ArgumentParser
internal import ProgramSupport

/// The program's root command: names its subcommands, nothing else.
struct Flist: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flist",
        abstract: "Makes, looks into and mounts flists: root filesystems that are fetched as they are read.",
        discussion: """
            A flist is a small file that holds a tree of names and the ids of blocks; the
            blocks lie in stores. FLIST is a path or an http(s) URL, of any of the three
            formats (.flist, rfs .fl, zstd .fl).

              flist pack -s dir:///srv/blocks /usr/share/doc       makes doc.fl
              flist ls -l doc.fl                                   looks into it
              flist mount doc.fl /mnt                              mounts it

            Sizes are written as 512KiB, 10GiB or in plain bytes.
            Exit status: 0 done, 1 failed, 2 wrong usage.
            Completions: flist --generate-completion-script bash (or zsh, fish).
            """,
        version: "flist \(Version.number)",
        groupedSubcommands: [
            CommandGroup(name: "Make:", subcommands: [PackCommand.self, TagCommand.self, RouteCommand.self]),
            CommandGroup(
                name: "Look:",
                subcommands: [
                    ListCommand.self, TreeCommand.self, CatCommand.self, StatCommand.self, InfoCommand.self,
                    CheckCommand.self,
                ]),
            CommandGroup(
                name: "Use:",
                subcommands: [
                    MountCommand.self, UmountCommand.self, PrefetchCommand.self, ProfileCommand.self,
                    UnpackCommand.self, CacheCommand.self,
                ]),
            CommandGroup(name: "Measure:", subcommands: [BenchCommand.self]),
            CommandGroup(
                name: "On a node:", subcommands: [StatusCommand.self, TopCommand.self, NodeCommand.self]),
        ])
}
