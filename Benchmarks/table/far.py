"""Stores that are far away: a long line on loopback, with a round trip and a rate."""
import collections, json, os, statistics

from . import peers, servers, trees
from .bench import FolderStore, line
from .cold import read_cold
from .figures import Figure, number
from .work import drop_caches, run, timed

# Of the line, in bytes per second and direction: 400 Mbit/s.
RATE = 50e6
# Nothing can come before these: for the first blocks, whose order tells what is read next, and for those of the window
# that they open.
ROUND_TRIPS = 3


@line("far-read")
def far_read(bench):
    images, work = bench.debian, bench.work
    images.flist
    size = stored_bytes(bench, images)
    stores = {"redis": bench.redis}
    if not bench.quick:
        blocks = work.path("debian-blocks")
        run(work.flist, "pack", "-q", "-m", work.path("unused.fl"), "-s", FolderStore(blocks).url, images.tree)
        stores["HTTP/1.1"] = servers.Nginx(work, blocks)
    figures = []
    for kind, server in stores.items():
        for trip in (0.1, 0.3):
            bound = size / RATE + ROUND_TRIPS * trip
            with servers.Line(work, server, trip, RATE) as far:
                times = [read_cold(bench, images, store=far.url) for _ in range(bench.rounds)]
            figures.append(Figure(
                "far-read", f"a Debian root from an empty cache, {kind} at {trip * 1000:.0f} ms and {RATE / 1e6:.0f} MB/s: "
                f"times of its bytes over the rate and {ROUND_TRIPS} round trips", statistics.median(times) / bound,
                # The promise is of the store of cold-read.
                most=1.1 if kind == "redis" else None,
                measured={f"{kind}, {trip * 1000:.0f} ms": times, f"bound at {trip * 1000:.0f} ms": [bound]}))
    figures[0].note = (f"{size / 1e6:.0f} MB stored; without a limit the line carries {ceiling(bench, images):.0f} MB/s "
                       "of them")
    return figures


def stored_bytes(bench, images):
    """What the store sends for one read of everything, measured without a line between."""
    asked = bench.redis.asked()
    read_cold(bench, images)
    return asked()[1]


def ceiling(bench, images):
    with servers.Line(bench.work, bench.redis, 0) as near:
        report = json.loads(run(bench.work.flist, "bench", "fetch", "-q", "--json", "--form", "stored", "--concurrency",
                                "256", "--duration", "2", "--store", near.url, images.flist))
    return report["runs"][0]["bytes_per_second"] / 1e6


@line("far-first-byte")
def far_first_byte(bench):
    work, trip = bench.work, 0.1
    mebibytes = bench.pick(1024, 128)
    tree = bench.made("one", lambda folder: trees.large(folder, 1, mebibytes))
    times, requests, sizes = [], [], []
    with servers.Redis(work) as redis, servers.Line(work, redis, trip) as far:
        images = peers.Images(work, tree, redis)
        for _ in range(bench.rounds):
            mount = images.flist_mount(cache=work.new_folder("cache"), store=far.url)
            with work.mounted(mount) as target:
                asked = redis.asked()
                times.append(work.reader("at", os.path.join(target, "large0"), mebibytes << 19, 4096)[0])
                count, size = asked()
            requests.append(count)
            sizes.append(size)
    reduced = mebibytes < 1024
    return [
        Figure("far-first-byte", f"4 KiB in the middle of a file of {mebibytes} MiB at 100 ms, nothing cached: round trips",
               statistics.median(times) / trip, unit="round trips", most=1.2, measured={"flist": times}, reduced=reduced,
               note="a fifth of a round trip is left for the machine's own work"),
        Figure("far-first-byte", "the same: blocks asked for", statistics.median(requests), unit="blocks", most=1,
               measured={"bytes sent by the store": sizes}, measured_in="bytes", reduced=reduced),
    ]


@line("second-start")
def second_start(bench):
    images, work = bench.debian, bench.work
    images.flist
    times = collections.defaultdict(list)
    blocks = collections.defaultdict(list)

    def start(name, cache, store, *options):
        with work.mounted(images.flist_mount(*options, cache=cache, store=store)) as target:
            asked = bench.redis.asked()
            times[name].append(timed(
                lambda: run("chroot", target, "/usr/bin/python3", "-c", "import json, ssl, sqlite3")))
        blocks[name].append(asked()[0])

    with servers.Line(work, bench.redis, 0.05) as far:
        for _ in range(bench.rounds):
            drop_caches()
            cache, profile = work.new_folder("cache"), os.path.join(work.new_folder("profile"), "profile")
            # A profile is recorded, as a first mount does it, and kept when the mount ends.
            start("without a profile", cache, far.url, "-o", "nosuid")
            run(work.flist, "profile", "--cache", cache, images.flist, "export", profile)
            cache = work.new_folder("cache")
            run(work.flist, "profile", "--cache", cache, images.flist, "import", profile)
            drop_caches()
            start("with a profile", cache, far.url, "-o", "nosuid")
    counts = ", ".join(f"{number(statistics.median(values))} {name}" for name, values in blocks.items())
    return [Figure("second-start", "python3 importing json, ssl, sqlite3 in chroot, at 50 ms, empty cache: times of the "
                   "start without a profile",
                   statistics.median(times["with a profile"]) / statistics.median(times["without a profile"]), most=0.3,
                   measured=times, note=f"blocks fetched until the mount ended: {counts}")]
