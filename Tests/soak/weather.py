"""The stores' weather: which of the two is broken when, and what errors a read may have had for it."""
import errno, subprocess, sys, threading, time

from table.work import free_port

# What a read waits for silent stores, in seconds: `-o timeout=`, flistd's `timeout`.
TIMEOUT = 3
# A fetch that began while the stores were broken may be joined by a read that begins later. Each share of its time is
# used up first, and one that queued may wait twice as long.
GRACE = 4 * TIMEOUT
ERRORS = {errno.EIO, errno.EHOSTUNREACH, errno.ETIMEDOUT}
BREAKS = ("refuse", "reset", "truncate", "stall", "flip")


class Broken:
    """One store behind a proxy; remembers when it was broken."""

    def __init__(self, work, name, server, seed):
        self.name, self.port, self.spells, self.since = name, free_port(), [], None
        self.process = subprocess.Popen(
            [sys.executable, "-m", "soak.proxy", str(self.port), str(server.port), str(seed)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        work.processes.append(self.process)
        self.url = f"{server.url.split(':')[0]}://127.0.0.1:{self.port}"
        self.set("pass")

    def set(self, mode):
        now = time.monotonic()
        if self.since is None and mode in BREAKS:
            self.since = now
        self.process.stdin.write(mode + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()
        if self.since is not None and mode not in BREAKS:
            self.spells.append((self.since, time.monotonic()))
            self.since = None

    def broken(self, start, end):
        since = self.since
        return (since is not None and since <= end) or any(a <= end and b >= start for a, b in list(self.spells))


class Weather(threading.Thread):
    """Breaks one store, or both, for some seconds; then it is fine for some."""

    def __init__(self, stores, ledger, rest, generator):
        super().__init__(name="weather")
        self.stores, self.ledger, self.rest, self.random = stores, ledger, rest, generator

    def excuses(self, error, start):
        """Whether a read that began at `start` and failed now may have: both stores were broken in that time."""
        now = time.monotonic()
        return (isinstance(error, OSError) and error.errno in ERRORS
                and all(store.broken(start - GRACE, now) for store in self.stores))

    def run(self):
        while not self.rest.over.is_set():
            self.rest.pause()
            self.rest.sleep(self.random.uniform(1, 6))
            struck = self.stores if self.random.random() < 0.25 else [self.random.choice(self.stores)]
            for store in struck:
                mode = self.random.choice(BREAKS + ("trickle",))
                store.set(mode)
                self.ledger.count(f"fault: {mode}" + (" (both stores)" if len(struck) > 1 else ""))
            self.rest.sleep(self.random.uniform(0.5, 3 * TIMEOUT))
            for store in struck:
                store.set("pass")
