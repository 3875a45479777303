"""Prints the table of promises about speed, measured on this machine beside the peers of each."""
import argparse, os, shutil, sys, time, traceback

from . import machine, picture, report
from .bench import LINES, Bench
from .work import REPOSITORY, Missing, Work, say

# In the order of the table.
from . import hot, walk, cold, far, mount, bus, pack  # noqa: F401

ORDER = ["small-files", "page-cold-read", "hot-read", "hot-mmap", "drop-read", "walk-hot", "walk-cold", "cold-read",
         "far-read", "far-first-byte", "never-slower", "frugal", "second-start", "mount", "bus-mount", "memory", "pack"]


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="lines: " + ", ".join(ORDER))
    parser.add_argument("--only", nargs="+", choices=ORDER, metavar="NAME", help="these lines alone")
    parser.add_argument("--rounds", type=int, help="how often each is measured (default: 5, or 3 with --quick)")
    parser.add_argument("--quick", action="store_true", help="smaller trees, fewer rounds: under five minutes")
    parser.add_argument("--output", metavar="FILE", help="where the table is written, and its picture beside it as .svg "
                        "(default: docs/benchmarks.md; with --quick or --only none)")
    parser.add_argument("--json", metavar="FILE", help="where everything is written, for comparing later")
    parser.add_argument("--root", help="a Debian root with python3 (default: one made by debootstrap in the work folder)")
    parser.add_argument("--work", default="/var/tmp/flist-bench", help="a folder on a disk with 25 GB free, 8 with --quick (default: %(default)s)")
    options = parser.parse_args()
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if options.output is None and not options.quick and not options.only:
        options.output = os.path.join(REPOSITORY, "docs", "benchmarks.md")
    return options


def measure(bench, names):
    """Line by line: what one cannot do here does not stop the others."""
    for name in names:
        say(name)
        start = time.monotonic()
        try:
            result = (name, LINES[name](bench), "")
        except Missing as reason:
            result = (name, [], str(reason))
        except Exception as failure:
            traceback.print_exc()
            result = (name, [], f"failed: {failure}".split("\n")[0].replace("|", "\\|"))
        for figure in result[1]:
            say(f"  {figure.value:.3g} {figure.unit} ({figure.promise}): {figure.what}")
        say(f"  {result[2] + ', ' if result[2] else ''}{time.monotonic() - start:.0f} s")
        yield result


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def main():
    options = arguments()
    # Not for the Python in a chroot.
    os.environ.pop("PYTHONPATH", None)
    if os.geteuid() != 0:
        sys.exit("bench: run as root: it mounts and drops caches")
    rounds = options.rounds or (3 if options.quick else 5)
    os.makedirs(options.work, exist_ok=True)
    if shutil.disk_usage(options.work).free < (8e9 if options.quick else 25e9):
        say(f"there may be too little room in {options.work}: 25 GB are wanted, 8 with --quick")
    work = Work(options.work)
    if not os.access(work.flist, os.X_OK):
        work.close()
        sys.exit("bench: no release build: swift build -c release --product flist")
    try:
        facts = machine.describe(work.folder, work.flist)
        bench = Bench(work, rounds, options.quick, options.root or os.path.join(work.parent, "debian"))
        results = list(measure(bench, [name for name in ORDER if name in (options.only or ORDER)]))
    finally:
        work.close()
    drawn = None
    if options.output:
        drawn = os.path.splitext(options.output)[0] + ".svg"
        try:
            if not picture.draw(drawn, results, machine.sentence(facts)):
                drawn = None
        except ImportError:
            say("no picture: matplotlib is missing (scripts/setup --bench)")
            drawn = None
    text = report.markdown(facts, rounds, options.quick, results, drawn and os.path.basename(drawn))
    print(text, end="")
    if options.output:
        write(options.output, text)
    if options.json:
        write(options.json, report.as_json(facts, rounds, options.quick, results))
    return 0 if all(not trouble.startswith("failed") for _, _, trouble in results) else 1


sys.exit(main())
