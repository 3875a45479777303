"""Mounts, reads, writes, unmounts, kills, upgrades, breaks stores and tidies caches, all at once and at random.

Three flists whose blocks lie in a redis-server and an nginx, each behind a proxy that refuses, resets, stalls, truncates,
flips bits and trickles. Mounts of `flist mount` in all modes, with and without --rw, their processes killed and handed over;
named mounts of a flistd, which is killed and started again; small caches. Every byte read is compared. Once a minute all
pauses, and what is held is counted: mounts, loop devices, keepers, and of the processes descriptors, threads, memory.

An error is expected when both stores were broken while a read went on, and nowhere else. Exit status: 0 when there was no
unexpected error and nothing leaked. Needs root, a release build, and the packages of `scripts/setup --tests`.
"""
import argparse, os, random, sys, traceback

from table.work import REPOSITORY, Work

from .ledger import say
from .world import World


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="how long (default: 60; 10 is the short form)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32),
                        help="of what is chosen (default: a new one, which is printed)")
    parser.add_argument("--mounters", type=int, default=4, help="how many mounts at once (default: %(default)s)")
    parser.add_argument("--tenants", type=int, default=3, help="how many named mounts at once (default: %(default)s)")
    parser.add_argument("--programs", default=os.path.join(REPOSITORY, ".build", "release"), help="where flist and flistd are")
    parser.add_argument("--work", default="/var/tmp/flist-soak", help="a folder on a disk with 4 GB free (default: %(default)s)")
    parser.add_argument("--logs", help="a folder for the logs of the programs, when something went wrong")
    return parser.parse_args()


def main():
    options = arguments()
    if os.geteuid() != 0:
        sys.exit("soak: run as root: it mounts overlays and volumes")
    say(f"seed {options.seed}")
    work = Work(options.work)
    work.programs, work.flist = options.programs, os.path.join(options.programs, "flist")
    try:
        world = World(work, options.minutes, options.seed, options.mounters, options.tenants)
        try:
            world.run()
        except Exception:
            world.ledger.fault(traceback.format_exc())
        finally:
            if options.logs:
                world.keep_logs(options.logs)
            world.close()
    finally:
        work.close()
    table, leaks = world.leaks.table() if world.leaks.rests else ("no rest was reached", ["unknown"])
    print(f"soak             {options.minutes:g} minutes, seed {options.seed}\n{world.ledger.table()}\n{table}")
    return 1 if leaks or world.ledger.unexpected else 0


sys.exit(main())
