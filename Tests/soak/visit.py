"""What a program does in a mounted tree; every byte and every name is compared with what has to be there."""
import errno, hashlib, os, threading, time

from .images import sum_of, write
from .ledger import name_of

PIECE = 1 << 17


def read_all(file, length, start=0):
    """A read that fails in its middle answers what it has; the next one tells why."""
    parts, got = [], 0
    while got < length and (part := os.pread(file.fileno(), length - got, start + got)):
        parts.append(part)
        got += len(part)
    return b"".join(parts)


class Visit:
    """One tree: a flist's files, and what was written over them (`model`: sums by path, None for what was deleted)."""

    def __init__(self, world, where, path, image, generator, model=None):
        self.world, self.where, self.path, self.image, self.random, self.model = world, where, path, image, generator, model
        self.names = list(image.files)

    def expected(self, name):
        if self.model is not None and name in self.model:
            return self.model[name]
        return self.image.files.get(name)

    def do(self, work):
        """One operation; an error is noted, as expected if the stores were broken meanwhile."""
        start = time.monotonic()
        kind = work.__name__.replace("_", " ")
        try:
            work()
        except OSError as error:
            if self.world.weather.excuses(error, start):
                self.world.ledger.expect(f"{kind}: {name_of(error)}")
            else:
                self.world.ledger.fault(f"{self.where}: {kind}: {error!r} after {time.monotonic() - start:.1f} s")
        else:
            self.world.ledger.count(kind)
        self.world.ledger.took(f"{self.where}: {kind}", time.monotonic() - start)

    def fault(self, text):
        self.world.ledger.fault(f"{self.where}: {text}")

    def anything(self):
        reads = [self.read_file] * 6 + [self.read_piece] * 6 + [self.list_folder, self.look_up, self.hold_open]
        writes = [self.write_file] * 3 + [self.change_file] * 2 + [self.delete_file, self.rename_file, self.read_written]
        self.do(self.random.choice(reads + (writes if self.model is not None else [])))

    def open(self, name):
        return open(os.path.join(self.path, name), "rb", buffering=0)

    def forget(self, file):
        """The kernel's pages of it, so that the next read is ours to answer."""
        if self.random.random() < 0.5:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def compare(self, file, name):
        state, size = hashlib.sha256(), 0
        while part := file.read(PIECE):
            state.update(part)
            size += len(part)
        if (size, state.digest()) != self.expected(name):
            self.fault(f"wrong bytes in {name}: {size} of {self.expected(name)[0]}")
        self.world.ledger.verify(size)

    def read_file(self):
        name = self.random.choice(self.names)
        if self.expected(name) is None:
            return self.look_up_deleted(name)
        with self.open(name) as file:
            self.forget(file)
            self.compare(file, name)

    def read_piece(self):
        """Somewhere in a file; compared with the same bytes read from the source."""
        name = self.random.choice(self.names)
        if self.model is not None and name in self.model:
            return
        size = self.image.files[name][0]
        start, length = self.random.randrange(size + 1), self.random.randrange(1, 1 << 18)
        with self.open(name) as file, open(os.path.join(self.world.source(self.image), name), "rb") as source:
            self.forget(file)
            got, wanted = read_all(file, length, start), read_all(source, length, start)
            if got != wanted:
                self.fault(f"wrong bytes in {name}, {len(got)} of {len(wanted)} at {start}")
            self.world.ledger.verify(len(got))

    def hold_open(self):
        name = self.random.choice(self.names)
        if self.expected(name) is None:
            return
        with self.open(name) as file:
            for _ in range(3):
                self.forget(file)
                file.seek(0)
                self.compare(file, name)

    def list_folder(self):
        folder = self.random.choice(self.image.folders)
        found = set(os.listdir(os.path.join(self.path, folder)))
        names = {name for name in [*self.image.files, *(self.model or ())] if os.path.dirname(name) == folder}
        wanted = {os.path.basename(name) for name in names if self.expected(name) is not None}
        if found != wanted:
            self.fault(f"names in {folder}: {sorted(found ^ wanted)}")

    def look_up(self):
        # Nobody has asked for it before: the kernel has no answer.
        if os.path.lexists(os.path.join(self.path, self.random.choice(self.image.folders), f"no{self.random.getrandbits(64)}")):
            self.fault("a name is there that nobody made")

    def look_up_deleted(self, name):
        if os.path.lexists(os.path.join(self.path, name)):
            self.fault(f"{name} is there although it was deleted")

    def write_file(self):
        folder = self.random.choice(self.image.folders)
        name = self.random.choice([f"{folder}/w{self.random.randrange(5)}", self.random.choice(self.names)])
        content = self.random.randbytes(self.random.choice([0, 10, 5000, 200000]))
        # A write that fails leaves what nobody can tell.
        self.model.setdefault(name, self.expected(name))
        write(os.path.join(self.path, name), content)
        self.model[name] = (len(content), sum_of(content))

    def change_file(self):
        """Some bytes in the middle: the overlay copies the file up first."""
        name = self.random.choice(self.names)
        was = self.expected(name)
        if was is None or not 0 < was[0] < 1 << 20:
            return
        with open(os.path.join(self.path, name), "r+b", buffering=0) as file:
            content = bytearray(read_all(file, was[0]))
            if (len(content), sum_of(content)) != was:
                self.fault(f"wrong bytes in {name} before it is changed")
            start = self.random.randrange(was[0])
            change = self.random.randbytes(self.random.randrange(1, 5000))
            file.seek(start)
            file.write(change)
        content[start:start + len(change)] = change
        self.model[name] = (len(content), sum_of(content))

    def delete_file(self):
        name = self.random.choice([*self.names, *self.model])
        if self.expected(name) is not None:
            os.unlink(os.path.join(self.path, name))
            self.model[name] = None

    def rename_file(self):
        name = self.random.choice(self.names)
        was = self.expected(name)
        if was is not None and was[0] < 1 << 20:
            to = f"{os.path.dirname(name)}/r{self.random.randrange(5)}"
            os.rename(os.path.join(self.path, name), os.path.join(self.path, to))
            self.model[to], self.model[name] = was, None

    def read_written(self):
        """All that was written: that it is there still, also after a mount later."""
        for name, was in list(self.model.items()):
            if was is None:
                self.look_up_deleted(name)
            else:
                with self.open(name) as file:
                    self.compare(file, name)


def full(error):
    return error.errno in (errno.EDQUOT, errno.ENOSPC)


class Readers:
    """Several threads in one tree, for a while."""

    def __init__(self, make_visit, count, operations, rest):
        self.visits = [make_visit(number) for number in range(count)]
        self.threads = [threading.Thread(target=self.run, args=(visit, operations, rest)) for visit in self.visits]
        for thread in self.threads:
            thread.start()

    def run(self, visit, operations, rest):
        for _ in range(operations):
            if rest.wanted.is_set():
                return
            visit.anything()

    def join(self):
        for thread in self.threads:
            thread.join()
