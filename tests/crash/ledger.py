"""What was asked of the server and what it answered, and what follows.

All instants are wall time in milliseconds.  Of each message there is a
record of all that an answer has promised; what was asked and not answered,
because the server died, may be true or not, and the next look settles it.

The server may answer a receive before its lock is on disk.  It writes in
order, though: an operation whose answer waits for the disk and that was sent
after that answer proves it.  The last such sending is the horizon.
"""

import threading

from client import now_ms

ACKED, REFUSED, OPEN = "acked", "refused", "open"


class Queue:
    """A queue, and what is known of its settings and totals."""

    def __init__(self, name, settings=None, dead=None):
        self.name = name
        self.path = f"/queues/{name}"
        self.fifo = name.endswith(".fifo")
        self.dead = dead                # name of its deadLetterQueue
        self.settings = [settings or {}]        # what may hold
        self.paused = [False]
        self.exists = [True]
        # Least and most that the totals may be.
        self.low = {"pushed": 0, "confirmed": 0}
        self.high = {"pushed": 0, "confirmed": 0}
        self.totals = {}                # at the last look
        self.received = []              # (answered, how many)
        self.receiving = 0              # receives in flight when it died
        self.purging = None             # when that was sent


class Message:
    __slots__ = (
        "mark", "body", "queue", "group", "delay", "ttl", "key", "batch",
        "index", "sent", "at", "status", "id", "gone", "maybe_gone",
        "receives", "past", "receipt", "lock", "lock_at", "lock_sure", "free",
        "fuzzy", "changing", "redriven", "moved",
        "where", "letter", "history")

    def __init__(self, mark, body, queue, group=None, delay=0, ttl=0,
                 key=None):
        self.mark = mark
        self.body = body
        self.queue = queue              # its name
        self.group = group
        self.delay = delay
        self.ttl = ttl
        self.key = key
        self.batch = None               # messages of the same push
        self.index = 0                  # in it
        self.sent = self.at = None      # of the push
        self.status = OPEN
        self.id = None
        self.gone = None                # why
        self.maybe_gone = False
        self.receives = 0               # answered
        self.past = []                  # receives: (answered, count, until)
        self.receipt = None
        self.lock = None                # (from, to): it ends in between
        self.lock_at = 0                # when that was answered
        self.lock_sure = False          # it is on disk
        self.free = None                # (from, to): since then available
        self.fuzzy = False              # two changes crossed
        self.changing = None            # a change that was not answered
        self.redriven = False           # perhaps, since the last look
        self.moved = False              # it was ever in another queue
        self.where = queue              # as far as is known
        self.letter = None              # what it says as a dead letter
        self.history = []

    def note(self, *what):
        self.history.append(what)
        if len(self.history) > 24:
            del self.history[0]

    def since(self):
        """When it was available first: (from, to)."""
        return (self.sent + self.delay, self.at + self.delay)

    def dies(self):
        """When its ttl is over; None: never."""
        return (self.sent + self.ttl, self.at + self.ttl) if self.ttl else None

    def __str__(self):
        lines = [f"message {self.mark} id={self.id} queue={self.queue} "
                 f"group={self.group} delay={self.delay} ttl={self.ttl}"]
        lines += ["    " + " ".join(
            f"{part:.2f}" if isinstance(part, float) else str(part)
            for part in entry) for entry in self.history]
        return "\n".join(lines)


