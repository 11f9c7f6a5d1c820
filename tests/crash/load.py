"""Clients that do at random what clients do, and put it into the ledger."""

import json
import random
import threading
import urllib.parse

from client import NDJSON, Died, now_ms
from ledger import Message, Queue

BACKLOG_MAX = 1500      # messages, more or less; then there are fewer pushes
LARGE = 60000           # bytes

# Name: settings, name of the dead-letter queue, share of the pushes.
QUEUES = {
    "dead": ({}, None, 0),
    "default": ({}, None, 4),
    "plain": ({}, None, 6),
    "work": ({"maxReceives": 2, "deadLetterQueue": "dead"}, "dead", 4),
    "groups": ({}, None, 3),
    "order.fifo": ({}, None, 4),
    "small": ({"maxMessages": 40}, None, 1),
    "purged": ({}, None, 2),
    "tuned": ({}, None, 0),     # its settings change; it has no messages
}


def add_queues(server, ledger):
    """Make the queues, on a server that is new."""
    for name, (settings, dead, _) in QUEUES.items():
        queue = Queue(name, settings, dead)
        queue.settings = [server.put(name, **settings).json()["settings"]]
        ledger.add_queue(queue)


class Worker(threading.Thread):
    """One connection; it ends when the server does, or at stop."""

    def __init__(self, server, ledger, name, seed, stop):
        super().__init__(daemon=True, name=name)
        self.server = server
        self.ledger = ledger
        self.random = random.Random(seed)
        self.stop = stop
        self.serial = 0
        self.error = None
        self.held = []          # (message, receives, receipt), oldest first

    def run(self):
        try:
            self.client = self.server.connect()
        except Died:
            return
        try:
            while not self.stop.is_set():
                self.step()
        except Died:
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.error = error
            raise
        finally:
            self.client.close()

    def step(self):
        r = self.random.random()
        crowded = self.ledger.alive > BACKLOG_MAX
        if self.held and r < 0.45:
            self.settle()
        elif r < 0.62 or crowded:
            self.receive()
        elif r < 0.90:
            self.push()
        elif r < 0.97:
            self.push_many()
        elif r < 0.985:
            self.push_bad()
        else:
            self.repeat()

    # Pushes

    def body(self, mark):
        r = self.random.random()
        size = (self.random.randrange(200) if r < 0.80 else
                self.random.randrange(5000) if r < 0.97 else
                self.random.randrange(LARGE))
        filler = "".join(self.random.choices(
            "abcdefghij \\u00e9", k=size)).replace("\\", "")
        # Digits that no double has, and an escape.
        return (f'{{"m":"{mark}","n":12345678901234567890.{self.serial},'
                f'"e":"\\u0041\\n","f":"{filler}"}}').encode()

    def mark(self):
        self.serial += 1
        return f"{self.name}-{self.serial}"

    def queue(self):
        names = list(QUEUES)
        return self.random.choices(
            names, [QUEUES[name][2] for name in names])[0]

    def message(self, queue, query=None):
        """A new one; query is filled with its parameters."""
        mark = self.mark()
        m = Message(mark, self.body(mark), queue)
        if query is None:
            return m
        if queue in ("order.fifo", "groups"):
            m.group = query["group"] = f"g{self.random.randrange(5)}"
        r = self.random.random()
        if r < 0.06 and queue != "order.fifo":
            m.delay = query["delay"] = self.random.choice((20, 300, 4000))
        elif r < 0.12:
            m.ttl = query["ttl"] = self.random.choice((50, 600, 600000))
        elif r < 0.16:
            query["timeout"] = self.random.choice((30, 2000))
        elif r < 0.22:
            m.key = query["dedup"] = "key " + mark
        return m

    def target(self, queue, query=None, rest=""):
        text = urllib.parse.urlencode(query or {})
        return f"/queues/{queue}{rest}" + ("?" + text if text else "")

    def push(self):
        query = {}
        m = self.message(self.queue(), query)
        self.send_push([m], self.target(m.queue, query), m.body)

    def push_many(self):
        queue = self.queue()
        query = {}
        first = self.message(queue, query)
        query.pop("dedup", None)
        first.key = None
        batch = [first]
        for _ in range(self.random.randrange(1, 20)):
            m = self.message(queue)
            m.group, m.delay, m.ttl = first.group, first.delay, first.ttl
            batch.append(m)
        self.send_push(batch, self.target(queue, query),
                       b"\n".join(m.body for m in batch), NDJSON)

    def push_bad(self):
        """All or nothing: here it is nothing."""
        queue = self.queue()
        batch = [self.message(queue) for _ in range(4)]
        self.send_push(batch, self.target(queue),
                       b"\n".join(m.body for m in batch) + b"\n{bad", NDJSON)

    def send_push(self, messages, target, body, headers=""):
        self.ledger.push_sent(messages)
        try:
            answer = self.client.request("POST", target, body, headers)
        except Died:
            self.ledger.push_lost(messages)
            raise
        ids = None
        if answer.status in (200, 201):
            said = answer.json()
            ids = said.get("messageIDs") or [said["messageID"]]
            if answer.status == 200 or len(ids) != len(messages):
                raise AssertionError(f"POST {target}: {answer}")
        self.ledger.push_answered(messages, answer, ids)

    def repeat(self):
        """Push something again by its key: it is known."""
        ledger = self.ledger
        with ledger.mutex:
            known = [m for m in ledger.keyed[-50:]
                     if m.id and m.at > now_ms() - 200000]
        if not known:
            return
        m = self.random.choice(known)
        answer = self.client.request(
            "POST", self.target(m.queue, {"dedup": m.key}), m.body)
        if answer.status == 503:
            return
        if answer.status != 200 or answer.json()["messageID"] != m.id:
            raise AssertionError(f"a repeat of {m}\nis {answer}")
        ledger.push_repeated(m, answer)

    # Receives

    def receive(self):
        names = list(QUEUES)
        queue = self.random.choices(
            names, [1 + QUEUES[name][2] for name in names])[0]
        query = {"details": "true",
                 "amount": self.random.choice((1, 1, 3, 10, 40)),
                 "timeout": self.random.choice((5, 30, 200, 1000, 6000,
                                                60000))}
        if self.random.random() < 0.05:
            query["wait"] = self.random.choice((1, 30))
        try:
            answer = self.client.request("GET", self.target(queue, query))
        except Died:
            self.ledger.receive_lost(queue)
            raise
        if answer.status != 200:
            return
        entries = []
        for entry in answer.json()["messages"]:
            m = self.ledger.messages.get(entry["body"]["m"])
            if m is None:
                raise AssertionError(f"a message of nobody: {entry}")
            entries.append((m, entry))
        self.ledger.received(queue, answer, entries)
        for m, entry in entries:
            if self.random.random() < 0.8:
                self.held.append((m, queue, entry["receives"],
                                  entry["receipt"]))
        del self.held[:-60]

    def settle(self):
        r = self.random.random()
        if r < 0.15:
            self.confirm_many()
            return
        m, queue, receives, receipt = self.held.pop(
            self.random.randrange(len(self.held)))
        query = {}
        ms = None
        if self.random.random() < 0.7:
            query["receipt"] = receipt
        if r > 0.75:
            ms = query["timeout"] = self.random.choice(
                (0, 0, 20, 500, 5000, 60000))
        what = "confirm" if ms is None else "extend"
        self.ledger.change_sent([m], what)
        try:
            answer = self.client.request("PATCH", self.target(
                queue, query, f"/{m.id}"))
        except Died:
            self.ledger.change_lost([m], queue, what)
            raise
        if answer.status != 204:
            self.ledger.change_refused(m, answer)
        elif ms is None:
            self.ledger.confirmed(m, queue, answer)
        else:
            self.ledger.extended(m, answer, ms, receives)

    def confirm_many(self):
        queue = self.held[0][1]
        chosen = [held for held in self.held if held[1] == queue][:20]
        self.held = [held for held in self.held if held not in chosen]
        messages = {m.id: m for m, *_ in chosen}
        self.ledger.change_sent(messages.values(), "confirm")
        try:
            answer = self.client.request(
                "PATCH", self.target(queue),
                json.dumps(list(messages)).encode())
        except Died:
            self.ledger.change_lost(messages.values(), queue, "confirm")
            raise
        confirmed = answer.json()["confirmed"] if answer.status == 200 else []
        for message_id, m in messages.items():
            if message_id in confirmed:
                self.ledger.confirmed(m, queue, answer)
            else:
                self.ledger.change_refused(m, answer)


