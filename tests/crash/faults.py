"""A disk that fails at each call in turn, or is full, under a little work.

What was answered must be true, during the fault and after a restart without
it: an acknowledged push is there, a refused one is not, a confirmed one is
gone.  Of what was answered 500 nobody knows.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time

from client import Died
from server import Server

KINDS = {"write": ("ENOSPC", "EIO", "short"), "sync": ("EIO", "ENOSPC"),
         "truncate": ("EIO",), "open": ("ENOSPC", "EIO"),
         "allocate": ("ENOSPC", "EIO"), "unlink": ("EIO",)}
CALLS_MAX = 400         # of a kind, in the little work
RECOVERY = 15.0         # seconds until it takes pushes again
CHECKPOINT = 0.5        # seconds for one, when there is nothing else to do


class Book:
    """What was answered."""

    def __init__(self):
        self.there = {}         # ID: body
        self.gone = set()
        self.refused = set()    # bodies
        self.unknown = set()    # bodies, or IDs
        self.serial = 0
        self.complaints = []

    def complain(self, text):
        self.complaints.append(text)

    def new(self, size=60):
        self.serial += 1
        return b'{"m":%d,"f":"%s"}' % (self.serial, b"x" * size)

    def push(self, server, size=60, count=1):
        """The status; None: no answer."""
        bodies = [self.new(size) for _ in range(count)]
        headers = "Content-Type: application/x-ndjson\r\n" if count > 1 \
            else ""
        try:
            answer = server.request("POST", "/", b"\n".join(bodies), headers)
        except Died:
            self.unknown.update(bodies)
            return None
        if answer.status == 201:
            said = answer.json()
            ids = said.get("messageIDs") or [said["messageID"]]
            self.there.update(zip(ids, bodies))
        elif answer.status == 500 and not wait_alive(server):
            self.unknown.update(bodies)     # a flush failed
        else:
            self.refused.update(bodies)
        return answer.status

    def confirm(self, server, message_id):
        try:
            answer = server.request("PATCH", f"/{message_id}")
        except Died:
            self.unknown.add(message_id)
            return None
        if answer.status == 204:
            self.there.pop(message_id, None)
            self.gone.add(message_id)
        elif answer.status >= 500:
            self.unknown.add(message_id)
        return answer.status

    def receive(self, server, amount=3):
        try:
            answer = server.get(f"/?amount={amount}&timeout=600000")
        except Died:
            return []
        if answer.status != 200:
            return []
        return [m["id"] for m in answer.json()["messages"]]

    def compare(self, server):
        """The book and what a healthy server shows."""
        answer = server.get("/peek?amount=100000")
        shown = {}
        for m in answer.json()["messages"]:
            head = b'{"id": "%s", "body": ' % m["id"].encode()
            place = answer.body.find(head) + len(head)
            shown[m["id"]] = answer.body[place:].split(b"}", 1)[0] + b"}"
        for message_id, body in self.there.items():
            if message_id in self.unknown:
                continue
            if shown.get(message_id) != body:
                self.complain(f"{body[:30]} {message_id} is "
                              f"{shown.get(message_id, b'lost')[:30]}")
        for message_id, body in shown.items():
            if message_id in self.gone:
                self.complain(f"{body[:30]} was confirmed and is back")
            elif body in self.refused:
                self.complain(f"{body[:30]} was refused and is there")
            elif message_id not in self.there and body not in self.unknown:
                self.complain(f"{body[:30]} is of nobody")


def wait_alive(server, seconds=1.0):
    """Does it go on?  A process that will end has that long to do so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        log = server.log()
        if "nothing can be trusted" not in log:
            return True
        if not server.is_alive():
            return False
        time.sleep(0.01)
    return server.is_alive()


def little_work(server, book):
    """Some of everything that is written; about a hundred calls."""
    book.push(server)
    book.push(server, count=20)
    book.push(server, size=9000)
    held = book.receive(server, 5)
    for message_id in held[:2]:
        book.confirm(server, message_id)
    try:
        server.request("PUT", "/queues/other", b'{"lockTimeout": 5000}')
        server.request("PATCH", f"/{held[2] if held[2:] else 'x'}?timeout=0")
    except Died:
        return
    book.push(server)
    for message_id in held[3:]:
        book.confirm(server, message_id)
    book.push(server, size=30000)


def wait_checkpoint(path):
    """Until the database at path has changed; it may not, if calls fail."""
    end = time.monotonic() + CHECKPOINT
    before = os.stat(path).st_mtime_ns
    while os.stat(path).st_mtime_ns == before and time.monotonic() < end:
        time.sleep(0.005)


