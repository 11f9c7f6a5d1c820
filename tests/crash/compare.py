"""Compare what a server shows after a start with the ledger."""

import json
import time

from client import now_ms
from ledger import ACKED, OPEN, REFUSED

SLACK_MS = 4            # answers count whole milliseconds, and clocks drift
STATES = ("delayed", "locked", "available")
PAGE = 100000


class Entry:
    """A message as the server shows it, in an answer of that time."""

    __slots__ = ("json", "queue", "sent", "at", "body_is")

    def __init__(self, entry, queue, answer, start):
        self.json = entry
        self.queue = queue
        self.sent, self.at = answer.sent, answer.at
        self.body_is = lambda body: answer.body.startswith(body, start)

    def __getattr__(self, name):
        return self.json.get(name)


class View:
    """All that a server has, by its own word."""

    def __init__(self, server):
        self.client = server.connect()
        self.queues = {}
        self.entries = {}               # by ID
        self.available = {}             # by queue: IDs in their order
        self.twice = []
        try:
            self._look_at_queues()
            # Dead letters last: others may go there meanwhile.
            for name in sorted(self.queues, key=lambda n: n == "dead"):
                for state in STATES:
                    self._look(name, state)
        finally:
            self.client.close()

    def _get(self, target):
        answer = self.client.request("GET", target)
        if answer.status != 200:
            raise AssertionError(f"GET {target}: {answer}")
        return answer

    def _look_at_queues(self):
        after = ""
        while True:
            page = self._get("/queues?limit=1000" + after).json()["queues"]
            for queue in page:
                self.queues[queue["name"]] = queue
            if len(page) < 1000:
                return
            after = "&after=" + page[-1]["name"]

    def _look(self, name, state):
        order = self.available.setdefault(name, [])
        after = ""
        while True:
            target = f"/queues/{name}/peek?amount={PAGE}&state={state}{after}"
            answer = self.client.request("GET", target)
            if answer.status == 404 and after:      # it has moved
                return
            page = answer.json()["messages"]
            place = 0
            for entry in page:
                head = b'{"id": "%s", "body": ' % entry["id"].encode()
                place = answer.body.find(head, place) + len(head)
                e = Entry(entry, name, answer, place)
                old = self.entries.get(entry["id"])
                if old and (old.queue, old.state) == (name, state):
                    self.twice.append(entry["id"])
                self.entries[entry["id"]] = e
                if state == "available":
                    order.append(entry["id"])
            if not page:
                return
            after = f"&after={page[-1]['id']}"


