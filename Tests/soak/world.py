"""All that takes part, and how it begins and ends."""
import os, random, subprocess, time

from table.servers import Nginx, Redis

from . import images
from .caches import Caretaker
from .leaks import Leaks
from .ledger import Ledger, say
from .mounts import Mounter, Reaper, Veteran
from .node import Node, Restarts, Tenant
from .rest import Rest
from .starter import Starter
from .weather import Broken, Weather

PATIENCE = 240


class World:
    def __init__(self, work, minutes, seed, mounters, tenants):
        self.minutes = minutes
        self.seed, self.work, self.ledger, self.rest = seed, work, Ledger(), Rest()
        # Before anything is mounted.
        self.starter = Starter(work)
        self.log = self.work.path("mounts.log")
        self.caches = [self.work.new_folder("cache") for _ in range(2)]
        self.sources, blocks = self.work.new_folder("sources"), self.work.new_folder("blocks")
        redis, nginx = Redis(self.work), Nginx(self.work, blocks)
        self.stores = [Broken(self.work, "redis", redis, seed), Broken(self.work, "http", nginx, seed + 1)]
        self.images = images.make(self.work, self.stores, self.sources, [redis.url, f"dir://{blocks}"], self.generator("images"))
        self.weather = Weather(self.stores, self.ledger, self.rest, self.generator("weather"))
        self.reaper = Reaper(self.rest, self.ledger, self.generator("reaper"))
        self.node = Node(self)
        self.veteran = Veteran(self, self.images[0])
        self.rest.threads = [
            self.weather, self.reaper, self.veteran,
            Restarts(self.node, self.generator("restarts"), time.monotonic() + minutes * 30),
            Caretaker(self, self.generator("caretaker")), *[Mounter(self, number) for number in range(mounters)],
            *[Tenant(self.node, number) for number in range(tenants)]]
        self.leaks = Leaks(self)

    def generator(self, name):
        return random.Random(f"{self.seed} {name}")

    def source(self, image):
        return os.path.join(self.sources, image.name)

    def run(self):
        for thread in self.rest.threads:
            thread.daemon = True
            thread.start()
        end = time.monotonic() + self.minutes * 60
        while time.monotonic() < end and all(thread.is_alive() for thread in self.rest.threads):
            time.sleep(min(60, max(1, end - time.monotonic())))
            if not self.at_rest():
                break
            say(f"{time.monotonic() - self.ledger.start:5.0f} s, {sum(self.ledger.done.values()):,} operations, "
                f"{self.ledger.verified / (1 << 30):.1f} GiB, {len(self.ledger.unexpected)} unexpected; {self.leaks.rests[-1]}")
            self.rest.go_on()
        for thread in self.rest.threads:
            if not thread.is_alive():
                self.ledger.fault(f"{thread.name} ended before its time")
        for name in self.rest.end(PATIENCE):
            self.ledger.fault(f"{name} does not end")

    def at_rest(self):
        """Waits until nothing goes on, and counts what is held."""
        if late := self.rest.all_paused(PATIENCE):
            self.ledger.fault(f"no rest after {PATIENCE} s: {', '.join(late)}")
            return False
        # The last connections and threads of what ended go on their own.
        time.sleep(2)
        self.leaks.take()
        return True

    def close(self):
        """Everything ends; what then is still there was left behind."""
        self.rest.end(10)
        if os.path.ismount(self.veteran.target):
            self.veteran.close()

    def keep_logs(self, folder):
        os.makedirs(folder, exist_ok=True)
        for name in ("mounts.log", "flistd.log"):
            if os.path.exists(self.work.path(name)):
                subprocess.run(["cp", self.work.path(name), folder], check=True)
