internal import ArgumentParser

/// `flist bench`: figures for a store, a machine, a mount.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures stores, mounts and flists.",
        discussion: """
            Find out what limits: fetch measures the stores, decode the processor, read and
            walk a mount (or any other tree), mount the way to the first ls.

              flist bench fetch debian.fl
              flist bench decode debian.fl
              flist mount debian.fl /mnt && flist bench read /mnt && flist bench walk /mnt
              flist bench mount debian.fl

            Times are shown as those that 50, 90 and 99 of 100 do not exceed, and the
            longest. Nothing drops the kernel's caches: as root, `echo 3 >
            /proc/sys/vm/drop_caches` does before a run.
            """,
        subcommands: [
            BenchFetchCommand.self, BenchDecodeCommand.self, BenchReadCommand.self, BenchWalkCommand.self,
            BenchMountCommand.self,
        ])
}
