"""Calls of flistd over the bus: Mount and Unmount of a cached flist, one at a time and a hundred of one flist."""
import collections, hashlib, os, shutil, statistics, time, uuid

from . import servers
from .bench import line
from .figures import Figure
from .work import Missing, need, run, timed

HUNDRED = 100


class Bus:
    """A client of the Flister object, as the grid's programs speak to it."""

    def __init__(self, address):
        try:
            import msgpack, redis
        except ImportError as missing:
            raise Missing(f"no Python module {missing.name} (scripts/setup --tests)") from None
        self.pack, self.unpack = msgpack.packb, msgpack.unpackb
        self.redis = redis.Redis(unix_socket_path=address)

    def call(self, method, *arguments):
        identity = str(uuid.uuid4())
        self.redis.rpush("flist.flist@0.0.1", self.pack({
            "ID": identity, "Inputs": [self.pack(argument) for argument in arguments],
            "Object": {"Name": "flist", "Version": "0.0.1"}, "ReplyTo": identity, "Method": method}))
        answer = self.redis.blpop(identity, 60)
        reply = self.unpack(answer[1]) if answer else {"Error": "no answer within a minute"}
        if reply.get("Error") or reply["Output"]["Error"]:
            raise RuntimeError(f"{method}: {reply}")

    def mount(self, name, url, read_only=False):
        self.call("Mount", name, url, {"ReadOnly": read_only, "Limit": 256 << 20, "Storage": "", "PersistedVolume": ""})

    def unmount(self, name):
        self.call("Unmount", name)


class Node:
    """flistd, a broker, and a hub with one flist. Its root is on a disk: a pool of volumes in memory is none of a node's."""

    def __init__(self, work, flist):
        need("redis-server", "redis-server")
        need("mkfs.btrfs", "btrfs-progs")
        program = os.path.join(work.programs, "flistd")
        if not os.path.exists(program):
            raise Missing("no release build of flistd")
        # The path of a socket has 107 bytes at most.
        self.work, self.folder = work, work.new_folder("node")
        hub, socket = os.path.join(self.folder, "hub"), os.path.join(self.folder, "bus")
        os.makedirs(hub)
        shutil.copy(flist, os.path.join(hub, "tree.fl"))
        with open(flist, "rb") as file, open(os.path.join(hub, "tree.fl.md5"), "w") as out:
            out.write(hashlib.file_digest(file, "md5").hexdigest())
        self.url = servers.Nginx(work, hub).url + "/tree.fl"
        self.broker = work.start("redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no",
                                 "--dir", self.folder)
        self.daemon = work.start(program, "--broker", f"unix://{socket}", "--root", os.path.join(self.folder, "root"))
        self.bus = Bus(socket)
        for _ in range(200):
            try:
                run(work.flist, "status", "--broker", f"unix://{socket}", "--quiet", "--timeout", "5")
                return
            except RuntimeError as failure:
                reason = failure
                time.sleep(0.1)
        raise RuntimeError(f"flistd does not answer: {reason}")


def milliseconds(action):
    return timed(action) * 1000


@line("bus-mount")
def bus_mount(bench):
    node = Node(bench.work, bench.entries.flist)
    bus, url = node.bus, node.url
    calls = collections.defaultdict(list)
    hundreds = collections.defaultdict(list)
    calls["first Mount of all"].append(milliseconds(lambda: bus.mount("a", url)))
    bus.unmount("a")
    for _ in range(max(bench.rounds, 5)):
        calls["Mount, cached, not mounted"].append(milliseconds(lambda: bus.mount("a", url)))
        calls["Unmount of it"].append(milliseconds(lambda: bus.unmount("a")))
    bus.mount("kept", url, read_only=True)
    for _ in range(max(bench.rounds, 5)):
        for what, read_only in (("writable", False), ("read-only", True)):
            calls[f"Mount, {what}, mounted"].append(milliseconds(lambda: bus.mount("a", url, read_only)))
            calls["Unmount"].append(milliseconds(lambda: bus.unmount("a")))
    for _ in range(bench.rounds):
        hundreds["Mounts"].append(timed(lambda: [bus.mount(f"m{number}", url) for number in range(HUNDRED)]))
        hundreds["Unmounts"].append(timed(lambda: [bus.unmount(f"m{number}") for number in range(HUNDRED)]))
    bus.unmount("kept")
    bench.work.stop(node.daemon)
    bench.work.stop(node.broker)
    return [
        Figure("bus-mount", f"Mount over the bus of a cached flist of {bench.entry_count:,} entries, writable",
               statistics.median(calls["Mount, cached, not mounted"]), "ms", most=50, measured=calls, measured_in="ms"),
        Figure("bus-mount", f"{HUNDRED} writable Mounts of one flist, one after the other",
               statistics.median(hundreds["Mounts"]), "s", most=2, measured=hundreds),
    ]
