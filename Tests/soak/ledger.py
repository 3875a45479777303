"""What was done, what went wrong, and whether that was to be expected."""
import collections, errno, sys, threading, time


def say(text):
    print(f"soak: {text}", file=sys.stderr, flush=True)


class Ledger:
    """Counts of all threads. Safe to use from any."""

    def __init__(self):
        self.lock = threading.Lock()
        self.start = time.monotonic()
        self.done, self.expected = collections.Counter(), collections.Counter()
        self.unexpected, self.verified, self.longest = [], 0, (0.0, "")

    def count(self, what, number=1):
        with self.lock:
            self.done[what] += number

    def verify(self, size):
        with self.lock:
            self.verified += size

    def took(self, what, seconds):
        with self.lock:
            self.longest = max(self.longest, (seconds, what))

    def expect(self, what):
        with self.lock:
            self.expected[what] += 1

    def fault(self, text):
        """Something that a user must never see."""
        text = f"{time.monotonic() - self.start:.1f} s: {text}"
        with self.lock:
            self.unexpected.append(text)
        say(f"UNEXPECTED at {text}")

    def table(self):
        rows = [f"operations       {sum(self.done.values()):,}"]
        rows += [f"  {what:30} {number:>9,}" for what, number in sorted(self.done.items())]
        rows += [f"bytes verified   {self.verified / (1 << 30):.2f} GiB",
                 f"longest          {self.longest[0]:.1f} s ({self.longest[1]})",
                 f"errors expected  {sum(self.expected.values()):,}"]
        rows += [f"  {what:30} {number:>9,}" for what, number in sorted(self.expected.items())]
        rows += [f"errors unexpected {len(self.unexpected)}"]
        rows += [f"  {text}" for text in self.unexpected[:20]]
        return "\n".join(rows)


def name_of(error):
    """An OSError's name, such as EIO."""
    return errno.errorcode.get(error.errno, str(error.errno))
