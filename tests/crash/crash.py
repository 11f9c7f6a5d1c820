#!/usr/bin/env python3
"""Kill wqd under load, again and again, and see that its word holds."""

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from compare import Comparison, drain  # noqa: E402
from faults import Faults  # noqa: E402
from ledger import Ledger  # noqa: E402
from load import Manager, Worker, add_queues  # noqa: E402
from server import Server  # noqa: E402

DRAIN_EVERY = 25                # rounds
SHOWN = 12                      # complaints, of a round


def births(wqd, library, say=print, calls=60, step=1):
    """The power goes at each call of a first start; complaints."""
    complaints = []
    with tempfile.TemporaryDirectory(prefix="wq-births-") as scratch:
        for at in range(1, calls + 1, step):
            directory = os.path.join(scratch, str(at))
            server = Server(wqd, directory, os.path.join(scratch, "log"))
            env = {"LD_PRELOAD": library, "WQ_LOSE_DIR": directory,
                   "WQ_LOSE_AT": str(at), "WQ_LOSE_SEED": str(at)}
            try:
                if server.start(env):
                    server.kill()
                if not server.start():
                    complaints.append(f"after a loss at call {at} of its "
                                      "first start it does not start:\n"
                                      + server.log())
            finally:
                server.kill()
    say(f"power at a first start: {calls} calls, "
        f"{len(complaints)} complaints")
    for text in complaints[:SHOWN]:
        say("  " + text)
    return complaints


def fault_rounds(wqd, library, say=print, step=1, kinds=None, lasting=True,
                 keep=False):
    """All that tests/crash/faults.py has; complaints."""
    with Faults(wqd, library, say, step, keep) as faults:
        complaints = faults.full() + faults.full_start()
        small = faults.small_file_system()
        if small is None:
            say("skip: a small file system cannot be mounted here")
        complaints += small or []
        return complaints + faults.each_call(kinds, lasting)


class Rounds:
    """wqd under load on one directory, which loses its life each round."""

    def __init__(self, wqd, seed, mode="kill", sync="full", sync_locks=False,
                 clients=10, shim=None, keep=False, say=print):
        self.random = random.Random(seed)
        self.mode = mode
        self.shim = shim
        self.say = say
        self.keep = keep
        self.clients = clients
        self.scratch = tempfile.mkdtemp(prefix="wq-crash-")
        self.directory = os.path.join(self.scratch, "data")
        self.ledger = Ledger(sync_locks)
        self.server = Server(
            wqd, self.directory, os.path.join(self.scratch, "log"),
            ["--max-amount", "100000", "--sync", sync, "--sync-locks",
             "true" if sync_locks else "false"])
        self.round = 0
        self.complaints = []
        self.losses = 0         # times that a power loss took something

    def __enter__(self):
        if not self.server.start():
            raise AssertionError(f"wqd does not start:\n{self.server.log()}")
        add_queues(self.server, self.ledger)
        self.server.kill()
        return self

    def __exit__(self, *_):
        self.server.kill()
        if not self.keep:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def run(self, rounds):
        """True: all was well."""
        for _ in range(rounds):
            self.round += 1
            began = time.monotonic()
            complaints = self.one()
            self.complaints += complaints
            self.say(f"{self.mode} round {self.round}: "
                     f"{time.monotonic() - began:.2f} s, "
                     f"{self.ledger.alive} messages, "
                     f"{len(complaints)} complaints")
            for text in complaints[:SHOWN]:
                self.say("  " + text)
            if complaints:
                return False
        return True

    def power(self):
        """Environment of the shim that takes the power away."""
        if self.mode != "power":
            return {}
        self.trigger = os.path.join(self.scratch, "now")
        if os.path.exists(self.trigger):
            os.unlink(self.trigger)
        at = int(2 ** (self.random.random() * 13))
        return {"LD_PRELOAD": self.shim, "WQ_LOSE_DIR": self.directory,
                "WQ_LOSE_AT": str(at), "WQ_LOSE_WHEN": self.trigger,
                "WQ_LOSE_SEED": str(self.random.randrange(1 << 30))}

    def start(self, env):
        """Start; now and then it dies as it starts.  True: it serves."""
        if self.random.random() < 0.2 and self.mode == "kill":
            self.server.launch(env)
            time.sleep(self.random.random() * 0.06)
            self.server.kill()
        return self.server.start(env)

    def one(self):
        """Load, death, start, look."""
        ledger = self.ledger
        if self.start(self.power()):
            self.load()
        if not self.server.start():     # without a shim: it must start
            return [f"wqd does not start again:\n{self.server.log()}"]
        if self.round % DRAIN_EVERY == 0:
            complaints = drain(ledger, self.server)
            ledger.past.update(ledger.messages)
            for m in ledger.messages.values():
                m.gone = "drained"
            self.server.kill()
            if self.server.start():
                view = Comparison(ledger, self.server).view
                if view.entries:
                    complaints.append(
                        f"after a drain there are {len(view.entries)}")
            ledger.messages = {}
            self.reset()
        else:
            complaints = Comparison(ledger, self.server).run()
        self.end_quietly()
        return complaints

    def reset(self):
        """After a drain, which has changed queues."""
        queues = {name: queue for name, queue in self.ledger.queues.items()}
        self.ledger.queues.clear()
        add_queues(self.server, self.ledger)
        for name, queue in queues.items():
            known = self.ledger.queues.setdefault(name, queue)
            info = self.server.get(f"/queues/{name}/info").json()
            known.settings = [info["settings"]]
            known.paused = [info["paused"]]
            known.totals = info["totals"]
            for which in (known.low, known.high):
                for what in which:
                    which[what] = info["totals"][what]
        self.ledger.horizon = 0.0
        self.ledger.alive = 0
        self.ledger.keyed = []

    def end_quietly(self):
        """The look has ended; end as a server does, or not."""
        if self.random.random() < 0.7:
            self.server.kill()
        elif self.server.stop() != 0:
            raise AssertionError(f"wqd ended badly:\n{self.server.log()}")

    def load(self):
        stop = threading.Event()
        workers = [Worker(self.server, self.ledger,
                          f"r{self.round}c{index}",
                          self.random.randrange(1 << 30), stop)
                   for index in range(self.clients)]
        workers.append(Manager(self.server, self.ledger, f"r{self.round}m",
                               self.random.randrange(1 << 30), stop))
        for worker in workers:
            worker.start()
        self.die()
        stop.set()
        for worker in workers:
            worker.join(60)
        for worker in workers:
            if worker.error:
                raise AssertionError(f"{worker.name}: {worker.error}")

    def die(self):
        if self.mode == "kill":
            time.sleep(0.02 + self.random.random() ** 2 * 0.8)
            self.server.kill()
            return
        end = time.monotonic() + 0.2 + self.random.random()
        while self.server.is_alive():
            time.sleep(0.005)
            if time.monotonic() > end:
                with open(self.trigger, "w", encoding="ascii"):
                    end = time.monotonic() + 60
        self.losses += 1


