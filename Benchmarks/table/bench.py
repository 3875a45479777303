"""What all lines share: the machine's servers, the trees and their images, how much to do."""
import dataclasses, functools

from . import peers, servers, trees

LINES = {}


def line(name):
    """Registers a function that measures a line of the table and answers its figures."""
    def register(function):
        LINES[name] = function
        return function
    return register


@dataclasses.dataclass(frozen=True)
class FolderStore:
    folder: str

    @property
    def url(self):
        return f"dir://{self.folder}"


class Bench:
    """Trees and images are made when a line first wants them, and shared by those that come after it."""

    def __init__(self, work, rounds, quick, root):
        self.work, self.rounds, self.quick, self.root = work, rounds, quick, root

    def pick(self, full, reduced):
        """Sizes: a reduced run is for seeing that all works, and for a first idea."""
        return reduced if self.quick else full

    def rotated(self, names):
        """For each round the names in another order, so that none always comes after the same one."""
        names = list(names)
        for number in range(self.rounds):
            shift = number % len(names)
            yield names[shift:] + names[:shift]

    @functools.cached_property
    def redis(self):
        return servers.Redis(self.work)

    def made(self, name, make):
        folder = self.work.path("trees", name)
        make(folder)
        return folder

    @functools.cached_property
    def debian(self):
        return peers.Images(self.work, trees.debian(self.root), self.redis)

    @functools.cached_property
    def small_files(self):
        return self.pick(10_000, 2_000)

    @functools.cached_property
    def small(self):
        tree = self.made("small", lambda folder: trees.small(folder, self.small_files))
        return peers.Images(self.work, tree, self.redis)

    @functools.cached_property
    def large_files(self):
        return 4, self.pick(256, 48)

    @functools.cached_property
    def large(self):
        tree = self.made("large", lambda folder: trees.large(folder, *self.large_files))
        return peers.Images(self.work, tree, FolderStore(self.work.path("large-blocks")))

    @functools.cached_property
    def entry_count(self):
        return self.pick(100_000, 20_000)

    @functools.cached_property
    def entries(self):
        tree = self.made("entries", lambda folder: trees.entries(folder, self.entry_count))
        return peers.Images(self.work, tree, self.redis)

    @functools.cached_property
    def inode_count(self):
        return self.pick(1_000_000, 100_000)

    @functools.cached_property
    def million(self):
        """A tree that is only in a tar: its flist and squashfs are made of that."""
        return peers.ArchiveImages(self.work, self.inode_count, self.inode_count // 10, self.redis)
