"""flistd, its broker and its hub: named mounts over the bus, while it is killed and started again."""
import contextlib, errno, hashlib, os, random, shutil, signal, threading, time

from table.servers import Nginx
from table.work import mounts_below
from zbus_client import call, connect

from .starter import end
from .visit import Readers, Visit, full
from .weather import TIMEOUT

LIMIT = 64 << 20
QUOTA = 128 << 20


class Node:
    """One flistd after the other on the same root."""

    def __init__(self, world):
        self.world = world
        self.folder, hub = world.work.new_folder("node"), world.work.new_folder("hub")
        for image in world.images:
            path = shutil.copy(image.flist, hub)
            with open(path, "rb") as file, open(path + ".md5", "w") as out:
                out.write(hashlib.file_digest(file, "md5").hexdigest())
        self.hub = Nginx(world.work, hub)
        self.root, self.broker = os.path.join(self.folder, "root"), f"unix://{self.folder}/bus"
        world.work.start("redis-server", "--port", "0", "--unixsocket", f"{self.folder}/bus", "--save", "", "--appendonly",
                         "no", "--dir", self.folder)
        self.deaths, self.process = [], None
        self.start()
        self.answers()
        self.bus = connect(self.broker)

    def start(self):
        self.process = self.world.starter.start(os.path.join(self.world.work.programs, "flistd"), "--config", self.settings())

    def settings(self):
        path = os.path.join(self.folder, "flistd.yaml")
        with open(path, "w") as out:
            out.write(f"broker: {self.broker}\nroot: {self.root}\nhub: {self.hub.url}\ncache-size: {QUOTA}\n"
                      f"storage: {self.world.stores[0].url}\ntimeout: {TIMEOUT}\nlog: {self.world.work.path('flistd.log')}\n"
                      f"scrub-rate: 0\n")
        return path

    def answers(self):
        for _ in range(300):
            with contextlib.suppress(RuntimeError):
                self.world.starter.run(self.world.work.flist, "status", "--broker", self.broker, "--quiet", "--timeout", "5")
                return
            time.sleep(0.1)
        raise RuntimeError("flistd does not answer")

    def end(self, how):
        """SIGKILL, which loses calls, or SIGTERM as for an upgrade, which answers them."""
        start = time.monotonic()
        if how == signal.SIGKILL:
            self.deaths.append((start, float("inf")))
        end(self.process, how, 90)
        if how == signal.SIGKILL:
            # Until its last socket is closed, redis gives it requests.
            self.deaths[-1] = (start, time.monotonic())

    def call(self, method, *arguments):
        """What it answered. A call that a killed flistd had taken is lost: it is made again."""
        while True:
            start = time.monotonic()
            answer = call(self.bus, "flist.flist@0.0.1", "flist", "0.0.1", method, arguments, 45)
            if answer is not None:
                if answer["protocol_error"] or answer["error"]:
                    raise RuntimeError(f"{method}{arguments}: {answer}")
                self.world.ledger.count(f"call: {method}")
                return answer["data"]
            if not any(over >= start for _, over in self.deaths):
                raise RuntimeError(f"{method}{arguments}: no answer in 45 s")
            self.world.ledger.expect(f"call: {method}: lost with a flistd that was killed")


class Restarts(threading.Thread):
    """Ends flistd and starts it again, all through the second half of the run: in the first one a single one gets old."""

    def __init__(self, node, generator, when):
        """`when`: of `time.monotonic`."""
        super().__init__(name="restarts")
        self.node, self.world, self.random, self.when = node, node.world, generator, when

    def run(self):
        while not self.world.rest.over.is_set():
            self.world.rest.pause()
            self.world.rest.sleep(max(self.random.uniform(1, 15), self.when - time.monotonic()))
            if self.world.rest.wanted.is_set():
                continue
            how = self.random.choice([signal.SIGKILL, signal.SIGTERM])
            self.node.end(how)
            self.world.ledger.count("kill of flistd" if how == signal.SIGKILL else "upgrade of flistd")
            time.sleep(self.random.choice([0, 0, 0.5, 3]))
            self.node.start()
            self.node.answers()


class Tenant(threading.Thread):
    """Mounts one flist after the other under its name."""

    def __init__(self, node, number):
        super().__init__(name=f"tenant {number}")
        self.node, self.world, self.random = node, node.world, random.Random(f"{node.world.seed} {self.name}")
        self.mount_name = f"tenant-{number}"

    def run(self):
        while not self.world.rest.over.is_set():
            self.world.rest.pause()
            try:
                self.session()
            except Exception as error:
                self.world.ledger.fault(f"{self.name}: {error!r}")
                try:
                    self.node.call("Unmount", self.mount_name)
                except Exception as again:
                    self.world.ledger.fault(f"{self.name}: {again!r}")

    def session(self):
        image, read_only = self.random.choice(self.world.images), self.random.random() < 0.4
        # Addresses without a scheme are the hub's.
        url = self.random.choice(["", self.node.hub.url]) + f"/{image.name}.fl"
        options = {"ReadOnly": read_only, "Limit": LIMIT, "Storage": "", "PersistedVolume": ""}
        path = self.node.call("Mount", self.mount_name, url, options)
        if not self.node.call("Exists", self.mount_name):
            self.world.ledger.fault(f"{self.name}: mounted, and does not exist")
        where = f"{self.name}, {image.name}, {'read-only' if read_only else 'writable'}"
        model = None if read_only else {}
        Readers(lambda number: Visit(self.world, where, path, image, random.Random(self.random.random()), model),
                2 if read_only else 1, self.random.randrange(5, 100), self.world.rest).join()
        if not read_only:
            visit = Visit(self.world, where, path, image, self.random, model)
            visit.do(visit.read_written)
            if self.random.random() < 0.2:
                self.fill(path)
        self.node.call("Unmount", self.mount_name)
        if mounts_below(path):
            self.world.ledger.fault(f"{self.name}: unmounted, and there still: {mounts_below(path)}")

    def fill(self, path):
        """Beyond the limit: refused, and what was written before stays."""
        self.node.call("UpdateMountSize", self.mount_name, LIMIT + (8 << 20))
        written, piece = 0, self.random.randbytes(1 << 20)
        try:
            with open(os.path.join(path, "filled"), "wb", buffering=0) as file:
                for _ in range(100):
                    written += file.write(piece)
                os.fsync(file.fileno())
        except OSError as error:
            if not full(error):
                raise
            self.world.ledger.expect(f"write beyond the limit: {errno.errorcode[error.errno]}")
        else:
            self.world.ledger.fault(f"{self.name}: {written} bytes written with a limit of {LIMIT + (8 << 20)}")