class Ledger:
    def __init__(self, sync_locks=False):
        self.mutex = threading.Lock()
        self.queues = {}
        self.messages = {}              # by mark
        self.by_id = {}
        self.horizon = 0.0
        self.sync_locks = sync_locks
        self.died_at = 0.0
        self.batches_open = []          # pushes of several that had no answer
        self.keyed = []                 # those that were pushed with a key
        self.past = {}                  # by ID: those that are gone
        self.alive = 0                  # about
        self.counts = {}

    def add_queue(self, queue):
        self.queues[queue.name] = queue

    def count(self, what, amount=1):
        self.counts[what] = self.counts.get(what, 0) + amount

    def proves(self, answer):
        """The answer waited for the disk."""
        self.horizon = max(self.horizon, answer.sent)

    # Pushes

    def push_sent(self, messages):
        with self.mutex:
            for index, m in enumerate(messages):
                m.batch, m.index = messages, index
                m.sent = now_ms()
                self.messages[m.mark] = m
                if m.key:
                    self.keyed.append(m)
            self.queues[messages[0].queue].high["pushed"] += len(messages)

    def push_answered(self, messages, answer, ids):
        queue = self.queues[messages[0].queue]
        with self.mutex:
            if ids is None:
                queue.high["pushed"] -= len(messages)
                self.count(f"push {answer.status}")
                for m in messages:
                    m.status = REFUSED
                    m.note("refused", answer.status, answer.sent, answer.at)
                return
            self.proves(answer)
            self.count("pushed", len(messages))
            queue.low["pushed"] += len(messages)
            self.alive += len(messages)
            for m, message_id in zip(messages, ids):
                self._appeared(m, message_id, answer)
                m.note("pushed", answer.sent, answer.at)

    def _appeared(self, m, message_id, answer):
        """It is there, and at the latest since that answer."""
        m.at = answer.at if m.at is None else min(m.at, answer.at)
        m.status = ACKED
        m.id = message_id
        self.by_id[message_id] = m

    def push_repeated(self, m, answer):
        """A push of the same key was answered with the first one's ID."""
        with self.mutex:
            self.proves(answer)
            self.count("repeats")

    def push_lost(self, messages):
        with self.mutex:
            for m in messages:
                if m.status is OPEN:
                    m.at = now_ms()
                m.note("push without an answer", m.sent)
            self.batches_open.append(messages)

    # Receives

    def received(self, queue, answer, entries):
        """entries: (message, its JSON)."""
        with self.mutex:
            self.count("received", len(entries))
            self.queues[queue].received.append((answer.at, len(entries)))
            if self.sync_locks and entries:
                self.proves(answer)
            for m, entry in entries:
                self._received(queue, answer, m, entry)

    def _received(self, queue, answer, m, entry):
        if m.status is OPEN:
            # What is received is on disk, before its pusher knows.
            self._appeared(m, entry["id"], answer)
        if m.where != queue:
            m.receives, m.past, m.lock = 0, [], None    # it has moved
            m.where = queue
        count, until = entry["receives"], float(entry["lockedUntil"])
        m.note("received", queue, count, answer.sent, answer.at, "until",
               until)
        m.past.append((answer.at, count, until))
        del m.past[:-8]
        if count <= m.receives and not m.redriven:
            return                      # a later one was answered sooner
        # Has somebody changed the lock while this one was on its way?
        m.fuzzy = (m.lock is not None or m.free is not None) and \
            m.lock_sure and m.lock_at > answer.sent
        m.receives = count
        m.receipt = entry["receipt"]
        m.lock = (until, until)
        m.lock_at = answer.at
        m.lock_sure = self.sync_locks
        m.free = None

    def receive_lost(self, queue):
        with self.mutex:
            self.queues[queue].receiving += 1

    # Changes of what is locked

    def change_sent(self, messages, what):
        with self.mutex:
            for m in messages:
                m.changing = what

    def confirmed(self, m, queue, answer):
        with self.mutex:
            self.proves(answer)
            self.count("confirmed")
            m.changing = None
            if m.gone is None:
                self.alive -= 1
            m.gone = "confirmed"
            m.note("confirmed", answer.sent, answer.at)
            self.queues[queue].low["confirmed"] += 1
            self.queues[queue].high["confirmed"] += 1

    def extended(self, m, answer, ms, receives):
        """Its lock ends ms after the request was seen."""
        with self.mutex:
            self.proves(answer)
            self.count("extended" if ms else "given back")
            m.changing = None
            m.note("extended" if ms else "given back", ms, answer.sent,
                   answer.at)
            if m.receives != receives:
                m.fuzzy = True          # another has received it since
            m.past.append((0, receives, 0))     # it is on disk
            m.lock_at = answer.at
            m.lock_sure = True
            if ms:
                m.lock = (answer.sent + ms, answer.at + ms)
                m.free = None
            else:
                m.lock = None
                m.free = (answer.sent, answer.at)

    def change_refused(self, m, answer):
        with self.mutex:
            self.count(f"change {answer.status}")
            m.changing = None
            m.note("change refused", answer.status, answer.sent, answer.at)

    def change_lost(self, messages, queue, what):
        with self.mutex:
            for m in messages:
                m.note(what, "without an answer")
                if what == "confirm":
                    m.maybe_gone = True
                    self.queues[queue].high["confirmed"] += 1

    # Queues

    def purged(self, queue, answer):
        """What was pushed before is gone; of what crossed nobody knows."""
        with self.mutex:
            self.proves(answer)
            self.count("purged")
            for m in self.messages.values():
                if m.queue != queue or m.gone or m.status is REFUSED:
                    continue
                if m.status is ACKED and m.at < answer.sent and not m.changing:
                    m.gone = "purged"
                    self.alive -= 1
                elif m.sent is not None and m.sent < answer.at:
                    m.maybe_gone = True
                m.note("purge", answer.sent, answer.at)

    def redrive_sent(self, dead):
        """All that may be in there, or come there meanwhile."""
        with self.mutex:
            self.count("redrives")
            for m in self.messages.values():
                if self.queues[m.queue].dead == dead:
                    m.redriven = m.moved = True
                    m.note("redrive", now_ms())
