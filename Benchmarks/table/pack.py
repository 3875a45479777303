"""Packing, beside mksquashfs."""
import collections, os

from . import servers
from .bench import FolderStore, line
from .figures import Figure, faster
from .peers import BLOCK, LEVEL
from .work import need, run, timed


@line("pack")
def pack(bench):
    need("mksquashfs", "squashfs-tools")
    work = bench.work
    measured = collections.defaultdict(list)
    # Sources and targets in memory: what is measured is the work, not the disk.
    with work.mounted(lambda target: run("mount", "-t", "tmpfs", "-o", "mode=755", "flist-bench", target)) as memory:
        source = os.path.join(memory, "source")
        run("cp", "-a", bench.debian.tree, source)
        squash, flist = os.path.join(memory, "squashfs"), os.path.join(memory, "flist.fl")

        def make_squashfs(_):
            run("mksquashfs", source, squash, "-comp", "zstd", "-Xcompression-level", LEVEL, "-b", BLOCK, "-quiet",
                "-no-progress", "-noappend")
            return squash

        def make_flist(store):
            run(work.flist, "pack", "-q", "-m", flist, "-s", store, "--level", LEVEL, "--block-size", BLOCK + "iB", source)
            return flist

        ways = {"mksquashfs": (make_squashfs, lambda: None), "dir": (make_flist, lambda: FolderStore(f"{memory}/blocks").url),
                "redis": (make_flist, lambda: redis.url)}
        for order in bench.rotated(ways):
            for name in order:
                with servers.Redis(work) as redis:
                    make, store = ways[name]
                    measured[name].append(timed(lambda: make(store())))
                run("rm", "-rf", squash, flist, f"{memory}/blocks")
    what = f"a Debian root on tmpfs, zstd level {LEVEL}, blocks of {BLOCK}iB"
    return [
        Figure("pack", f"{what}, to a folder on tmpfs: speed of mksquashfs's", faster(measured, "dir", "mksquashfs"),
               least=0.8, measured=measured),
        Figure("pack", "the same to redis on loopback", faster(measured, "redis", "mksquashfs"), least=0.8),
    ]