class Manager(Worker):
    """The one connection that changes queues."""

    def step(self):
        r = self.random.random()
        if r < 0.4:
            self.configure()
        elif r < 0.7:
            self.pause()
        elif r < 0.8:
            self.come_and_go()
        elif r < 0.88:
            self.purge()
        elif r < 0.93:
            self.redrive()
        else:
            self.receive()
        self.stop.wait(self.random.random() * 0.03)

    def ask(self, method, target, body=None):
        return self.client.request(method, target, body)

    def configure(self):
        queue = self.ledger.queues["tuned"]
        before = queue.settings[-1]
        change = self.random.choice((
            {"lockTimeout": self.random.randrange(10000)},
            {"tags": {"serial": self.mark()}},
            {"maxMessages": self.random.randrange(1000, 2000)},
            {"contentBasedDedup": not before["contentBasedDedup"]},
            {"deadLetterQueue": self.random.choice(("dead", None))}))
        queue.settings = [before, {**before, **change}]
        answer = self.ask("PUT", self.target("tuned"),
                          json.dumps(change).encode())
        if answer.status == 200:
            self.ledger.count("configured")
            queue.settings = [answer.json()["settings"]]
            self.proves(answer)
        else:
            queue.settings = [before]

    def proves(self, answer):
        with self.ledger.mutex:
            self.ledger.proves(answer)

    def pause(self):
        queue = self.ledger.queues["tuned"]
        before = queue.paused[-1]
        queue.paused = [before, not before]
        answer = self.ask("POST", self.target(
            "tuned", rest="/resume" if before else "/pause"), b"")
        if answer.status == 204:
            self.ledger.count("paused")
            queue.paused = [not before]
            self.proves(answer)
        else:
            queue.paused = [before]

    def come_and_go(self):
        """A queue comes with messages, and goes with them."""
        name = f"brief-{self.mark()}"
        queue = Queue(name)
        queue.exists = [False, True]
        self.ledger.add_queue(queue)
        messages = [self.message(name) for _ in range(3)]
        self.send_push(messages, self.target(name),
                       b"\n".join(m.body for m in messages), NDJSON)
        if messages[0].status != "acked":
            queue.exists = [False]
            return
        queue.exists = [True]
        if self.random.random() < 0.3:
            return
        queue.exists = [True, False]
        queue.purging = now_ms()
        answer = self.ask("DELETE", self.target(name))
        queue.purging = None
        if answer.status == 204:
            queue.exists = [False]
            self.ledger.purged(name, answer)
            self.ledger.count("deleted")
        else:
            queue.exists = [True]

    def purge(self):
        queue = self.ledger.queues["purged"]
        queue.purging = now_ms()
        answer = self.ask("POST", self.target("purged", rest="/purge"), b"")
        queue.purging = None
        if answer.status == 204:
            self.ledger.purged("purged", answer)

    def redrive(self):
        if self.random.random() < 0.7:
            return
        self.ledger.redrive_sent("dead")
        answer = self.ask("POST", self.target(
            "dead", {"amount": self.random.choice((1, 5))}, "/redrive"), b"")
        if answer.status == 200:
            self.proves(answer)
