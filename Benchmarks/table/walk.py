"""Going through a tree by name, with an lstat(2) of each entry."""
import collections, statistics

from .bench import line
from .figures import Figure, faster
from .peers import all_mounted
from .work import drop_caches


@line("walk-hot")
def walk_hot(bench):
    measured = collections.defaultdict(list)
    with all_mounted(bench.work, bench.entries.mounts()) as targets:
        for name, target in targets.items():
            # One after the other: the dentries of all together could be too many to be kept.
            for _ in range(2):
                bench.work.reader("walk", target)
            for _ in range(bench.rounds):
                measured[name].append(statistics.median(bench.work.reader("walk", target)[0] for _ in range(3)))
    return [Figure("walk-hot", f"find over {bench.entry_count:,} entries, hot: speed of ext4's",
                   faster(measured, "flist", "ext4"), least=0.9, measured=measured,
                   reduced=bench.entry_count < 100_000)]


@line("walk-cold")
def walk_cold(bench):
    measured = collections.defaultdict(list)
    with all_mounted(bench.work, bench.entries.mounts()) as targets:
        for order in bench.rotated(targets):
            for name in order:
                drop_caches(2)
                measured[name].append(bench.work.reader("walk", targets[name])[0])
    what = f"find over {bench.entry_count:,} entries, dentries dropped"
    reduced = bench.entry_count < 100_000
    figures = [Figure("walk-cold", f"{what}: speed of ext4's", faster(measured, "flist", "ext4"), measured=measured,
                      reduced=reduced)]
    if "squashfuse_ll" in measured:
        figures.insert(0, Figure("walk-cold", f"{what}: speed of squashfuse_ll's",
                                 faster(measured, "flist", "squashfuse_ll"), least=2, reduced=reduced))
    return figures