class Faults:
    def __init__(self, wqd, shim, say=print, step=1, keep=False):
        self.wqd = wqd
        self.shim = shim
        self.say = say
        self.step = step
        self.keep = keep
        self.scratch = tempfile.mkdtemp(prefix="wq-faults-")
        self.runs = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.keep:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.scratch, name)

    def server(self, **more):
        shutil.rmtree(self.path("data"), ignore_errors=True)
        for name in ("mark", "until", "full"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        env = {"LD_PRELOAD": self.shim, "WQ_FAULT_DIR": self.path("data"),
               "WQ_FAULT_MARK": self.path("mark"),
               "WQ_FAULT_UNTIL": self.path("until"),
               "WQ_FAULT_FULL": self.path("full"), **more}
        return Server(self.wqd, self.path("data"), self.path("log"),
                      ["--max-amount", "100000"]), env

    def each_call(self, kinds=None, lasting=True):
        """Every call of every kind in turn fails: once, or for a while."""
        complaints = []
        for kind, errors in KINDS.items():
            if kinds and kind not in kinds:
                continue
            for error in errors:
                for for_a_while in (False, True) if lasting else (False,):
                    complaints += self._one_kind(kind, error, for_a_while)
        return complaints

    def _one_kind(self, kind, error, for_a_while):
        complaints = []
        nth = 1
        while nth < CALLS_MAX:
            book, reached = self._one(kind, error, nth, for_a_while)
            for text in book.complaints:
                complaints.append(f"{kind} {nth} {error}"
                                  f"{' for a while' if for_a_while else ''}: "
                                  f"{text}")
            if not reached:
                break
            nth += self.step
        self.say(f"fault {kind} {error}"
                 f"{' for a while' if for_a_while else ' once'}: {nth - 1} "
                 f"calls, {len(complaints)} complaints")
        for text in complaints[:8]:
            self.say("  " + text)
        return complaints

    def _one(self, kind, error, nth, for_a_while):
        """(book, was that call reached?)"""
        self.runs += 1
        server, env = self.server(WQ_FAULT_CALL=kind, WQ_FAULT_NTH=str(nth),
                                  WQ_FAULT_ERROR=error)
        if for_a_while:
            with open(self.path("until"), "w", encoding="ascii"):
                pass
        book = Book()
        try:
            self._work(server, env, book, for_a_while)
            reached = os.path.exists(self.path("mark"))
            server.kill()
            if not server.start():
                book.complain(f"it does not start again:\n{server.log()}")
            else:
                book.compare(server)
        finally:
            server.kill()
        return book, reached

    def _work(self, server, env, book, for_a_while):
        server.launch(env)
        if server.find_port() is None or not self._ready_or_not(server):
            self._check_end(server, book, "at its start")
            return
        little_work(server, book)
        wait_checkpoint(self.path("data/wq.db"))
        if for_a_while:
            try:
                if server.get("/health").status != 200:
                    book.complain("/health is not 200")
            except Died:
                pass
            os.unlink(self.path("until"))
        if not wait_alive(server):
            self._check_end(server, book, "under work")
            return
        end = time.monotonic() + RECOVERY
        while True:             # it goes on by itself
            try:
                if server.get("/ready").status == 200 and \
                        book.push(server) == 201:
                    break
            except Died:
                self._check_end(server, book, "under work")
                return
            if time.monotonic() > end:
                book.complain("it takes no pushes though the fault is over:\n"
                              + server.log())
                return
            time.sleep(0.05)
        book.compare(server)    # it knows that, too
        self._check_log(server, book)

    def _ready_or_not(self, server):
        """False: it has ended.  It may serve without taking pushes."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            try:
                if server.get("/ready").status == 200 or \
                        "store: all is read" in server.log():
                    return True
            except Died:
                if not server.is_alive():
                    return False
            time.sleep(0.005)
        return server.is_alive()

    @staticmethod
    def _check_end(server, book, when):
        try:
            status = server.process.wait(20)
        except subprocess.TimeoutExpired:
            book.complain(f"it hangs {when}:\n{server.log()}")
            return
        if status != 1:
            book.complain(f"it ended {when} with status {status}:\n"
                          f"{server.log()}")
        elif "err=" not in server.log():
            book.complain(f"it does not say why it ended:\n{server.log()}")

    @staticmethod
    def _check_log(server, book):
        """A line a change of state, not one a request."""
        lines = re.findall(r"^.*store: (?:disk full|nothing can).*$",
                           server.log(), re.M)
        if len(lines) > 4:
            book.complain(f"{len(lines)} lines in the log, as: {lines[-1]}")

    # A full disk

    def full(self):
        """The file system is full, and then is not."""
        server, env = self.server()
        book = Book()
        try:
            server.start(env)
            for _ in range(5):
                book.push(server, count=100)
            self.stay_true_while_full(server, book,
                                      lambda: touch(self.path("full")),
                                      lambda: os.unlink(self.path("full")))
        finally:
            server.kill()
        return self._told("full disk", book)

    def small_file_system(self):
        """A true one, of 48 MiB; None where it cannot be mounted."""
        place = self.path("small")
        os.makedirs(place, exist_ok=True)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=48m", "wq-test", place],
            stderr=subprocess.DEVNULL, check=False)
        if mounted.returncode != 0:
            return None
        server = Server(self.wqd, os.path.join(place, "data"),
                        self.path("log"), ["--max-amount", "100000"])
        ballast = os.path.join(place, "ballast")
        book = Book()
        try:
            server.start()
            for _ in range(5):
                book.push(server, count=100)

            def fill():
                with open(ballast, "wb", buffering=0) as file:
                    try:
                        while True:
                            file.write(b"x" * 65536)
                    except OSError:
                        pass
            self.stay_true_while_full(server, book, fill,
                                      lambda: os.unlink(ballast))
        finally:
            server.kill()
            subprocess.run(["umount", place], check=False)
        return self._told("file system of 48 MiB", book)

    def _told(self, what, book):
        self.say(f"fault {what}: {len(book.complaints)} complaints")
        for text in book.complaints[:8]:
            self.say("  " + text)
        return [f"{what}: {text}" for text in book.complaints]

    def stay_true_while_full(self, server, book, fill, free):
        held = book.receive(server, 300)
        fill()
        refused = 0
        end = time.monotonic() + RECOVERY
        while refused < 3 and time.monotonic() < end:
            status = book.push(server, size=30000)
            if status in (507, 503):
                refused += 1
            elif status != 201:
                book.complain(f"a push on a full disk is {status}")
                return
        if refused < 3:
            book.complain("pushes go on though the disk is full")
        ready = server.get("/ready")
        if ready.status != 503 or b"full" not in ready.body:
            book.complain(f"/ready on a full disk is {ready}")
        for message_id in held[:250]:
            status = book.confirm(server, message_id)
            if status != 204:
                book.complain(f"a confirm on a full disk is {status}")
                break
        for _ in range(100):
            if book.push(server) == 201:
                book.complain("a push on a full disk is done")
                break
        if server.get("/health").status != 200:
            book.complain("/health is not 200")
        lines = server.log().count("store: disk full")
        if lines != 1:
            book.complain(f"{lines} lines in the log say that it is full:\n"
                          f"{server.log()}")
        # Killed now it has that, and no more, and goes on.
        free()
        end = time.monotonic() + RECOVERY
        while server.get("/ready").status != 200:
            if time.monotonic() > end:
                book.complain(f"it is full for ever:\n{server.log()}")
                return
            time.sleep(0.05)
        if book.push(server) != 201:
            book.complain("it is ready and takes no push")
        for message_id in held[250:]:
            if book.confirm(server, message_id) != 204:
                book.complain("a confirm after a full disk failed")
        book.compare(server)
        server.kill()
        if server.start():
            book.compare(server)
        else:
            book.complain(f"it does not start again:\n{server.log()}")

    def full_start(self):
        """Killed on a full disk it starts there, and lets confirms through."""
        server, env = self.server()
        book = Book()
        try:
            server.start(env)
            book.push(server, count=100)
            held = book.receive(server, 50)
            # What is acknowledged after a receive has its lock kept, too.
            book.push(server, count=1)
            touch(self.path("full"))
            for _ in range(5):
                book.push(server, size=30000)
            server.kill()
            # Of the reserve that was given up most is left, and no more.
            server.launch({**env, "WQ_FAULT_CREDIT": str(15 << 20)})
            if server.find_port() is None or \
                    not self._ready_or_not(server):
                book.complain(f"it does not start on a full disk:\n"
                              f"{server.log()}")
                return self._told("start on a full disk", book)
            for message_id in held:
                status = book.confirm(server, message_id)
                if status != 204:
                    book.complain("after a start on a full disk a confirm is "
                                  f"{status}:\n{server.log()}")
                    break
            os.unlink(self.path("full"))
            server.kill()
            server.start()
            book.compare(server)
        finally:
            server.kill()
        return self._told("start on a full disk", book)


def touch(path):
    with open(path, "w", encoding="ascii"):
        pass
