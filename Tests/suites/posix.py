"""What POSIX says of names, links, modes, times and attributes: one line for each check, `ok` or `failed`.

In the manner of pjdfstest, for the calls that an overlay answers. Takes an empty folder, and a folder of the lower side
with at least one file.
"""
import contextlib, errno, os, stat, sys, traceback

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


@contextlib.contextmanager
def fails(*numbers):
    try:
        yield
    except OSError as error:
        assert error.errno in numbers, f"{error!r}, not {[errno.errorcode[n] for n in numbers]}"
    else:
        raise AssertionError(f"no error, not {[errno.errorcode[n] for n in numbers]}")


def file(name, content=b"x"):
    with open(name, "wb") as out:
        out.write(content)
    return name


@check
def open_exclusive():
    file("a")
    with fails(errno.EEXIST):
        os.open("a", os.O_CREAT | os.O_EXCL | os.O_WRONLY)


@check
def open_no_follow():
    os.symlink("nowhere", "link")
    with fails(errno.ELOOP):
        os.open("link", os.O_RDONLY | os.O_NOFOLLOW)
    with fails(errno.ENOENT):
        os.open("link", os.O_RDONLY)


@check
def open_a_folder_for_writing():
    os.mkdir("d")
    with fails(errno.EISDIR):
        os.open("d", os.O_WRONLY)
    with fails(errno.ENOTDIR):
        os.open(file("a") + "/b", os.O_RDONLY)


@check
def long_names():
    os.unlink(file("n" * 255))
    with fails(errno.ENAMETOOLONG):
        file("n" * 256)


@check
def link_counts():
    file("a")
    os.link("a", "b")
    assert os.stat("a").st_nlink == 2 and os.path.samefile("a", "b")
    os.unlink("a")
    assert os.stat("b").st_nlink == 1
    with fails(errno.EPERM):
        os.mkdir("d") or os.link("d", "e")


@check
def unlink_while_open():
    with open(file("a", b"content"), "r+b") as held:
        os.unlink("a")
        assert os.fstat(held.fileno()).st_nlink == 0 and held.read() == b"content"
    with fails(errno.ENOENT):
        os.stat("a")


@check
def rename_files():
    file("a", b"1"), file("b", b"2")
    os.rename("a", "b")
    assert open("b", "rb").read() == b"1" and not os.path.exists("a")
    os.link("b", "c")
    os.rename("b", "c")
    assert os.path.exists("b") and os.path.exists("c")


@check
def rename_folders():
    os.makedirs("d/e"), os.mkdir("f"), file("a")
    os.rename("d", "f")
    assert os.listdir("f") == ["e"]
    os.mkdir("g")
    with fails(errno.ENOTEMPTY, errno.EEXIST):
        os.rename("g", "f")
    with fails(errno.ENOTDIR):
        os.rename("g", "a")
    with fails(errno.EISDIR):
        os.rename("a", "g")
    with fails(errno.EINVAL):
        os.rename("f", "f/e/inside")


@check
def remove_folders():
    os.makedirs("d/e")
    with fails(errno.ENOTEMPTY, errno.EEXIST):
        os.rmdir("d")
    with fails(errno.EISDIR, errno.EPERM):
        os.unlink("d")
    with fails(errno.ENOTDIR):
        os.rmdir(file("a"))
    os.rmdir("d/e"), os.rmdir("d")


@check
def modes():
    file("a")
    for mode in (0o000, 0o644, 0o4755, 0o2755, 0o1777, 0o7777):
        os.chmod("a", mode)
        assert stat.S_IMODE(os.stat("a").st_mode) == mode, oct(mode)


@check
def owners_clear_setuid():
    file("a")
    os.chmod("a", 0o6755)
    os.chown("a", 12, 34)
    facts = os.stat("a")
    assert (facts.st_uid, facts.st_gid) == (12, 34) and not facts.st_mode & 0o4000


@check
def times():
    file("a")
    os.utime("a", ns=(1_000_000_001, 2_000_000_003))
    facts = os.stat("a")
    assert (facts.st_atime_ns, facts.st_mtime_ns) == (1_000_000_001, 2_000_000_003)
    with open("a", "ab") as out:
        out.write(b"y")
    assert os.stat("a").st_mtime_ns > 2_000_000_003


@check
def special_files():
    os.mkfifo("fifo")
    os.mknod("null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    assert stat.S_ISFIFO(os.stat("fifo").st_mode) and os.stat("null").st_rdev == os.makedev(1, 3)


@check
def attributes():
    file("a")
    os.setxattr("a", "user.x", b"1")
    with fails(errno.EEXIST):
        os.setxattr("a", "user.x", b"2", os.XATTR_CREATE)
    assert os.listxattr("a") == ["user.x"] and os.getxattr("a", "user.x") == b"1"
    os.removexattr("a", "user.x")
    with fails(errno.ENODATA):
        os.getxattr("a", "user.x")


@check
def truncate_and_holes():
    file("a", b"12345")
    os.truncate("a", 2)
    os.truncate("a", 1 << 32)
    facts = os.stat("a")
    assert facts.st_size == 1 << 32 and facts.st_blocks < 100 and open("a", "rb").read(4) == b"12\0\0"


@check
def folder_positions():
    for number in range(500):
        file(f"f{number}")
    with os.scandir(".") as entries:
        seen = []
        for entry in entries:
            seen.append(entry.name)
            os.unlink(entry.name)
    assert sorted(seen) == sorted(f"f{number}" for number in range(500)) and os.listdir(".") == []


def lower_file():
    return next(os.path.join(place, name) for place, _, names in os.walk(LOWER) for name in sorted(names)
                if os.path.isfile(os.path.join(place, name)) and not os.path.islink(os.path.join(place, name)))


@check
def lower_file_is_changed():
    path = lower_file()
    before = open(path, "rb").read()
    with open(path, "ab") as out:
        out.write(b"more")
    assert open(path, "rb").read() == before + b"more"


@check
def lower_file_keeps_links_and_times():
    path = lower_file()
    was = os.stat(path)
    os.chmod(path, stat.S_IMODE(was.st_mode) ^ 0o001)
    now = os.stat(path)
    assert now.st_mtime_ns == was.st_mtime_ns and now.st_size == was.st_size and now.st_uid == was.st_uid


@check
def lower_file_is_deleted_and_made_again():
    path = lower_file()
    os.unlink(path)
    assert os.path.basename(path) not in os.listdir(os.path.dirname(path))
    os.mkdir(path)
    assert os.listdir(path) == []
    os.rmdir(path)


@check
def lower_folder_is_renamed():
    # An overlay without redirect_dir answers EXDEV, and mv copies.
    folder = os.path.dirname(lower_file())
    try:
        os.rename(folder, folder + "-moved")
    except OSError as error:
        assert error.errno == errno.EXDEV, repr(error)
    else:
        os.rename(folder + "-moved", folder)


BASE, LOWER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
for each in CHECKS:
    place = os.path.join(BASE, each.__name__)
    os.makedirs(place)
    os.chdir(place)
    try:
        each()
        print(f"posix {each.__name__} ok")
    except Exception as error:
        print(f"posix {each.__name__} failed: {error!r} at line {traceback.extract_tb(error.__traceback__)[-1].lineno}")
