"""Processes, told by the words of their command lines."""
import contextlib, os


def with_word(word):
    """Number, name and words of each process that has a word (bytes) among its arguments."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{number}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            if any(word in each for each in words):
                with open(f"/proc/{number}/comm") as file:
                    found.append((int(number), file.read().strip(), words))
    return found


def keeper_and_server(target):
    """The two processes of a mount of `flist mount`; None for one that is not there, as while it is being started."""
    keeper = server = None
    for number, name, words in with_word(os.fsencode(target)):
        if b"mount" in words[:2] and os.fsencode(target) in words:
            if name == "flist-keeper":
                keeper = number
            else:
                server = number
    return keeper, server


def send(number, signal_number):
    """Whether the process was there to get it."""
    try:
        os.kill(number, signal_number)
        return True
    except ProcessLookupError:
        return False


def counts(number):
    """Descriptors that are no sockets, sockets, threads, and resident bytes of a process."""
    sockets = others = 0
    for name in os.listdir(f"/proc/{number}/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{number}/fd/{name}").startswith("socket:"):
                sockets += 1
            else:
                others += 1
    with open(f"/proc/{number}/status") as file:
        facts = dict(line.split(":", 1) for line in file)
    return {"descriptors": others, "sockets": sockets, "threads": int(facts["Threads"]),
            "resident": (int(facts["RssAnon"].split()[0])) << 10}


