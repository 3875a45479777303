"""Moments at which nothing goes on, so that what is left over can be counted."""
import threading, time


class Rest:
    """Threads call `pause` wherever they hold nothing. `all_paused` waits until each of them does."""

    def __init__(self):
        self.over, self.wanted, self.again = threading.Event(), threading.Event(), threading.Event()
        self.condition, self.paused, self.threads = threading.Condition(), set(), []

    def pause(self):
        if not self.wanted.is_set() or self.over.is_set():
            return
        with self.condition:
            self.paused.add(threading.current_thread())
            self.condition.notify_all()
        self.again.wait()
        with self.condition:
            self.paused.discard(threading.current_thread())

    def sleep(self, seconds):
        """Ends early when a rest is wanted."""
        self.wanted.wait(seconds)

    def all_paused(self, patience):
        """Those that did not come to rest in time."""
        self.again.clear()
        self.wanted.set()
        end = time.monotonic() + patience
        with self.condition:
            self.condition.wait_for(lambda: len(self.paused) == len(self.threads), max(0, end - time.monotonic()))
            return [thread.name for thread in self.threads if thread not in self.paused]

    def go_on(self):
        self.wanted.clear()
        self.again.set()

    def end(self, patience):
        """Ends all threads; the names of those that hang."""
        self.over.set()
        self.wanted.set()
        self.again.set()
        end = time.monotonic() + patience
        for thread in self.threads:
            thread.join(max(0, end - time.monotonic()))
        return [thread.name for thread in self.threads if thread.is_alive()]
