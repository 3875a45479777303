"""Mounting, and memory where there are many inodes."""
import collections, os, re, statistics

from .bench import line
from .figures import Figure
from .trees import counted
from .work import run, timed


def to_the_first_ls(bench, mount):
    """Seconds from the start of the mount's command to the end of the first ls."""
    seconds = []
    with bench.work.mounted(lambda target: seconds.append(timed(lambda: mount(target)))) as target:
        seconds.append(timed(lambda: run("ls", target)))
    return sum(seconds)


@line("mount")
def mount(bench):
    figures = []
    for images, entries, first, again in ((bench.debian, counted(bench.debian.tree)[0], 60, 20),
                                          (bench.million, bench.inode_count, 1500, 30)):
        measured = collections.defaultdict(list)
        peers = images.mounts(("squashfuse_ll",))
        images.flist
        for _ in range(bench.rounds):
            with_cache = images.flist_mount(cache=bench.work.new_folder("cache"))
            measured["first time"].append(to_the_first_ls(bench, with_cache) * 1000)
            measured["after"].append(to_the_first_ls(bench, with_cache) * 1000)
            for name, peer in peers.items():
                measured[name].append(to_the_first_ls(bench, peer) * 1000)
        what = f"{'a Debian root of ' if images is bench.debian else ''}{entries:,} entries"
        reduced = images is bench.million and entries < 1_000_000
        figures += [
            Figure("mount", f"{what}, new cache: start of flist mount to the end of the first ls",
                   statistics.median(measured["first time"]), "ms", most=first, measured=measured, measured_in="ms",
                   reduced=reduced),
            Figure("mount", f"{what}, index there", statistics.median(measured["after"]), "ms", most=again,
                   reduced=reduced),
        ]
    return figures


@line("memory")
def memory(bench):
    images, work = bench.million, bench.work
    every = max(1, images.entries // 100 * 99 // images.filled)
    values, index_values = [], []
    for _ in range(bench.pick(bench.rounds, 1)):
        with work.mounted(images.flist_mount(cache=work.new_folder("cache"))) as target:
            list_file = work.path("filled")
            with open(list_file, "w") as out:
                for number in range(0, images.entries // 100 * 99, every):
                    folder, file = divmod(number, 99)
                    out.write(f"{target}/d{folder // 100:03}/d{folder % 100:02}/file-{file:02}.txt\n")
            work.reader("walk", target)
            work.reader("small", list_file, 1)
            resident, index = resident_memory(work.server(target))
        values.append((resident - index) / (1 << 20))
        index_values.append(index / (1 << 20))
    # FetcherOptions.memoryBudget: what is under way at once.
    return [Figure("memory", f"resident without the mapped index, {images.entries:,} inodes, after reading all of "
                   f"{images.filled:,} files: 48 MiB and the 96 MiB that may be in flight", statistics.median(values),
                   "MiB", most=48 + 96, measured={"resident": values, "mapped index": index_values},
                   measured_in="MiB", reduced=images.entries < 1_000_000)]


def resident_memory(process):
    """Bytes of all mappings, and of those of the index among them."""
    with open(f"/proc/{process}/smaps_rollup") as rollup:
        total = next(int(row.split()[1]) for row in rollup if row.startswith("Rss:"))
    index, of_index = 0, False
    with open(f"/proc/{process}/smaps") as maps:
        for row in maps:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", row):
                of_index = os.path.basename(os.path.dirname(row.strip())) == "index"
            elif of_index and row.startswith("Rss:"):
                index += int(row.split()[1])
    return total << 10, index << 10
