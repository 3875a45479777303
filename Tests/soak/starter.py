"""A process that starts others and has no files open.

A child that was just forked closes what its parent had open, and closing a file of a mount may wait for the mount's server.
When the child is to become that server, nobody would ever come. So whoever holds files of mounts asks this one.
"""
import json, os, select, signal, subprocess, sys


class Starter:
    def __init__(self, work):
        self.process = subprocess.Popen([sys.executable, "-m", "soak.starter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        work.processes.append(self.process)

    def start(self, *command):
        """Its number."""
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


def end(number, signal_number, patience):
    """Sends a signal, and waits until the process is gone."""
    handle = os.pidfd_open(number)
    try:
        signal.pidfd_send_signal(handle, signal_number)
        if not select.select([handle], [], [], patience)[0]:
            raise RuntimeError(f"process {number} is there {patience} s after {signal.Signals(signal_number).name}")
    finally:
        os.close(handle)


def main():
    """Until the end of its input, or a signal; then it ends what it started."""
    # The kernel takes what ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    started = []
    try:
        for line in sys.stdin:
            started.append(subprocess.Popen(
                json.loads(line), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_DFL)).pid)
            print(started[-1], flush=True)
    finally:
        # Only the last one may still be there.
        if started and os.path.exists(f"/proc/{started[-1]}"):
            end(started[-1], signal.SIGTERM, 90)


if __name__ == "__main__":
    main()
