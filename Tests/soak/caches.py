"""The caches while they are used: tidied, verified, emptied, and never beyond their quota."""
import json, os, threading

from . import mounts, node


class Caretaker(threading.Thread):
    def __init__(self, world, generator):
        super().__init__(name="caretaker")
        self.world, self.random = world, generator
        self.folders = {folder: mounts.QUOTA for folder in world.caches}
        self.folders[f"{world.node.root}/cache"] = node.QUOTA

    def run(self):
        while not self.world.rest.over.is_set():
            self.world.rest.pause()
            self.world.rest.sleep(self.random.uniform(0.5, 5))
            folder = self.random.choice(list(self.folders))
            quota = self.folders[folder]
            if not os.path.exists(os.path.join(folder, "boot")):
                # Nobody has mounted with it yet.
                continue
            action = self.random.choice(["stat", "stat", "gc", "gc", "check", "clear"])
            try:
                said = json.loads(self.world.starter.run(self.world.work.flist, "cache", action, "--cache", folder, "--cache-size",
                                                         quota, "--quiet", "--json"))
            except RuntimeError as error:
                self.world.ledger.fault(f"cache {action}: {error}")
                continue
            self.world.ledger.count(f"cache {action}")
            if action == "stat" and said["bytes"] > quota:
                self.world.ledger.fault(f"{folder} holds {said['bytes']} bytes, its quota is {quota}")
