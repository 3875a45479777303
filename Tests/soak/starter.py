"""A process that starts others and has no files open.

A child that was just forked holds what its parent had open, until it has closed it; and closing a file of a mount may wait for
the mount's server, and that for its store. Meanwhile the mount is in use. When the child is to become that server, nobody would
ever come. So whoever holds files of mounts asks this one.
"""
import concurrent.futures, json, os, select, signal, subprocess, sys, threading


class Starter:
    def __init__(self, work):
        self.process = subprocess.Popen([sys.executable, "-m", "soak.starter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        work.processes.append(self.process)
        self.lock, self.answers = threading.Lock(), {}
        threading.Thread(target=self.listen, name="starter", daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            with self.lock:
                future = self.answers.pop(answer["request"])
            future.set_result(answer)

    def ask(self, **request):
        future = concurrent.futures.Future()
        with self.lock:
            request["request"] = id(future)
            self.answers[id(future)] = future
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        return future.result()

    def start(self, *command):
        """Its number."""
        return self.ask(start=command)["number"]

    def run(self, *command, patience=120):
        """Runs a program to its end; what it printed to stdout."""
        answer = self.ask(run=list(map(str, command)), patience=patience)
        if answer["status"] != 0:
            raise RuntimeError(f"{' '.join(map(str, command))[:300]}: status {answer['status']}: {answer['errors'].strip()}")
        return answer["output"]


def end(number, signal_number, patience):
    """Sends a signal, and waits until the process is gone."""
    handle = os.pidfd_open(number)
    try:
        signal.pidfd_send_signal(handle, signal_number)
        if not select.select([handle], [], [], patience)[0]:
            raise RuntimeError(f"process {number} is there {patience} s after {signal.Signals(signal_number).name}")
    finally:
        os.close(handle)


def run(command, patience):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        return {"status": f"not ended after {patience} s", "errors": ""}
    return {"status": done.returncode, "output": done.stdout, "errors": done.stderr[-1000:]}


def main():
    """Until the end of its input, or a signal; then it ends what it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    started, writing = [], threading.Lock()

    def answer(request, facts):
        with writing:
            print(json.dumps({"request": request, **facts}), flush=True)

    try:
        for line in sys.stdin:
            asked = json.loads(line)
            if "start" in asked:
                started.append(subprocess.Popen(
                    asked["start"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
                threading.Thread(target=started[-1].wait, daemon=True).start()
                answer(asked["request"], {"number": started[-1].pid})
            else:
                threading.Thread(target=lambda asked=asked: answer(asked["request"], run(asked["run"], asked["patience"])),
                                 daemon=True).start()
    finally:
        for process in started:
            if process.poll() is None:
                process.terminate()
                process.wait(90)


if __name__ == "__main__":
    main()
