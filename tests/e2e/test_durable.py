"""What is kept with --data: servers that are killed, and told to end, and what
the next one on the same directory knows.

restart() compares all queues, as far as a client can see them, before and
after it; each test adds what it is about.
"""

import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import stat
import threading
import time
import unittest

from harness import (Closed, WqTestCase, let_pass, now_epoch_ms, run_wqd,
                     wait_until)
from queues import LONG, NDJSON, Queue, bodies, ids, lines

ONE_LINE = re.compile(r"\A[^\n]+\n\Z")


def peeked(server):
    """The IDs of all messages of the default queue."""
    kept, after = [], ""
    while page := server.request(
            "GET", "/peek?amount=1000" + after).json()["messages"]:
        kept += ids(page)
        after = "&after=" + page[-1]["id"]
    return kept


class LiveQueue(Queue):
    """A queue of whatever server its test has now."""

    @property
    def server(self):
        return self.test.server

    @server.setter
    def server(self, _):
        pass


class DurableTestCase(WqTestCase):

    OPTIONS = ()

    def setUp(self):
        self.data = os.path.join(self.scratch(), "data")
        self.server = self.begin()
        self.root = self.queue()

    def begin(self, *options):
        return self.start(*self.OPTIONS, *options, data=self.data)

    def queue(self, name=None, **settings):
        queue = LiveQueue(self, None, name)
        if settings:
            queue.configure(**settings)
        return queue

    def settle(self):
        """The answer of a receive does not wait for the disk, but what comes
        after it does, and all is written in one order."""
        self.queue("settled").configure(tags={})

    def end(self, how):
        self.server.signal(how)
        self.server.check_end((0,) if how == signal.SIGTERM else (-how,))

    def snapshot(self):
        """All that a client can see, but for what changes with time."""
        seen = {}
        for info in self.server.request(
                "GET", "/queues?limit=1000").json()["queues"]:
            del info["counts"]["oldestAge"]
            queue = self.queue(info["name"])
            pages, after = [], ""
            while page := queue.peek("amount=1000" + after):
                pages += page
                after = "&after=" + page[-1]["id"]
            # Each group in its order; which one is listed first is open.
            pages.sort(key=lambda one: (one["state"], one.get("group", "")))
            seen[info["name"]] = (info, pages)
        return seen

    def drain(self, name):
        """Receive and confirm all that is available; the IDs in order."""
        queue = self.queue(name)
        order = []
        while messages := queue.receive("amount=1&" + LONG):
            order += ids(messages)
            queue.confirm(messages[0]["id"])
        return order


