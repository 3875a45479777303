"""The file systems that are measured side by side, each made of the same tree."""
import contextlib, functools, os

from . import trees
from .work import Missing, need, run, say

# What pack makes by default; mksquashfs makes its own with the same level and block size.
LEVEL, BLOCK = 3, "512K"


class Images:
    """A tree as an image of each kind. An image is made when it is first wanted."""

    def __init__(self, work, tree, store):
        self.work, self.tree, self.store = work, tree, store
        self.folder = work.new_folder("images")

    def path(self, name):
        return os.path.join(self.folder, name)

    @functools.cached_property
    def ext4(self):
        need("mkfs.ext4", "e2fsprogs")
        entries, size = trees.counted(self.tree)
        image = self.path("ext4")
        with open(image, "w") as file:
            # A block for the tail of each file, inodes, the journal.
            file.truncate((size + entries * (4096 + 512)) * 5 // 4 + (256 << 20))
        run("mkfs.ext4", "-q", "-F", "-N", entries + 1000, "-d", self.tree, image)
        return image

    @functools.cached_property
    def squashfs(self):
        need("mksquashfs", "squashfs-tools")
        run("mksquashfs", self.tree, self.path("squashfs"), "-comp", "zstd", "-Xcompression-level", LEVEL, "-b", BLOCK,
            "-quiet", "-no-progress", "-noappend")
        return self.path("squashfs")

    @functools.cached_property
    def erofs(self):
        need("mkfs.erofs", "erofs-utils")
        run("mkfs.erofs", self.path("erofs"), self.tree)
        return self.path("erofs")

    @functools.cached_property
    def flist(self):
        run(self.work.flist, "pack", "-q", "-m", self.path("tree.fl"), "-s", self.store.url, self.tree)
        return self.path("tree.fl")

    @functools.cached_property
    def cache(self):
        """A cache with everything in it, complete and known to be on disk."""
        folder = self.work.new_folder("cache")
        run(self.work.flist, "prefetch", "-q", "--cache", folder, self.flist)
        return folder

    def mounts(self, names=("ext4", "squashfs", "squashfuse_ll", "erofs", "flist")):
        """Those that this machine can mount, by name: functions of a target."""
        kinds = {
            "ext4": lambda: loop("ext4", self.ext4),
            "squashfs": lambda: loop("squashfs", self.squashfs),
            "squashfuse_ll": lambda: squashfuse(self.squashfs),
            "erofs": lambda: loop("erofs", self.erofs),
            "flist": lambda: self.flist_mount(),
        }
        found = {}
        for name in names:
            try:
                found[name] = kinds[name]()
            except Missing as reason:
                say(f"  without {name}: {reason}")
        return found

    def flist_mount(self, *options, cache=None, store=None):
        """A mount with everything cached, or with the given cache; it neither records nor uses a profile by default."""
        flist, cache = self.flist, cache or self.cache
        options = options or ("-o", "noprofile")
        stores = ("--store", store) if store else ()
        return lambda target: run(self.work.flist, "mount", *options, *stores, "--cache", cache, flist, target)


def loop(kind, image):
    with open("/proc/filesystems") as known:
        if kind not in known.read().split():
            raise Missing(f"this kernel has no {kind}")
    return lambda target: run("mount", "-t", kind, "-o", "loop,ro", image, target)


def squashfuse(image):
    need("squashfuse_ll", "squashfuse")
    return lambda target: run("squashfuse_ll", image, target)


@contextlib.contextmanager
def all_mounted(work, mounts):
    """Every one at once, by name: for what is hot, where nothing is gained by mounting anew."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(work.mounted(mount)) for name, mount in mounts.items()}


class ArchiveImages(Images):
    """Images of a tree that exists as a tar alone."""

    def __init__(self, work, entries, filled, store):
        super().__init__(work, None, store)
        self.entries, self.filled = entries, filled

    @functools.cached_property
    def archive(self):
        say(f"  making a tar of {self.entries:,} entries")
        trees.archive(self.path("tree.tar"), self.entries, self.filled)
        return self.path("tree.tar")

    @functools.cached_property
    def squashfs(self):
        # mksquashfs takes a quarter of an hour for a tar of a million entries.
        need("tar2sqfs", "squashfs-tools-ng")
        run("sh", "-c", 'exec tar2sqfs -q -f -c zstd "$1" < "$0"', self.archive, self.path("squashfs"))
        return self.path("squashfs")

    @functools.cached_property
    def flist(self):
        run(self.work.flist, "pack", "-q", "-m", self.path("tree.fl"), "-s", self.store.url, self.archive)
        return self.path("tree.fl")