class Comparison:
    """complaints: what an answer promised and is not so."""

    def __init__(self, ledger, server):
        self.ledger = ledger
        self.server = server
        self.complaints = []
        self.view = View(server)
        self.by_mark = {}
        for e in self.view.entries.values():
            self.by_mark.setdefault(e.body["m"], []).append(e)

    def complain(self, what, m=None, e=None):
        text = what
        if e is not None:
            shown = {k: v for k, v in e.json.items() if k != "body"}
            text += f"\n    shown in {e.queue} at {e.at:.2f}: {shown}"
        if m is not None:
            text += f"\n    {m}"
        self.complaints.append(text)

    def run(self):
        ledger = self.ledger
        for message_id in self.view.twice:
            self.complain(f"{message_id} is shown twice")
        for mark, entries in self.by_mark.items():
            if len(entries) > 1:
                self.complain(f"{mark} is there {len(entries)} times",
                              ledger.messages.get(mark), entries[1])
            self.check_origin(mark, entries[0])
        for m in list(ledger.messages.values()):
            e = self.entry_of(m)
            if e is None:
                self.check_missing(m)
            else:
                self.check_shown(m, e)
        self.check_batches()
        self.check_purges()
        for name in self.view.available:
            self.check_order(name)
        self.check_queues()
        self.settle()
        self.check_repeats()
        return self.complaints

    def entry_of(self, m):
        entries = self.by_mark.get(m.mark)
        if entries:
            return entries[0]
        if m.status is not ACKED or m.gone or m.maybe_gone:
            return None
        # It may have moved between two pages.
        for queue in (self.ledger.queues[m.queue].dead, m.queue, "dead"):
            if queue not in self.view.queues:
                continue
            answer = self.server.get(f"/queues/{queue}/{m.id}")
            if answer.status == 200:
                entry = answer.json()
                e = Entry(entry, queue, answer,
                          answer.body.find(b'"body": ') + 8)
                self.by_mark[m.mark] = [e]
                return e
        return None

    def check_origin(self, mark, e):
        m = self.ledger.messages.get(mark)
        if m is None:
            past = self.ledger.past.get(mark)
            self.complain(f"{mark} is back" if past else
                          f"{mark} was never pushed", past, e)
        elif m.status is REFUSED:
            self.complain("a push that was refused is there", m, e)
        elif m.gone:
            self.complain(f"it was {m.gone} and is back", m, e)
        elif m.id is not None and m.id != e.id:
            self.complain("it has another ID", m, e)
        elif not e.body_is(m.body):
            self.complain("its body has changed", m, e)
        elif e.group != m.group:
            self.complain("its group has changed", m, e)

    def check_missing(self, m):
        if m.status is not ACKED or m.gone or m.maybe_gone:
            return
        queue = self.ledger.queues[m.queue]
        if queue.purging is not None:
            return
        if m.ttl and not queue.dead and m.dies()[0] <= now_ms() + SLACK_MS:
            return
        self.complain("it is lost", m)

    def check_shown(self, m, e):
        if m.gone or m.status is REFUSED:
            return                      # complained of already
        queue = self.ledger.queues[m.queue]
        if e.queue not in (m.queue, queue.dead):
            self.complain("it is in a queue that is not its own", m, e)
            return
        if m.ttl and not m.moved and m.dies()[1] + SLACK_MS < e.sent and \
                (e.queue == m.queue or not queue.dead):
            self.complain("its ttl is over", m, e)
        if e.queue != m.queue:
            self.check_dead(m, e, queue)
        elif m.where == m.queue:
            self.check_receives(m, e, queue, e.receives)
        if e.queue == m.where:
            self.check_lock(m, e)
        self.check_delay(m, e)

    def check_dead(self, m, e, queue):
        dead = e.deadLetter
        if m.letter is not None:
            if dead != m.letter and not m.redriven:
                self.complain(f"as a dead letter it said {m.letter}", m, e)
            return
        if not dead or dead["queue"] != m.queue:
            self.complain("it does not say where it died", m, e)
        elif dead["reason"] == "ttl":
            if not m.ttl or m.dies()[0] > e.at + SLACK_MS:
                self.complain("it died before its ttl was over", m, e)
        elif dead["receives"] < queue.settings[-1]["maxReceives"]:
            self.complain("it died of too few receives", m, e)
        if dead and m.where == m.queue:
            self.check_receives(m, e, queue, dead["receives"])

    def check_receives(self, m, e, queue, receives):
        if m.redriven:
            return
        sure = max((count for at, count, _ in m.past
                    if at < self.ledger.horizon), default=0)
        if receives < sure:
            self.complain(f"it was received {sure} times at least", m, e)
        if receives > m.receives + queue.receiving and m.status is ACKED:
            self.complain(f"it was received {m.receives} times", m, e)
        # Its last part is the end of the lock when it was given out.
        if receives == m.receives > 0 and e.queue == m.where and \
                not m.fuzzy and m.receipt.rpartition("-")[0] != \
                e.receipt.rpartition("-")[0]:
            self.complain(f"its receipt was {m.receipt}", m, e)
        most = queue.settings[-1].get("maxReceives", 0)
        if most and receives >= most and e.state == "available" and \
                e.queue == m.queue:
            self.complain("it is no dead letter yet", m, e)

    def check_lock(self, m, e):
        receiving = self.ledger.queues[m.where].receiving
        if m.changing or m.fuzzy or m.redriven or m.status is not ACKED:
            return
        sure = m.lock_sure or m.lock_at < self.ledger.horizon
        if m.lock and sure and m.lock[0] > e.at + SLACK_MS:
            if e.state != "locked":
                self.complain("its lock is gone", m, e)
            elif not (m.lock[0] - SLACK_MS <= e.lockedUntil <=
                      m.lock[1] + SLACK_MS):
                self.complain("its lock has another end", m, e)
        elif e.state == "locked" and not receiving:
            if not any(abs(e.lockedUntil - until) <= SLACK_MS
                       for _, _, until in m.past) and not (
                           m.lock and m.lock[0] - SLACK_MS <= e.lockedUntil
                           <= m.lock[1] + SLACK_MS):
                self.complain("nobody has locked it", m, e)
        if e.state == "locked" and e.lockedUntil + 1000 < e.sent:
            self.complain("its lock is over", m, e)

    def check_delay(self, m, e):
        if e.queue != m.queue or m.redriven:
            return
        first = m.since()[0]
        if e.state == "delayed":
            if not m.delay:
                self.complain("it was not delayed", m, e)
            elif not (first - SLACK_MS <= e.delayedUntil <=
                      m.since()[1] + SLACK_MS):
                self.complain("its delay has another end", m, e)
        elif m.delay and first > e.at + SLACK_MS:
            self.complain("its delay is gone", m, e)

    def check_batches(self):
        """Pushes of several that were not answered: all or nothing."""
        for messages in self.ledger.batches_open:
            queue = self.ledger.queues[messages[0].queue]
            if queue.purging is not None:
                continue
            there = [m for m in messages
                     if m.status is ACKED or m.mark in self.by_mark]
            missing = [m for m in messages
                       if m not in there and not m.maybe_gone and
                       not (m.ttl and m.dies()[0] <= now_ms() + SLACK_MS)]
            if there and missing:
                self.complain("a push was done in part: this is there\n"
                              f"    {there[0]}\n    and this is not",
                              missing[0])

    def check_purges(self):
        """A purge or delete that was not answered: all or nothing."""
        for name, queue in self.ledger.queues.items():
            if queue.purging is None:
                continue
            before = [m for m in self.ledger.messages.values()
                      if m.queue == name and m.status is ACKED and not m.gone
                      and not m.maybe_gone and m.at < queue.purging
                      and not m.ttl]
            left = [m for m in before if m.mark in self.by_mark]
            if left and len(left) < len(before):
                self.complain(f"{name} was purged in part: {len(left)} of "
                              f"{len(before)} are left", left[0])

    def place_of(self, m, e, fifo):
        """Since when it is available: (from, to); None: unknown."""
        if m.status is not ACKED or m.gone or m.changing or m.redriven or \
                e.deadLetter:
            return None
        if fifo or (m.receives == 0 and e.receives == 0 and not m.moved):
            return m.since()
        if m.fuzzy or e.receives != m.receives:
            return None
        if not (m.lock_sure or m.lock_at < self.ledger.horizon):
            return None
        return m.lock or m.free

    def check_order(self, name):
        queue = self.ledger.queues.get(name)
        if queue is None:
            return
        last = {}               # by group: the latest that one may be
        index = {}              # by push: the last of it
        for message_id in self.view.available[name]:
            e = self.view.entries[message_id]
            m = self.ledger.messages.get(e.body["m"])
            if m is None or e.queue != name or e.state != "available":
                continue
            place = self.place_of(m, e, queue.fifo)
            if place is None:
                continue
            low, old = last.get(m.group, (0, None))
            if place[1] + SLACK_MS < low:
                self.complain(f"it comes after one that is younger, {old}",
                              m, e)
            if place[0] > low:
                last[m.group] = (place[0], m)
            if place == m.since():
                if index.get(id(m.batch), -1) >= m.index:
                    self.complain("its push is in another order", m, e)
                index[id(m.batch)] = m.index

    def check_queues(self):
        for name, queue in self.ledger.queues.items():
            info = self.view.queues.get(name)
            if (info is not None) not in queue.exists:
                self.complain(f"queue {name} is "
                              f"{'there' if info else 'not there'}")
            if info is None:
                continue
            if queue.settings[0] and info["settings"] not in queue.settings:
                self.complain(f"queue {name} has {info['settings']}, and "
                              f"was set to {queue.settings}")
            if info["paused"] not in queue.paused:
                self.complain(f"queue {name} has paused={info['paused']}")
            self.check_totals(name, queue, info["totals"])
        for name in self.view.queues:
            if name not in self.ledger.queues:
                self.complain(f"queue {name} was never made")

    def check_totals(self, name, queue, totals):
        sure = queue.totals.get("received", 0) + sum(
            count for at, count in queue.received
            if at < self.ledger.horizon)
        low = {**queue.totals, **queue.low, "received": sure}
        for what, least in low.items():
            if totals[what] < least:
                self.complain(f"queue {name} has {what}={totals[what]}, and "
                              f"had {least} at least")
        for what, most in queue.high.items():
            if totals[what] > most:
                self.complain(f"queue {name} has {what}={totals[what]}, and "
                              f"had {most} at most")

    # What was open is settled now: what is shown is on disk.

    def settle(self):
        ledger = self.ledger
        for m in list(ledger.messages.values()):
            entries = self.by_mark.get(m.mark)
            if entries is None or m.gone or m.status is REFUSED:
                ledger.past[m.mark] = m
                del ledger.messages[m.mark]
                if m.gone is None and m.status is not REFUSED:
                    m.gone = "not there at a look"
                continue
            self.settle_message(m, entries[0])
        for name in list(ledger.queues):
            queue = ledger.queues[name]
            info = self.view.queues.get(name)
            if info is None:
                del ledger.queues[name]
                continue
            queue.exists = [True]
            queue.settings = [info["settings"]]
            queue.paused = [info["paused"]]
            queue.totals = info["totals"]
            queue.low = {w: info["totals"][w] for w in queue.low}
            queue.high = {w: info["totals"][w] for w in queue.high}
            queue.received = []
            queue.receiving = 0
            queue.purging = None
        ledger.batches_open = []
        ledger.horizon = 0.0
        ledger.alive = len(ledger.messages)
        ledger.keyed = [m for m in ledger.keyed[-200:]]

    def settle_message(self, m, e):
        changed = m.changing or m.fuzzy or m.where != e.queue or \
            m.receives != e.receives or \
            not (m.lock_sure or m.lock_at < self.ledger.horizon)
        if m.status is OPEN:
            m.status = ACKED
            m.id = e.id
            self.ledger.by_id[m.id] = m
        m.maybe_gone = False
        m.changing = None
        m.fuzzy = False
        if changed:
            m.free = m.lock = None
        if e.state == "locked":
            m.lock, m.free = (e.lockedUntil, e.lockedUntil + 1), None
        m.receives = e.receives
        m.receipt = e.receipt
        m.past = [(0, e.receives, e.lockedUntil or 0)]
        m.lock_sure, m.lock_at = True, 0
        m.where = e.queue
        m.letter = e.deadLetter
        m.redriven = False
        if e.queue != m.queue:
            m.moved = True
            m.ttl = m.delay = 0
        m.note("seen", e.queue, e.state, e.receives, e.at, "until",
               e.lockedUntil)

    def check_repeats(self):
        """Keys are known after a start, and those of open pushes are if the
        push was done; a client may then just send again."""
        keyed = self.ledger.keyed
        old = now_ms() - 200000
        opened = [m for m in keyed[-60:] if m.id is None and
                  m.status is OPEN]
        known = [m for m in keyed if m.id and m.at > old and
                 m.status is ACKED]
        for m in known[-3:] + opened:
            if m.queue not in self.view.queues:
                continue
            answer = self.server.request(
                "POST", f"/queues/{m.queue}?dedup={m.key.replace(' ', '+')}"
                + (f"&group={m.group}" if m.group else ""), m.body)
            if answer.status == 429:
                continue
            if m.id is None:
                self.repeat_open(m, answer)
            elif answer.status != 200 or answer.json()["messageID"] != m.id:
                self.complain(f"a repeat is answered {answer}", m)

    def repeat_open(self, m, answer):
        if answer.status == 201:
            self.ledger.past.pop(m.mark, None)
            m.gone = None
            m.delay = m.ttl = 0
            m.at = None
            self.ledger.push_sent([m])
            self.ledger.push_answered([m], answer,
                                      [answer.json()["messageID"]])
        elif answer.status == 200:
            m.id = answer.json()["messageID"]       # and it is gone since
        else:
            self.complain(f"a repeat is answered {answer}", m)


