"""The two sides that are compared: an overlay over a flist's mount, and one over the folder that the flist was made of."""
import contextlib, os

from table.work import mounts_below, run

# A root of its own for a command: what it mounts ends with its processes.
ENTER = """
set -e
root=$1
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
for name in null zero full random urandom tty; do : >"$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
mkdir "$root/dev/shm"; ln -s /proc/self/fd "$root/dev/fd"
mount --bind "$2" "$root/var/cache/apt/archives"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive sh -c "$3"
"""


def debian(work, given):
    """A root to start from: the one given, or a new one by debootstrap."""
    if given and os.path.exists(os.path.join(given, "usr/bin/apt-get")):
        return given
    root = work.path("debian")
    run("debootstrap", "--variant=minbase", "--include=python3-minimal", "bookworm", root)
    return root


def sides(work, root):
    """Name and how to mount it: each a context that answers the folder."""
    flist = work.path("root.fl")
    run(work.flist, "pack", "-q", "-m", flist, "-s", f"dir://{work.new_folder('blocks')}", root)
    cache = work.new_folder("cache")

    def ours(target):
        run(work.flist, "mount", flist, target, "--cache", cache, "--rw", work.new_folder("changes"), "--log", work.path("log"))

    def ext4(target):
        upper, inner = work.new_folder("upper"), work.new_folder("inner")
        os.chmod(upper, 0o755)
        run("mount", "-t", "overlay", "-o", f"lowerdir={root},upperdir={upper},workdir={inner}", "overlay", target)
    return {"flist --rw": ours, "ext4 overlay": ext4}


@contextlib.contextmanager
def entered(work, mount):
    """A function that runs a shell command inside; it answers its output, or raises RuntimeError."""
    archives = work.path("archives")
    os.makedirs(os.path.join(archives, "partial"), exist_ok=True)
    with work.mounted(mount) as target:
        yield target, lambda command: run("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh",
                                          target, archives, command)
        if left := [point for point in mounts_below(target) if point != target]:
            raise RuntimeError(f"left mounted: {left}")
