"""Reads from an empty cache, the store on loopback."""
import collections, json, random, sqlite3, stat

from .bench import line
from .figures import Figure, slower
from .work import drop_caches, run, timed


def read_cold(bench, images, store=None, options=()):
    """Seconds for reading the whole tree through a mount with a new cache; mounting is not counted."""
    mount = images.flist_mount(*options, cache=bench.work.new_folder("cache"), store=store)
    drop_caches()
    with bench.work.mounted(mount) as target:
        return bench.work.reader("tree", target)[0]


@line("cold-read")
def cold_read(bench):
    measured = collections.defaultdict(list)
    images = bench.debian
    mounts = images.mounts(("ext4", "squashfs", "squashfuse_ll", "erofs"))
    for _ in range(bench.rounds):
        drop_caches()
        folder = bench.work.new_folder("decoded")
        report = json.loads(run(bench.work.flist, "bench", "decode", "-q", "--json", "--write", folder, images.flist))
        measured["pure pipeline"].append(report["runs"][0]["seconds"])
        measured["flist"].append(read_cold(bench, images))
        for name, mount in mounts.items():
            with bench.work.mounted(mount) as target:
                drop_caches()
                measured[name + ", page cache cold"].append(bench.work.reader("tree", target)[0])
    return [
        Figure("cold-read", "a Debian root from an empty cache, redis on loopback: times of decoding all blocks on all "
               "cores and writing them to files", slower(measured, "flist", "pure pipeline"), most=1.3,
               measured=measured),
        Figure("cold-read", "the same: times of ext4's read with a cold page cache",
               slower(measured, "flist", "ext4, page cache cold")),
    ]


@line("never-slower")
def never_slower(bench):
    measured = collections.defaultdict(list)
    images, work = bench.debian, bench.work
    for _ in range(bench.rounds):
        drop_caches()
        folder = work.new_folder("unpacked")
        measured["unpack"].append(timed(lambda: run(work.flist, "unpack", "-q", images.flist, folder + "/root")))
        mount = images.flist_mount(cache=work.new_folder("cache"))
        drop_caches()
        seconds = []
        with work.mounted(lambda target: seconds.append(timed(lambda: mount(target)))) as target:
            measured["mount and read"].append(seconds[0] + work.reader("tree", target)[0])
    return [Figure("never-slower", "a Debian root, mounted and read from an empty cache: times of flist unpack",
                   slower(measured, "mount and read", "unpack"), most=1.1, measured=measured)]


def files_and_blocks(flist):
    """Path, size and block ids of every file with bytes; of a zstd .fl, which is a SQLite database."""
    with sqlite3.connect(f"file:{flist}?mode=ro", uri=True) as database:
        database.text_factory = bytes
        inodes = {row[0]: row[1:] for row in database.execute("SELECT ino, parent, name, mode, size FROM inode")}
        blocks = collections.defaultdict(list)
        for ino, block in database.execute("SELECT ino, id FROM block ORDER BY rowid"):
            blocks[ino].append(block)
        size = int(database.execute("SELECT value FROM tag WHERE key LIKE '%block%size%'").fetchone()[0])
    folders = {1: b""}

    def folder(ino):
        if ino not in folders:
            parent, name = inodes[ino][:2]
            folders[ino] = folder(parent) + b"/" + name
        return folders[ino]

    files = [(folder(parent) + b"/" + name, length, blocks[ino])
             for ino, (parent, name, mode, length) in inodes.items() if stat.S_ISREG(mode) and length > 0]
    return sorted(files), size


@line("frugal")
def frugal(bench):
    images, work, redis = bench.debian, bench.work, bench.redis
    files, block_size = files_and_blocks(images.flist)
    requests, sizes, ideal = [], [], []
    for round_number in range(bench.rounds):
        chance = random.Random(round_number)
        trace = [(chance.randrange(length) // 4096 * 4096, path, blocks)
                 for path, length, blocks in (chance.choice(files) for _ in range(300))]
        touched = {blocks[offset // block_size] for offset, _, blocks in trace} - {None}
        with work.mounted(images.flist_mount(cache=work.new_folder("cache"))) as target:
            list_file = work.path("trace")
            with open(list_file, "wb") as out:
                out.writelines(b"%d %s%s\n" % (offset, target.encode(), path) for offset, path, _ in trace)
            asked = redis.asked()
            work.reader("trace", list_file, 4096)
            count, size = asked()
        requests.append(count / len(touched))
        sizes.append(size / sum(redis.command("STRLEN", block) for block in touched))
        ideal.append(len(touched))
    return [
        Figure("frugal", "300 reads of 4 KiB in files by chance, no profile: requests asked, times the blocks touched",
               sorted(requests)[len(requests) // 2], most=1.05,
               measured={"requests": requests, "bytes": sizes, "blocks touched": ideal}, measured_in=""),
        Figure("frugal", "the same: bytes sent by the store, times those of the blocks touched",
               sorted(sizes)[len(sizes) // 2], most=1.05),
    ]