class RestartTests:
    """What comes back, however the server ended."""

    HOW = None

    def restart(self, same=True, pause=0):
        self.settle()
        before = self.snapshot() if same else None
        self.end(self.HOW)
        if pause:
            let_pass(pause)
        self.server = self.begin()
        if same:
            self.assertEqual(self.snapshot(), before)

    # Messages

    def test_bodies_come_back_byte_for_byte(self):
        for body in (b"12345678901234567890", b"1e400", b'"\\u0000"',
                     b'{"a": 1, "a": 2}', b'{"b":  1,"a":[ ]}', b"null",
                     b'"\xf0\x9f\x90\x98"', b'"\\ud83d\\ude00"', b"-0.0",
                     b'"' + b"x" * 300000 + b'"', b"[" * 2000 + b"]" * 2000):
            self.assert_status(self.server.request("POST", "/", body), 201)
        before = self.server.request("GET", "/peek?amount=100").body
        self.restart(same=False)
        after = self.server.request("GET", "/peek?amount=100").body
        self.assertEqual(after, before)

    def test_many_messages_of_one_push_come_back(self):
        pushed = self.root.push_lines(*range(3000))
        self.restart()
        received = self.root.receive("amount=1000&" + LONG)
        self.assertEqual(ids(received), pushed[:1000])
        self.assertEqual(bodies(received), list(range(1000)))

    def test_confirmed_messages_stay_so(self):
        pushed = [self.root.push(i) for i in range(20)]
        self.root.receive("amount=15&" + LONG)
        for message in pushed[:5]:
            self.root.confirm(message)
        self.root.expect((200,), "PATCH", "", "",
                         json.dumps(pushed[5:10]).encode())
        self.restart()
        for message in pushed[:10]:
            self.assertIsNone(self.root.look(message))
        self.assertEqual(self.root.count(), (5, 5, 0))

    def test_messages_after_a_restart_come_behind(self):
        order = []
        for i in range(5):
            order.append(self.root.push(i))
            self.restart()
        self.assertEqual(ids(self.root.receive()), order)

    # Locks

    def test_lock_with_time_left_stays(self):
        self.root.push()
        message = self.root.receive_one()
        self.restart()
        look = self.root.look(message["id"])
        self.assertEqual(look["state"], "locked")
        self.assertEqual(look["lockedUntil"], message["lockedUntil"])
        self.assertEqual(look["receipt"], message["receipt"])
        self.assertEqual(self.root.receive(), [])
        self.root.confirm(message["id"], "receipt=" + message["receipt"])

    def test_lock_ends_at_its_time_after_a_restart(self):
        self.root.push()
        message = self.root.receive_one("timeout=1500")
        self.restart()
        self.root.wait_state(message["id"], "available")
        self.assertGreaterEqual(now_epoch_ms() + 2, message["lockedUntil"])
        self.assertEqual(self.root.totals()["expired"], 1)

    def test_moved_end_of_a_lock_stays(self):
        message = self.root.push()
        self.root.receive("timeout=5000")
        [before] = self.root.peek()
        self.root.confirm(message, "timeout=500000")
        # The receipt has the end that the lock had at first.
        self.restart(same=False)
        self.assertGreater(self.root.look(message)["lockedUntil"],
                           now_epoch_ms() + 400000)
        self.root.confirm(message, "receipt=" + before["receipt"])

    def test_locks_that_ran_out_meanwhile_go_to_the_end_in_order(self):
        pushed = [self.root.push(i) for i in range(5)]
        for timeout in (900, 500, 700):
            self.root.receive(f"amount=1&timeout={timeout}")
        self.restart(same=False, pause=1)
        wanted = [pushed[i] for i in (3, 4, 1, 2, 0)]
        messages = self.root.receive("details=true&" + LONG)
        self.assertEqual(ids(messages), wanted)
        self.assertEqual([one["receives"] for one in messages],
                         [1, 1, 2, 2, 2])

    def test_receipt_confirms_after_its_lock_ran_out_meanwhile(self):
        self.root.push()
        message = self.root.receive_one("timeout=300")
        self.restart(same=False, pause=0.4)
        self.assertEqual(self.root.state(message["id"]), "available")
        self.root.confirm(message["id"], "receipt=" + message["receipt"])

    def test_stale_receipt_stays_stale(self):
        message = self.root.push()
        first = self.root.receive_one()
        self.root.give_back(message)
        second = self.root.receive_one()
        self.restart()
        self.assert_problem(self.root.patch(
            message, "receipt=" + first["receipt"]), 409)
        self.root.confirm(message, "receipt=" + second["receipt"])

    def test_order_of_what_ran_out_and_was_given_back(self):
        a, b, c, d = [self.root.push(i) for i in range(4)]
        self.root.receive("amount=1&timeout=1")
        self.root.wait_state(a, "available")
        self.root.receive("amount=1&" + LONG)
        self.root.give_back(b)
        e = self.root.push(4)
        self.restart()
        self.assertEqual(ids(self.root.receive()), [c, d, a, b, e])

    def test_what_a_client_that_left_was_given_stays_in_its_place(self):
        a = self.root.push(0)
        self.root.receive("amount=1&" + LONG)
        with self.server.connect() as gone:
            gone.send_request("GET", "/?wait=60000&" + LONG)
            self.root.wait_waiters(1)
            self.root.give_back(a)
        b = self.root.push(1)
        self.restart(same=False)
        self.assertEqual(
            sorted(ids(self.root.peek())), sorted([a, b]))

    def test_receives_are_counted_on(self):
        message = self.root.push()
        for _ in range(3):
            self.root.receive("timeout=0")
        self.restart()
        self.assertEqual(self.root.look(message)["receives"], 3)
        self.assertEqual(self.root.receive_one()["receives"], 4)

    def test_own_lock_timeout_of_a_message_stays(self):
        self.root.push(1, "timeout=7000000")
        self.restart()
        left = self.root.receive_one("")["lockedUntil"] - now_epoch_ms()
        self.assertTrue(6900000 < left <= 7000000, left)

    # Time

    def test_delay_stays(self):
        message = self.root.push(1, "delay=600000")
        self.restart()
        self.assertEqual(self.root.state(message), "delayed")
        self.assertEqual(self.root.receive(), [])

    def test_delay_ends_after_a_restart(self):
        self.root.push(1, "delay=1200")
        self.restart()
        self.root.wait_count(1)

    def test_delays_that_ended_meanwhile_count_from_their_ends(self):
        late = self.root.push(1, "delay=900")
        soon = self.root.push(2, "delay=600")
        now = self.root.push(3)
        self.restart(same=False, pause=1)
        self.assertEqual(ids(self.root.receive()), [now, soon, late])

    def test_ttl_stays(self):
        message = self.root.push(1, "ttl=1500")
        self.restart()
        self.root.wait_state(message, None)
        self.assertEqual(self.root.totals()["timedOut"], 1)

    def test_ttl_that_was_over_meanwhile(self):
        source = self.queue("source", deadLetterQueue="dead")
        gone = self.root.push(1, "ttl=300")
        locked = self.root.push(2, "ttl=300")
        first = source.push(3, "ttl=400")
        second = source.push(4, "ttl=300")
        stays = source.push(5, "ttl=600000")
        self.root.receive()
        self.restart(same=False, pause=0.6)
        self.assertIsNone(self.root.look(gone))
        self.assertIsNone(self.root.look(locked))
        self.assertEqual(ids(source.peek()), [stays])
        dead = self.queue("dead").peek()
        self.assertEqual(ids(dead), [second, first])
        self.assertEqual(dead[0]["deadLetter"], {
            "queue": "source", "receives": 0, "reason": "ttl"})
        self.restart()

    # Repeats

    def test_repeats_are_known(self):
        message = self.root.push(1, "dedup=a")
        self.restart()
        self.assertEqual(self.root.push(2, "dedup=a", statuses=(200,)),
                         message)
        self.root.receive()
        self.root.confirm(message)
        self.restart()
        self.assertEqual(self.root.push(3, "dedup=a", statuses=(200,)),
                         message)
        self.assertEqual(self.root.count(), (0, 0, 0))

    def test_repeats_of_a_body_are_known(self):
        queue = self.queue("same", contentBasedDedup=True)
        message = queue.push({"a": 1})
        self.restart()
        self.assertEqual(queue.push({"a": 1}, statuses=(200,)), message)
        self.assertNotEqual(queue.push({"a": 2}), message)

    def test_repeats_are_known_after_a_purge(self):
        message = self.root.push(1, "dedup=a")
        self.root.post("purge")
        self.restart()
        self.assertEqual(self.root.push(2, "dedup=a", statuses=(200,)),
                         message)

    # FIFO queues and groups

    def test_fifo_groups_keep_order_and_blocking(self):
        queue = self.queue("a.fifo")
        one = [queue.push(i, "group=one") for i in range(3)]
        two = queue.push(3, "group=two")
        self.assertEqual(ids(queue.receive("amount=1&" + LONG)), one[:1])
        self.restart()
        self.assertEqual(queue.look(one[1])["blockedBy"], one[0])
        self.assertEqual(ids(queue.receive()), [two])
        queue.give_back(one[0])
        self.restart()
        self.assertEqual(ids(queue.receive()), one)

    def test_fifo_lock_that_ran_out_meanwhile_keeps_its_place(self):
        queue = self.queue("a.fifo")
        pushed = [queue.push(i, "group=g") for i in range(3)]
        queue.receive("amount=2&timeout=400")
        self.restart(same=False, pause=0.5)
        self.assertEqual(ids(queue.receive()), pushed)

    def test_groups_of_other_queues_stay(self):
        self.root.push(1, "group=a%20b%C3%A9")
        self.restart()
        self.assertEqual(self.root.receive_one()["group"], "a b\u00e9")

    # Queues

    def test_settings_tags_and_totals_stay(self):
        queue = self.queue(
            "all", lockTimeout=1, delay=2, ttl=300000, maxReceives=4,
            deadLetterQueue="dead", maxMessages=5, maxBytes=600,
            maxLocked=7, contentBasedDedup=True, tags={"a": "\u00e9\n", "": ""})
        self.root.push(1, "dedup=x")
        self.root.push(1, "dedup=x", statuses=(200,))
        self.root.receive("timeout=1")
        self.root.wait_count(1)
        message = self.root.receive_one()
        self.root.confirm(message["id"])
        before = self.root.totals()
        self.assertEqual(
            (before["pushed"], before["received"], before["confirmed"],
             before["expired"], before["duplicates"]), (1, 2, 1, 1, 1))
        self.restart()
        queue.configure(maxReceives=0, deadLetterQueue=None, tags={})
        self.restart()

    def test_setting_of_the_default_queue_stays(self):
        self.queue("default", lockTimeout=12345)
        self.restart()
        self.assertEqual(self.root.settings()["lockTimeout"], 12345)

    def test_pause_stays(self):
        message = self.root.push()
        self.root.post("pause")
        self.restart()
        self.assertEqual(self.root.receive(), [])
        self.assertIs(self.root.look(message)["paused"], True)
        self.root.post("resume")
        self.restart()
        self.assertEqual(ids(self.root.receive()), [message])

    def test_purged_messages_stay_gone(self):
        self.root.push(1, "dedup=a")
        for _ in range(3):
            self.root.push_lines(*range(10000))
        self.root.receive("amount=1000&" + LONG)
        kept = self.queue("kept").push()
        self.root.post("purge")
        self.end(self.HOW)
        self.server = self.begin()
        self.assertEqual(self.root.count(), (0, 0, 0))
        self.assertEqual(self.root.peek(), [])
        self.assertEqual(ids(self.queue("kept").peek()), [kept])
        self.root.push(1, "dedup=a", statuses=(200,))
        after = self.root.push(1)
        self.restart()
        self.assertEqual(ids(self.root.receive()), [after])

    def test_deleted_queues_stay_so(self):
        queue = self.queue("gone", tags={"a": "b"})
        for _ in range(3):
            queue.push_lines(*range(10000))
        queue.receive("amount=1000&" + LONG)
        queue.push(1, "dedup=a")
        queue.expect((204,), "DELETE")
        self.end(self.HOW)
        self.server = self.begin()
        self.assertFalse(queue.exists())
        again = queue.push(1, "dedup=a")
        self.assertEqual(queue.settings()["tags"], {})
        self.restart()
        self.assertEqual(ids(queue.receive()), [again])

    # Dead letters

    def test_dead_letters_and_the_way_back(self):
        source = self.queue("source", maxReceives=1, deadLetterQueue="dead")
        dead = self.queue("dead")
        pushed = [source.push(i, "group=g") for i in range(4)]
        for message in pushed[:3]:
            source.receive("amount=1&" + LONG)
            source.give_back(message)
        self.restart()
        self.assertEqual(ids(dead.peek()), pushed[:3])
        self.assertEqual(dead.peek()[0]["deadLetter"], {
            "queue": "source", "receives": 1, "reason": "maxReceives"})
        self.assertEqual(dead.redrive("amount=2"), 2)
        self.restart()
        self.assertEqual(ids(source.peek()), [pushed[3]] + pushed[:2])
        self.assertNotIn("deadLetter", source.peek()[1])
        self.assertEqual(ids(dead.receive()), pushed[2:3])

    def test_lock_that_ran_out_meanwhile_makes_a_dead_letter(self):
        source = self.queue("source", maxReceives=1, deadLetterQueue="dead")
        message = source.push()
        source.receive("timeout=300")
        self.restart(same=False, pause=0.4)
        [dead] = self.queue("dead").peek()
        self.assertEqual(dead["id"], message)
        self.assertEqual(dead["deadLetter"]["reason"], "maxReceives")
        self.assertEqual(source.count(), (0, 0, 0))
        self.restart()

    def test_redrive_to_another_queue_stays(self):
        pushed = self.root.push_lines(*range(2500))
        other = self.queue("other", tags={})
        self.assertEqual(self.root.redrive("to=other"), 2500)
        self.restart()
        self.assertEqual(ids(other.receive("amount=1000&" + LONG)),
                         pushed[:1000])

    # All of it

    def test_order_after_several_restarts(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        queues = [self.queue("a", maxReceives=3, deadLetterQueue="c"),
                  self.queue("b.fifo", tags={}), self.queue("c", tags={})]
        with self.subTest(seed=seed):
            for _ in range(4):
                for _ in range(80):
                    self.do_anything(chance, chance.choice(queues))
                self.restart()
            # One goes on, and one begins with what it had.
            copy = self.server.request("POST", "/backup").json()["file"]
            data = self.scratch() + "/data"
            os.mkdir(data, 0o700)
            shutil.copy(copy, data + "/wq.db")
            names = ("a", "b.fifo", "c")
            wanted = [self.drain(name) for name in names]
            self.server = self.start(data=data)
            self.assertEqual([self.drain(name) for name in names], wanted)

    @staticmethod
    def do_anything(chance, queue):
        what = chance.randrange(7)
        locked = ids(queue.peek("state=locked&amount=100"))
        if what < 3 or not locked:
            queue.push(chance.random(), f"group={chance.randrange(3)}")
        elif what == 3:
            queue.receive(f"amount={chance.randrange(1, 5)}&timeout=0")
        elif what == 4:
            queue.confirm(chance.choice(locked))
        elif what == 5:
            queue.give_back(chance.choice(locked))
        queue.receive(f"amount={chance.randrange(1, 3)}&" + LONG)


class KilledTest(RestartTests, DurableTestCase):
    HOW = signal.SIGKILL


class EndedTest(RestartTests, DurableTestCase):
    HOW = signal.SIGTERM


class OverTheCapTest(RestartTests, DurableTestCase):
    """Bodies that are not in memory, but for those of the first messages."""
    HOW = signal.SIGKILL
    OPTIONS = ("--max-memory", 1)


class EndTest(DurableTestCase):

    def test_push_in_hand_at_the_end_is_kept(self):
        connection = self.connection(self.server)
        connection.send_request("POST", "/", None, {
            "Content-Length": "6", "Expect": "100-continue"})
        self.assertEqual(connection.read_interim(), 100)
        connection.send(b'"la')
        self.server.signal(signal.SIGTERM)
        wait_until(lambda: "draining" in self.server.log(),
                   what="the drain")
        connection.send(b'st"')
        self.assert_status(connection.read_response(), 201)
        self.server.check_end()
        self.server = self.begin()
        self.assertEqual(bodies(self.root.peek()), ["last"])

    def push_until_closed(self, acknowledged):
        try:
            with self.server.connect() as connection:
                for i in range(100000):
                    response = connection.request("POST", "/", b"%d" % i)
                    if response.status != 201:
                        return
                    acknowledged.append(response.json()["messageID"])
        except (OSError, Closed):
            pass

    def test_acknowledged_pushes_are_kept_whatever_the_end(self):
        for how in (signal.SIGTERM, signal.SIGKILL):
            acknowledged = [[] for _ in range(4)]
            threads = [threading.Thread(target=self.push_until_closed,
                                        args=(one,)) for one in acknowledged]
            for thread in threads:
                thread.start()
            wait_until(lambda: all(len(one) > 50 for one in acknowledged),
                       what="pushes")
            self.end(how)
            for thread in threads:
                thread.join()
            self.server = self.begin()
            with self.subTest(how):
                kept = ids(self.snapshot()["default"][1])
                for one in acknowledged:
                    self.assertEqual(
                        [each for each in kept if each in set(one)], one)
            self.root.post("purge")

    def test_backup_in_hand_at_the_end_of_the_drain(self):
        self.end(signal.SIGTERM)
        self.server = self.begin("--drain-timeout", 0)
        body = b'"' + b"x" * 1000000 + b'"'
        for _ in range(60):
            self.server.push(body)
        connection = self.connection(self.server)
        connection.send_request("POST", "/backup")
        wait_until(lambda: os.path.exists(
            os.path.join(self.data, "backup.db.part"))
            or not connection.is_silent(0), what="a backup to begin")
        self.end(signal.SIGTERM)
        self.server = self.begin()
        self.assertEqual(self.root.count(), (60, 0, 0))


class FailingDiskTest(WqTestCase):
    """Writes fail: no file may grow over 17 MiB, which holds the reserve."""

    def test_it_says_so_and_goes_on_by_itself(self):
        data = os.path.join(self.scratch(), "data")
        server = self.start(
            data=data, shell='trap "" XFSZ; ulimit -Sf 34816; exec "$@"')
        body = b'"' + b"x" * 500000 + b'"'
        pushed = []
        while (response := server.request("POST", "/", body)).status == 201:
            pushed.append(response.json()["messageID"])
        self.assert_problem(response, (500, 503))
        # The database may not grow, but its log could; now nothing may.
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (4096, hard))
        messages = server.receive("amount=2&timeout=600000")
        for message in messages:        # the later one is not forgotten
            self.assert_problem(server.patch(message["id"]), 500, "not known")
        self.assert_problem(server.request("GET", "/ready"), 503, "disk")
        self.assert_problem(server.request("POST", "/", b"1"), 503)
        self.assert_status(server.request("GET", "/health"), 200)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))
        wait_until(lambda: server.request("GET", "/ready").status == 200,
                   what="it to write again")
        pushed.append(server.push(b"1"))
        server.signal(signal.SIGKILL)
        server.check_end((-signal.SIGKILL,))
        server = self.start(data=data)
        self.assertEqual(peeked(server), pushed[2:])