def drain(ledger, server):
    """Receive and confirm all, in the end; complaints."""
    comparison = Comparison(ledger, server)
    complaints = comparison.run()
    names = list(comparison.view.queues)
    for name in names:
        server.put(name, maxReceives=0, deadLetterQueue=None) \
            if name != "dead" else None
        server.request("POST", f"/queues/{name}/resume", b"")
    came = {}
    end = time.monotonic() + 60
    while time.monotonic() < end:
        left = 0
        for name in names:
            _drain_queue(server, name, came, complaints, ledger)
            counts = server.get(f"/queues/{name}/info").json()["counts"]
            left += (counts["available"] + counts["locked"] +
                     counts["delayed"])
        if left == 0:
            break
        time.sleep(0.05)
    else:
        complaints.append(f"{left} messages are left after a drain")
    for m in ledger.messages.values():
        if m.mark not in came and not (m.ttl and m.ttl < 600000):
            complaints.append(f"it does not come in the drain: {m}")
    return complaints


def _drain_queue(server, name, came, complaints, ledger):
    client = server.connect()
    path = f"/queues/{name}"
    try:
        page = client.request(
            "GET", f"{path}/peek?amount={PAGE}&state=locked")
        for entry in page.json()["messages"]:
            client.request("PATCH", f"{path}/{entry['id']}?timeout=0")
        while True:
            answer = client.request(
                "GET", f"{path}?amount=25&timeout=600000&details=true")
            messages = answer.json()["messages"]
            if not messages:
                return
            for entry in messages:
                mark = entry["body"]["m"]
                if mark in came:
                    complaints.append(f"{mark} comes twice")
                elif mark not in ledger.messages:
                    complaints.append(f"{mark} comes and should not")
                came[mark] = True
            done = client.request(
                "PATCH", path, json.dumps(
                    [entry["id"] for entry in messages]).encode())
            if len(done.json()["confirmed"]) != len(messages):
                complaints.append(f"confirmed in a drain: {done}")
    finally:
        client.close()
