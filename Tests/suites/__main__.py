"""Runs what others test file systems with on an overlay over a flist and on one over ext4, and compares the results.

apt-get, fsx (a small one of our own, fsx.c), fio --verify, git, gcc, checks in the manner of pjdfstest (posix.py; that
itself is no Debian package), and stress-ng's stressors of files. All in a chroot of the Debian root that is below. Exit
status: 0 when our overlay passes all that the one of ext4 passes. Needs root, a release build, and Debian's mirror.
"""
import argparse, os, shutil, sys, time

from table.work import REPOSITORY, Work

from . import sides
from .checks import CHECKS


def results(work, mount):
    """What each check said: None when it passed. POSIX counts check by check."""
    found = {}
    with sides.entered(work, mount) as (target, enter):
        shutil.copytree(os.path.dirname(__file__), os.path.join(target, "suites"))
        for name, command in CHECKS:
            start = time.monotonic()
            try:
                said, trouble = enter(command), None
            except RuntimeError as error:
                said, trouble = "", str(error).split(": ", 1)[-1][-300:] or "failed"
            for line in said.splitlines():
                if line.startswith("posix "):
                    word, rest = line.removeprefix("posix ").split(" ", 1)
                    found[f"POSIX {word}"] = None if rest == "ok" else rest
            found[name] = trouble
            print(f"suites: {name}: {trouble or 'passed'} ({time.monotonic() - start:.0f} s)", file=sys.stderr, flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(prog="scripts/suites", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default="/var/tmp/flist-bench/debian", help="a Debian root with python3, which is only read "
                        "(default: %(default)s if it is there, else one made by debootstrap)")
    parser.add_argument("--programs", default=os.path.join(REPOSITORY, ".build", "release"), help="where flist is")
    parser.add_argument("--work", default="/var/tmp/flist-suites", help="a folder on a disk with 5 GB free (default: %(default)s)")
    parser.add_argument("--only", metavar="WORD", help="checks with this word in their name, and those that install")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("suites: run as root: it mounts overlays")
    if options.only:
        CHECKS[:] = [check for check in CHECKS if options.only in check[0]
                     or check[0] in ("apt-get update", "apt-get install")]
    work = Work(options.work)
    work.programs, work.flist = options.programs, os.path.join(options.programs, "flist")
    try:
        found = {name: results(work, mount) for name, mount in sides.sides(work, sides.debian(work, options.root)).items()}
    finally:
        work.close()
    ours, theirs = found.values()
    print(f"{'':36}" + "  ".join(f"{name:12}" for name in found))
    for name in ours | theirs:
        cells = ["passed" if side.get(name, "not run") is None else "failed" for side in (ours, theirs)]
        print(f"{name:36}" + "  ".join(f"{cell:12}" for cell in cells))
        for side, said in found.items():
            if said.get(name):
                print(f"    {side}: {said[name]}")
    worse = [name for name in theirs if theirs[name] is None and ours.get(name, "not run") is not None]
    passed = [sum(trouble is None for trouble in side.values()) for side in (ours, theirs)]
    print(f"passed: flist {passed[0]} of {len(ours)}, ext4 {passed[1]} of {len(theirs)}; worse than ext4: {', '.join(worse) or 'none'}")
    return 1 if worse else 0


sys.exit(main())