class ReadingTest(DurableTestCase):
    """While much is read at the start."""

    COUNT = 300000

    def test_server_says_that_it_is_reading(self):
        page = lines(*["x" * 20] * 10000)
        for _ in range(self.COUNT // 10000):
            self.assert_status(self.server.request(
                "POST", "/", page, NDJSON), 201)
        self.end(signal.SIGKILL)
        self.server = self.start("--data", self.data)
        ready = self.server.request("GET", "/ready")
        if ready.status == 200:
            self.skipTest("it was read at once")
        self.assert_problem(ready, 503, "reading")
        self.assertIsNotNone(ready.header("Retry-After"))
        self.assert_status(self.server.request("GET", "/health"), 200)
        if "all is read" not in self.server.log():
            for method, target, body in (
                    ("POST", "/", b"1"), ("GET", "/", None),
                    ("GET", "/?wait=1000", None), ("GET", "/info", None),
                    ("GET", "/queues", None), ("POST", "/purge", None)):
                response = self.server.request(method, target, body)
                if "all is read" in self.server.log():
                    break
                self.assert_problem(response, 503)
        wait_until(lambda: self.server.request(
            "GET", "/ready").status == 200, what="all to be read")

    def test_end_and_kill_while_it_reads(self):
        page = lines(*["x" * 20] * 10000)
        for _ in range(10):
            self.assert_status(self.server.request(
                "POST", "/", page, NDJSON), 201)
        self.end(signal.SIGKILL)
        for how in (signal.SIGTERM, signal.SIGKILL):
            self.server = self.start("--data", self.data)
            self.end(how)
        self.server = self.begin()
        self.assertEqual(self.root.count(), (100000, 0, 0))


class DirectoryTest(WqTestCase):

    def setUp(self):
        self.parent = self.scratch()
        self.data = os.path.join(self.parent, "data")
        self.file = os.path.join(self.data, "wq.db")

    def make(self, *messages):
        """A directory with these in it."""
        server = self.start(data=self.data)
        for message in messages:
            server.push(message)
        server.stop()

    def content(self):
        """What is in the database and the log before it."""
        found = {}
        for name in ("wq.db", "wq.db-wal", "wq.db-journal"):
            path = os.path.join(self.data, name)
            if os.path.exists(path):
                with open(path, "rb") as file:
                    found[name] = file.read()
        return found

    def refused(self, *patterns, data=None, check=True, still=True):
        """It does not start there, nor is that checked.  still: nobody else
        writes there."""
        data = data or self.data
        before = self.content()
        runs = [run_wqd("-l", "127.0.0.1", "-p", "0", "--data", data)]
        self.assertRegex(runs[0].stderr, ONE_LINE)
        if check:
            runs.append(run_wqd("--check", data))
        for run in runs:
            with self.subTest(run.args):
                self.assertEqual(run.returncode, 1, run)
                for pattern in patterns:
                    self.assertRegex(run.stderr, pattern)
        if still:
            self.assertTrue(self.content() == before, "it was changed")

    def check(self):
        run = run_wqd("--check", self.data)
        self.assertEqual((run.returncode, run.stderr), (0, ""), run)
        return dict(re.findall(r"(.*): (\d+)", run.stdout))

    def test_directory_is_made_for_its_owner_alone(self):
        self.make(b"1")
        self.assertEqual(stat.S_IMODE(os.stat(self.data).st_mode), 0o700)
        for name in os.listdir(self.data):
            mode = os.stat(os.path.join(self.data, name)).st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o600, name)

    def test_directory_is_taken_from_the_environment(self):
        for _ in range(2):
            server = self.start(env={"WQ_DATA": self.data})
            wait_until(lambda: server.request(
                "GET", "/ready").status == 200, what="it to be ready")
            count = server.counts()["available"]
            server.push(b"1")
            server.stop()
        self.assertEqual(count, 1)

    def test_empty_directory_is_memory(self):
        server = self.start("--data", "")
        self.assertEqual(server.info()["durable"], "memory")

    def test_second_process_is_refused(self):
        server = self.start(data=self.data)
        self.refused(rf"\b{server.pid}\b", re.escape(self.data),
                     still=False)
        server.push(b"1")
        self.assertEqual(server.counts()["available"], 1)

    def test_directory_of_a_killed_process_is_free(self):
        server = self.start(data=self.data)
        server.push(b"1")
        server.signal(signal.SIGKILL)
        server.check_end((-signal.SIGKILL,))
        self.assertEqual(self.check()["messages"], "1")

    def test_directory_that_cannot_be(self):
        file = os.path.join(self.parent, "file")
        with open(file, "wb") as out:
            out.write(b"precious")
        self.refused(re.escape(file), data=file)
        self.refused(re.escape(file), data=file + "/data")
        self.refused("none", data=self.parent + "/none/data")
        with open(file, "rb") as kept:
            self.assertEqual(kept.read(), b"precious")
        self.refused(data="/proc/data")
        self.refused(data="/" + "x" * 5000)

    def test_directory_that_is_not_writable(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        os.mkdir(self.data, 0o500)
        self.refused(re.escape(self.data))

    def test_database_of_another_program_is_left_alone(self):
        os.mkdir(self.data)
        for mode in ("delete", "wal"):
            with self.subTest(mode):
                other = sqlite3.connect(self.file)
                other.execute("PRAGMA journal_mode=" + mode)
                other.execute("CREATE TABLE IF NOT EXISTS t (x)")
                other.commit()
                other.close()
                self.refused("not one of wqd")

    def test_newer_schema_is_left_alone(self):
        self.make(b"1")
        other = sqlite3.connect(self.file)
        other.execute("PRAGMA user_version=7")
        other.commit()
        other.close()
        self.refused(r"version 7\b")

    def test_what_is_no_database_is_left_alone(self):
        os.mkdir(self.data)
        for content in (b"precious\n", b"\0" * 8192, os.urandom(20000)):
            with self.subTest(content[:8]):
                with open(self.file, "wb") as out:
                    out.write(content)
                self.refused(re.escape(self.data))

    def test_truncated_database_is_left_alone(self):
        self.make(*[b'"' + b"x" * 3000 + b'"'] * 30)
        size = os.path.getsize(self.file)
        for kept in (size - 4096, size // 2, 4096, 1000, 100, 10):
            with self.subTest(kept):
                os.truncate(self.file, kept)
                self.refused(re.escape(self.data), check=False)
                self.assertEqual(
                    run_wqd("--check", self.data).returncode, 1)

    def test_damage_is_found_by_check(self):
        self.make(*[b'"' + b"x" * 3000 + b'"'] * 30)
        self.assertEqual(self.check()["messages"], "30")
        with open(self.file, "r+b") as file:
            for page in range(4, os.path.getsize(self.file) // 4096):
                file.seek(page * 4096)
                file.write(b"\xff" * 64)
        run = run_wqd("--check", self.data)
        self.assertEqual(run.returncode, 1, run)
        self.assertRegex(run.stderr, "damaged")

    def test_check_counts(self):
        server = self.start(data=self.data)
        for i in range(5):
            server.push(b"%d" % i)
        server.receive("amount=2&timeout=600000")
        server.request("POST", "/queues/other?dedup=a", b"12")
        server.stop()
        self.assertEqual(self.check(), {
            "queues": "2", "messages": "6", "received messages": "2",
            "keys of repeats": "1", "bytes of bodies": "7",
            "locks of no message": "0"})

    def test_check_of_nothing(self):
        for data in (self.data, "/dev/null", ""):
            run = run_wqd("--check", data)
            self.assertEqual(run.returncode, 1, run)
            self.assertRegex(run.stderr, ONE_LINE)
        self.assertFalse(os.path.exists(self.data))

    # Backups

    def test_backup_while_pushes_go_on(self):
        server = self.start(data=self.data)
        before = [server.push(b"%d" % i) for i in range(2000)]
        stop, pushed = threading.Event(), []

        def push():
            with server.connect() as connection:
                while not stop.is_set():
                    pushed.append(connection.request(
                        "POST", "/", b'"later"').json()["messageID"])
        thread = threading.Thread(target=push)
        thread.start()
        try:
            for _ in range(3):
                last = len(pushed)
                response = server.request("POST", "/backup")
                self.assert_status(response, 200)
        finally:
            stop.set()
            thread.join()
        copy = response.json()["file"]
        self.assertEqual(copy, os.path.join(self.data, "backup.db"))
        self.assertFalse(os.path.exists(copy + ".part"))
        os.mkdir(self.parent + "/copy", 0o700)
        shutil.copy(copy, self.parent + "/copy/wq.db")
        server.stop()
        self.data = self.parent + "/copy"
        self.check()
        server = self.start(data=self.data)
        kept = peeked(server)
        self.assertGreaterEqual(len(kept), 2000 + last)
        self.assertEqual(kept, (before + pushed)[:len(kept)])

    # What is promised

    def test_sync_is_told(self):
        for options, wanted in (((), "fsync"), (("--sync", "full"), "fsync"),
                                (("--sync", "normal"), "write"),
                                (("--sync", "off"), "write"),
                                (("--sync-locks", "true"), "fsync")):
            with self.subTest(options):
                server = self.start(*options, data=self.data)
                response = server.request("POST", "/?dedup=a", b"1")
                self.assertEqual(response.header("WQ-Durable"), wanted)
                response = server.request("POST", "/?dedup=a", b"1")
                self.assert_status(response, 200)
                self.assertEqual(response.header("WQ-Durable"), wanted)
                response = server.request("POST", "/", b"1\n2\n", NDJSON)
                self.assertEqual(response.header("WQ-Durable"), wanted)
                self.assertEqual(server.info()["durable"], wanted)
                server.receive("timeout=0")
                server.signal(signal.SIGKILL)
                server.check_end((-signal.SIGKILL,))

    def test_synced_lock_is_kept(self):
        server = self.start("--sync-locks", "true", data=self.data)
        for i in range(20):
            server.push(b"%d" % i)
            [message] = server.receive("timeout=600000&details=true")
            server.signal(signal.SIGKILL)
            server.check_end((-signal.SIGKILL,))
            server = self.start("--sync-locks", "true", data=self.data)
            look = server.look(message["id"])
            self.assertEqual(look["lockedUntil"], message["lockedUntil"])

    def test_bad_values_are_refused(self):
        for option, value in (("--sync", "fsync"), ("--sync", ""),
                              ("--sync", "FULL"), ("--sync", "full|normal"),
                              ("--sync-locks", "1"), ("--sync-locks", "")):
            with self.subTest((option, value)):
                run = run_wqd("-p", "0", option, value)
                self.assertEqual(run.returncode, 2, run)
                self.assertRegex(run.stderr, ONE_LINE)
                self.assertIn(option[2:], run.stderr)
        for option in ("--sync", "--data", "-d", "--check", "--sync-locks"):
            self.assertEqual(run_wqd(option).returncode, 2)
        self.assertEqual(run_wqd("-p", "0", env={"WQ_SYNC": "x"}).returncode,
                         2)

    def test_memory_is_what_it_says(self):
        server = self.start("--data", "")
        response = server.request("POST", "/", b"1")
        self.assertEqual(response.header("WQ-Durable"), "memory")
        self.assert_problem(server.request("POST", "/backup"), 501, "--data")


if __name__ == "__main__":
    unittest.main()
