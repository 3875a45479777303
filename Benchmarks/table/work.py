"""The work folder: programs that run in it, what is mounted in it, and how it goes."""
import contextlib, os, re, shutil, signal, socket, subprocess, sys, tempfile, time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Missing(Exception):
    """Something that a line needs is not on this machine: the line is left out, and says so."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run(*command, **options):
    """Runs a program to its end; what it printed to stdout."""
    result = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=3600, **options)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))[:300]}: {result.stderr.strip()[-1000:]}")
    return result.stdout


def timed(action):
    start = time.monotonic()
    action()
    return time.monotonic() - start


def need(program, package):
    if not shutil.which(program):
        raise Missing(f"no {program} here (Debian: {package})")


def drop_caches(what=3):
    """1 the page cache, 2 dentries and inodes, 3 both."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write(f"{what}\n")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def mounts_below(folder):
    """Where something is mounted below a folder, the innermost last."""
    with open("/proc/self/mountinfo") as table:
        points = [re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), line.split()[4]) for line in table]
    return [point for point in points if point == folder or point.startswith(folder + "/")]


class Work:
    """A new folder on a disk. Everything that was started, mounted or written in it ends with it."""

    def __init__(self, parent):
        os.makedirs(parent, exist_ok=True)
        self.parent = os.path.realpath(parent)
        self.folder = tempfile.mkdtemp(prefix="run-", dir=self.parent)
        self.programs = os.path.join(REPOSITORY, ".build", "release")
        self.flist = os.path.join(self.programs, "flist")
        self.processes = []
        self.count = 0
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit("bench: ended by a signal"))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def new_folder(self, name):
        """One that nobody used: on ext4, making files is slow for seconds after as many were removed."""
        return tempfile.mkdtemp(prefix=name + "-", dir=self.folder)

    def tool(self, name):
        """A small C program of this package, compiled when it is first wanted."""
        program = self.path("bin", name)
        if not os.path.exists(program):
            need("gcc", "gcc")
            os.makedirs(os.path.dirname(program), exist_ok=True)
            run("gcc", "-O2", "-o", program, os.path.join(os.path.dirname(__file__), name + ".c"))
        return program

    def reader(self, *words):
        """Seconds of each round, as reader.c measured them."""
        return [float(line.split()[0]) for line in run(self.tool("reader"), *words).splitlines()]

    def start(self, *command, port=None, **options):
        """Starts a server, and waits until it listens."""
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, **options)
        self.processes.append(process)
        for _ in range(500):
            if port is None or process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return process
            except OSError:
                time.sleep(0.02)
        if port is not None:
            raise RuntimeError(f"{command[0]} did not start")
        return process

    def stop(self, process):
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    @contextlib.contextmanager
    def mounted(self, mount):
        """Calls `mount` with a folder to mount on; unmounts it afterwards."""
        self.count += 1
        target = self.path("mounts", str(self.count))
        os.makedirs(target)
        mount(target)
        try:
            yield target
        finally:
            process = self.server(target)
            self.unmount(target)
            # It may still be putting its cache away, at the cost of what is measured next.
            for _ in range(500):
                if process is None or not os.path.exists(f"/proc/{process}"):
                    break
                time.sleep(0.01)

    def server(self, target):
        """The process of flist that serves a mount, not its keeper; None when that is another one's."""
        parents = {}
        for number in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{number}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
                with open(f"/proc/{number}/stat") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"mount" in words and target.encode() in words and words[0].endswith(b"flist"):
                parents[int(number)] = parent
        # The keeper is the server's parent.
        return next((number for number in parents if number not in parents.values()), None)

    def unmount(self, target):
        for _ in range(200):
            if not mounts_below(target):
                return
            if subprocess.run(["umount", target], stderr=subprocess.DEVNULL).returncode != 0:
                time.sleep(0.05)
        raise RuntimeError(f"cannot unmount {target}")

    def remove(self, folder):
        """Removes a folder, never through a mount."""
        if mounts_below(folder):
            raise RuntimeError(f"something is mounted below {folder}")
        # A process of a mount that just ended may still be putting its cache away.
        for _ in range(20):
            if subprocess.run(["rm", "-rf", "--one-file-system", folder], stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.1)

    def close(self):
        for process in list(self.processes):
            self.stop(process)
        for point in reversed(mounts_below(self.folder)):
            if subprocess.run(["umount", point], stderr=subprocess.DEVNULL).returncode != 0:
                subprocess.run(["umount", "-l", point], stderr=subprocess.DEVNULL)
        if mounts_below(self.folder):
            say(f"left {self.folder}: something is mounted there")
        else:
            self.remove(self.folder)