def shim(wqd, name):
    """Our library for LD_PRELOAD, which is built beside wqd."""
    return os.path.join(os.path.dirname(wqd), f"{name}.so")


def flushed(text):
    print(text, flush=True)


def main():
    parser = argparse.ArgumentParser(
        description="Kill wqd under load, and compare what it has after a "
        "start with what it had promised.")
    parser.add_argument("--mode", choices=["kill", "power", "fault"],
                        action="append",
                        help="SIGKILL, a power loss, or a disk that fails; "
                        "all, if none is named")
    parser.add_argument("--rounds", type=int, default=20, metavar="N",
                        help="how many deaths of each mode (20)")
    parser.add_argument("--seed", type=int, metavar="S",
                        help="of all that is random; it is printed")
    parser.add_argument("--sync", choices=["full", "normal", "off"],
                        default="full", help="as of wqd (full)")
    parser.add_argument("--sync-locks", action="store_true",
                        help="as of wqd: a receive waits for the disk too")
    parser.add_argument("--clients", type=int, default=10, metavar="N",
                        help="connections (10)")
    parser.add_argument("--step", type=int, default=1, metavar="N",
                        help="in the mode fault, only each Nth call (1)")
    parser.add_argument("--keep", action="store_true",
                        help="leave the data directory; its path is printed")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else \
        random.randrange(1 << 30)
    wqd = os.path.abspath(os.environ.get("WQD", "build/wqd"))
    modes = arguments.mode or ["kill", "power", "fault"]
    needed = [wqd] + [shim(wqd, name) for mode, name in (
        ("power", "powerloss"), ("fault", "faults")) if mode in modes]
    for path in needed:
        if not os.path.exists(path):
            print(f"crash: {path} is not there: run make check TESTS= in a "
                  "build, or name its wqd in WQD", file=sys.stderr)
            return 2
    print(f"seed {seed}", flush=True)
    began = time.monotonic()
    good = True
    for mode in modes:
        if mode == "fault":
            good = not fault_rounds(wqd, shim(wqd, "faults"), flushed,
                                    arguments.step, keep=arguments.keep) \
                and good
            continue
        if mode == "power":
            good = not births(wqd, shim(wqd, "powerloss"), flushed) and good
        with Rounds(wqd, seed, mode, arguments.sync, arguments.sync_locks,
                    arguments.clients, shim(wqd, "powerloss"),
                    arguments.keep, flushed) as rounds:
            good = rounds.run(arguments.rounds) and good
            print(", ".join(f"{name} {count}" for name, count in
                            sorted(rounds.ledger.counts.items())))
            if arguments.keep:
                print(f"kept in {rounds.scratch}")
    print(f"{'all is well' if good else 'FAILED'}: "
          f"{time.monotonic() - began:.0f} s, seed {seed}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
