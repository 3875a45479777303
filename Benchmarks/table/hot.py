"""Reads of what is in the cache: hot, page cache cold, FUSE's own pages dropped."""
import collections, os, statistics

from .bench import line
from .figures import Figure, faster
from .peers import all_mounted
from .work import drop_caches


def listed(work, target):
    """A file with the paths of all files below a mount, in the order of their names."""
    paths = [os.path.join(base, name) for base, folders, names in os.walk(target) for name in sorted(names)]
    list_file = os.path.join(work.new_folder("lists"), "list")
    with open(list_file, "w") as out:
        out.writelines(path + "\n" for path in sorted(paths))
    return list_file


@line("small-files")
def small_files(bench):
    measured = collections.defaultdict(list)
    with all_mounted(bench.work, bench.small.mounts()) as targets:
        lists = {name: listed(bench.work, target) for name, target in targets.items()}
        for name in lists:
            bench.work.reader("small", lists[name], 3)
        for order in bench.rotated(lists):
            for name in order:
                measured[name].append(statistics.median(bench.work.reader("small", lists[name], 5)))
    what = f"open, read, close of {bench.small_files:,} hot files of 1–20 KB"
    reduced = bench.small_files < 10_000
    figures = [Figure("small-files", f"{what}: speed of ext4's", faster(measured, "flist", "ext4"), least=0.8,
                      measured=measured, reduced=reduced)]
    if "squashfuse_ll" in measured:
        figures.append(Figure("small-files", "the same: speed of squashfuse_ll's",
                              faster(measured, "flist", "squashfuse_ll"), least=2, reduced=reduced))
    return figures


def large_files(bench, folder):
    return [os.path.join(folder, f"large{number}") for number in range(bench.large_files[0])]


def large_mounts(bench, names=()):
    mounts = bench.large.mounts(names)
    for mode in ("passthrough", "none"):
        mounts[mode] = bench.large.flist_mount("-o", f"noprofile,open={mode}")
    return mounts


@line("page-cold-read")
def page_cold_read(bench):
    measured = collections.defaultdict(list)
    with all_mounted(bench.work, large_mounts(bench)) as targets:
        targets["plain files"] = bench.large.tree
        for order in bench.rotated(targets):
            for name in order:
                drop_caches()
                measured[name].append(bench.work.reader("read", *large_files(bench, targets[name]))[0])
    size = f"{bench.large_files[0]} files of {bench.large_files[1]} MiB"
    return [
        Figure("page-cold-read", f"{size}, read in sequence, page cache cold, passthrough: speed of the same files on "
               "the cache's file system", faster(measured, "passthrough", "plain files"), least=0.95, measured=measured),
        Figure("page-cold-read", "the same without passthrough", faster(measured, "none", "plain files"), least=0.95),
    ]


def hot(bench, how):
    measured = collections.defaultdict(list)
    with all_mounted(bench.work, large_mounts(bench, ("ext4", "squashfs", "squashfuse_ll", "erofs"))) as targets:
        for name, target in targets.items():
            # Those beside it must not push it out of memory: one after the other.
            bench.work.reader("read", *large_files(bench, target))
            bench.work.reader(how, *large_files(bench, target))
            for _ in range(bench.rounds):
                measured[name].append(statistics.median(
                    bench.work.reader(how, *large_files(bench, target))[0] for _ in range(3)))
    return measured


@line("hot-read")
def hot_read(bench):
    measured = hot(bench, "read")
    size = f"{bench.large_files[0]} files of {bench.large_files[1]} MiB"
    return [
        Figure("hot-read", f"{size}, hot, read(2) of 1 MiB, passthrough: speed of ext4's",
               faster(measured, "passthrough", "ext4"), least=0.95, measured=measured),
        Figure("hot-read", "the same without passthrough", faster(measured, "none", "ext4"), least=0.5),
        Figure("hot-read", "page cache used after reading without passthrough: times the files' size",
               pages_used(bench, "none"), most=1.1),
        Figure("hot-read", "the same with passthrough", pages_used(bench, "passthrough"), most=1.1),
    ]


def cached_bytes():
    with open("/proc/meminfo") as facts:
        return next(int(line.split()[1]) * 1024 for line in facts if line.startswith("Cached:"))


def pages_used(bench, mode):
    with bench.work.mounted(bench.large.flist_mount("-o", f"noprofile,open={mode}")) as target:
        files = large_files(bench, target)
        drop_caches()
        # The programs themselves come back first.
        bench.work.reader("at", files[0], 0, 4096)
        before = cached_bytes()
        bench.work.reader("read", *files)
        return (cached_bytes() - before) / sum(os.path.getsize(file) for file in files)


@line("hot-mmap")
def hot_mmap(bench):
    measured = hot(bench, "map")
    return [
        Figure("hot-mmap", "hot, mapped, every page touched, passthrough: speed of ext4's",
               faster(measured, "passthrough", "ext4"), least=0.95, measured=measured),
        Figure("hot-mmap", "the same without passthrough", faster(measured, "none", "ext4")),
    ]


@line("drop-read")
def drop_read(bench):
    measured = collections.defaultdict(list)
    with all_mounted(bench.work, large_mounts(bench, ("ext4",))) as targets:
        for name, target in targets.items():
            # One after the other: without passthrough the pages of the cache, which both share, are dropped by reading.
            files = large_files(bench, target)
            bench.work.reader("read", *files)
            for _ in range(bench.rounds):
                bench.work.reader("read" if name == "ext4" else "drop", *files)
                measured[name].append(bench.work.reader("read", *files)[0])
    return [
        Figure("drop-read", "the mount's own pages dropped by posix_fadvise(3), passthrough: speed of ext4's hot reads",
               faster(measured, "passthrough", "ext4"), least=0.9, measured=measured),
        Figure("drop-read", "the same without passthrough", faster(measured, "none", "ext4")),
    ]
