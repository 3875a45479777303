"""What is held at each rest, and what of it is more than it was."""
import glob, os, statistics

from table.work import mounts_below

from .processes import counts, with_word

# What a process may keep more than at its first rest: idle connections to stores come and go, and so do its threads.
SLACK = {"descriptors": 4, "sockets": 80, "threads": 4}
# What malloc may keep of memory that was given back, above the largest of the first rests.
RESIDENT = 24 << 20


def loop_devices(folder):
    """Those backed by a file below a folder."""
    found = []
    for path in glob.glob("/sys/block/loop*/loop/backing_file"):
        try:
            with open(path) as file:
                if file.read().startswith(folder + "/"):
                    found.append(path.split("/")[3])
        except OSError:
            continue
    return found


class Leaks:
    """Counts once per rest. A process that was started anew is one of its own."""

    def __init__(self, world):
        self.world, self.rests, self.lives = world, [], {}

    def take(self):
        folder = self.world.work.folder
        processes = [(name, words) for _, name, words in with_word(os.fsencode(folder))]
        self.rests.append({
            "mounts": len(mounts_below(folder)), "loop devices": len(loop_devices(folder)),
            "keepers": sum(name == "flist-keeper" for name, _ in processes),
            "processes": len(processes),
            "named mounts": len(os.listdir(os.path.join(self.world.node.root, "mountpoint")))})
        keepers = {f"keeper {number}": number for number, name, _ in with_word(os.fsencode(folder)) if name == "flist-keeper"}
        for name, number in {f"flistd {self.world.node.process}": self.world.node.process,
                             f"veteran {self.world.veteran.server}": self.world.veteran.server, **keepers}.items():
            self.lives.setdefault(name, []).append(counts(number))

    def grown(self, samples):
        """What a process holds more than at the start of its life, beyond what is allowed."""
        if len(samples) < 3:
            # It was not warm yet: threads start, and contents are opened, when they are first wanted.
            return
        early = samples[:max(2, len(samples) // 3)]
        for kind, slack in SLACK.items():
            before, after = max(sample[kind] for sample in early), samples[-1][kind]
            if after > before + slack:
                yield f"{kind} {before} -> {after}"
        before = max(sample["resident"] for sample in early)
        after = statistics.median(sample["resident"] for sample in samples[-len(early):])
        if after > before + RESIDENT:
            yield f"resident {before >> 20} MiB -> {after / (1 << 20):.0f} MiB"

    def table(self):
        rows, leaks = ["leaks            first rest, last rest"], []
        for kind in self.rests[0]:
            first, last = self.rests[0][kind], self.rests[-1][kind]
            worst = max(rest[kind] for rest in self.rests)
            rows.append(f"  {kind:28} {first:>6} {last:>6}   most {worst}")
            if worst > first:
                leaks.append(f"{kind}: {first} -> {worst}")
        for name, samples in self.lives.items():
            for kind in samples[0]:
                first, last = samples[0][kind], samples[-1][kind]
                if kind == "resident":
                    most = max(sample[kind] for sample in samples)
                    first, last = f"{first >> 20}M", f"{last >> 20}M, most {most >> 20}M"
                rows.append(f"  {name + ', ' + kind:28} {first:>6} {last:>6}   over {len(samples)} rests")
            leaks += [f"{name}: {text}" for text in self.grown(samples)]
        rows.append(f"leaks            {len(leaks)}")
        return "\n".join(rows + [f"  {text}" for text in leaks]), leaks
