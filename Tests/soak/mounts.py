"""Mounts of `flist mount`: made, used, killed, handed over and unmounted."""
import contextlib, errno, os, random, shutil, signal, threading, time

from table.work import mounts_below

from .processes import keeper_and_server, send
from .visit import Readers, Visit
from .weather import TIMEOUT

QUOTA = 96 << 20


def mount(world, image, target, cache, mode, changes=None):
    command = [world.work.flist, "mount", image.flist, target, "--cache", cache, "--cache-size", str(QUOTA),
               "-o", f"open={mode},timeout={TIMEOUT}", "--log", world.log]
    if changes:
        command += ["--rw", changes]
    world.starter.run(*command)


def gone(target):
    """Waits until the processes of a mount have ended; those that did not."""
    for _ in range(300):
        left = [number for number in keeper_and_server(target) if number]
        if not left:
            return []
        time.sleep(0.1)
    return left


class Mounter(threading.Thread):
    """Mounts one flist after the other at its place."""

    def __init__(self, world, number):
        super().__init__(name=f"mounter {number}")
        self.world, self.random = world, random.Random(f"{world.seed} {self.name}")
        self.target = world.work.path("mounts", str(number))
        self.changes = world.work.path("changes", str(number))
        os.makedirs(self.target)
        os.makedirs(self.changes)
        self.models = {}

    def run(self):
        while not self.world.rest.over.is_set():
            self.world.rest.pause()
            try:
                self.session()
            except Exception as error:
                self.world.ledger.fault(f"{self.name}: {error!r}")
                with contextlib.suppress(RuntimeError):
                    self.world.starter.run("umount", "-l", self.target)

    def session(self):
        image = self.random.choice(self.world.images)
        mode = self.random.choice(["auto", "none", "message", "passthrough"])
        changes = os.path.join(self.changes, image.name) if self.random.random() < 0.4 else None
        cache = self.random.choice(self.world.caches)
        mount(self.world, image, self.target, cache, mode, changes)
        self.world.ledger.count(f"mount: open={mode}" + (", overlay" if changes else ""))
        mortal = self.world.reaper.may_kill(self.target)
        # One writer: what it knows of the tree has to be true.
        model = self.models.setdefault(image.name, {}) if changes else None
        where = f"{self.name}, {image.name}, open={mode}" + (", overlay" if changes else "")
        Readers(lambda number: Visit(self.world, where, self.target, image, random.Random(self.random.random()), model),
                1 if changes else 2, self.random.randrange(5, 120), self.world.rest).join()
        if changes:
            visit = Visit(self.world, where, self.target, image, self.random, model)
            visit.do(visit.read_written)
        # Signals until the last moment, or none.
        if self.random.random() < 0.7:
            self.world.reaper.spare(mortal)
        self.unmount(mortal)
        if changes and self.random.random() < 0.3:
            shutil.rmtree(changes)
            del self.models[image.name]

    def unmount(self, mortal):
        way = self.random.choice(["umount", "flist umount", "umount -l, a file open", "keeper and server killed"])
        if way == "umount":
            self.world.starter.run("umount", self.target)
        elif way == "flist umount":
            self.world.starter.run(self.world.work.flist, "umount", self.target, patience=60)
        elif way == "umount -l, a file open":
            with open(self.first_file(), "rb"):
                self.world.starter.run("umount", "-l", self.target)
        else:
            self.world.reaper.spare(mortal)
            self.kill_both()
        self.world.reaper.spare(mortal)
        self.world.ledger.count(f"unmount: {way}")
        if mounts_below(self.target):
            raise RuntimeError(f"still mounted: {mounts_below(self.target)}")
        if left := gone(self.target):
            self.world.ledger.fault(f"{self.name}: left after {way}: {left}")

    def first_file(self):
        return next(os.path.join(place, files[0]) for place, _, files in os.walk(self.target) if files)

    def kill_both(self):
        """Nobody is left to go on: who asks is told so, and hangs not."""
        for _ in range(100):
            keeper, server = keeper_and_server(self.target)
            if keeper and server:
                break
            time.sleep(0.05)
        for number in (keeper, server):
            if number:
                send(number, signal.SIGKILL)
        gone(self.target)
        try:
            os.stat(os.path.join(self.target, f"no{self.random.getrandbits(64)}"))
        except OSError as error:
            if error.errno not in (errno.ENOTCONN, errno.ECONNABORTED):
                self.world.ledger.fault(f"{self.name}: {error!r} of a mount that was killed")
        self.world.starter.run("umount", "-l", self.target)


class Reaper(threading.Thread):
    """Kills the processes that serve mounts, and has them hand over, while they are used."""

    def __init__(self, rest, ledger, generator):
        super().__init__(name="reaper")
        self.rest, self.ledger, self.random = rest, ledger, generator
        self.lock, self.mortals = threading.Lock(), {}

    def may_kill(self, target):
        with self.lock:
            # Five deaths in a row within a second each are taken for a program that cannot run.
            self.mortals[target] = time.monotonic() + 1.2
        return target

    def spare(self, target):
        with self.lock:
            self.mortals.pop(target, None)

    def run(self):
        while not self.rest.over.is_set():
            self.rest.pause()
            self.rest.sleep(self.random.uniform(0.1, 1.5))
            with self.lock:
                now = time.monotonic()
                ready = [target for target, when in self.mortals.items() if when <= now]
                target = self.random.choice(ready) if ready else None
                server = keeper_and_server(target)[1] if target else None
                if not server:
                    continue
                what = self.random.choice([signal.SIGKILL, signal.SIGHUP])
                if send(server, what):
                    self.mortals[target] = time.monotonic() + 1.3
                    self.ledger.count("kill of a mount's server" if what == signal.SIGKILL else "upgrade of a mount's server")


class Veteran(threading.Thread):
    """A mount that stays from the start to the end, whose process must not grow."""

    def __init__(self, world, image):
        super().__init__(name="veteran")
        self.world, self.image, self.random = world, image, random.Random(f"{world.seed} veteran")
        self.target = world.work.path("mounts", "veteran")
        os.makedirs(self.target)
        mount(world, image, self.target, world.caches[0], "message")
        self.server = keeper_and_server(self.target)[1]

    def run(self):
        while not self.world.rest.over.is_set():
            self.world.rest.pause()
            Readers(lambda number: Visit(self.world, self.name, self.target, self.image, random.Random(self.random.random())),
                    2, 200, self.world.rest).join()

    def close(self):
        self.world.starter.run("umount", self.target)
        if left := gone(self.target):
            self.world.ledger.fault(f"veteran: left after umount: {left}")
