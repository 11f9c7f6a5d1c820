"""Limits: the new is refused, the old is never dropped."""

import unittest

from harness import WqTestCase
from queues import LONG, NDJSON, Queue, QueueTestCase, bodies, ids, lines


class LimitTestCase(QueueTestCase):

    def assert_full(self, queue, *patterns, value=b"1", query="",
                    headers=()):
        response = queue.request("POST", "", query, value, headers)
        self.assert_problem(response, 429, *patterns)
        self.assertRegex(response.header("Retry-After") or "",
                         r"^[1-9]\d*$")


class MaxMessagesTest(LimitTestCase):

    def setUp(self):
        super().setUp()
        self.a = self.queue("a", maxMessages=3)

    def fill(self):
        return [self.a.push(i) for i in range(3)]

    def test_push_over_the_limit_is_429_and_says_which(self):
        self.fill()
        self.assert_full(self.a, "maxMessages")

    def test_refused_push_changes_nothing(self):
        pushed = self.fill()
        self.assert_full(self.a)
        self.assertEqual(self.a.count(), (3, 0, 0))
        self.assertEqual(self.a.totals()["pushed"], 3)
        self.assertEqual(ids(self.a.receive()), pushed)

    def test_locked_messages_count(self):
        self.fill()
        self.a.receive()
        self.assert_full(self.a)

    def test_delayed_messages_count(self):
        for _ in range(3):
            self.a.push(1, "delay=600000")
        self.assert_full(self.a)
        self.assert_full(self.a, query="delay=600000")

    def test_confirm_makes_room(self):
        pushed = self.fill()
        self.a.receive("amount=1&" + LONG)
        self.a.confirm(pushed[0])
        self.a.push()
        self.assert_full(self.a)

    def test_expired_messages_come_back_into_a_full_queue(self):
        pushed = self.fill()
        self.a.receive("timeout=30")
        self.a.wait_count(3)
        self.assert_full(self.a)
        self.assertEqual(sorted(ids(self.a.receive())), sorted(pushed))

    def test_lines_that_fit_are_pushed(self):
        self.a.push_lines(1, 2, 3)
        self.assertEqual(self.a.count(), (3, 0, 0))

    def test_lines_that_do_not_all_fit_are_all_refused(self):
        self.a.push()
        self.assert_full(self.a, "maxMessages", value=lines(1, 2, 3),
                         headers=NDJSON)
        self.assertEqual(self.a.count(), (1, 0, 0))

    def test_other_queues_are_not_limited(self):
        self.fill()
        for _ in range(10):
            self.root.push()
        self.assertEqual(self.root.count(), (10, 0, 0))

    def test_lower_limit_drops_nothing(self):
        pushed = self.fill()
        self.a.configure(maxMessages=1)
        self.assert_full(self.a)
        self.assertEqual(ids(self.a.receive()), pushed)
        for message in pushed[:2]:
            self.a.confirm(message)
        self.assert_full(self.a)
        self.a.confirm(pushed[2])
        self.a.push()

    def test_higher_limit_makes_room(self):
        self.fill()
        self.a.configure(maxMessages=4)
        self.a.push()
        self.assert_full(self.a)

    def test_no_limit_makes_room(self):
        self.fill()
        self.a.configure(maxMessages=0)
        self.a.push_lines(*range(100))
        self.assertEqual(self.a.count(), (103, 0, 0))

    def test_bad_push_to_a_full_queue_is_400(self):
        self.fill()
        self.assert_problem(self.a.request("POST", body=b"{"), 400)

    def test_limit_of_default_holds_at_the_root(self):
        self.queue("default").configure(maxMessages=1)
        self.root.push()
        self.assert_full(self.root, "maxMessages")

    def test_waiting_receiver_is_served_from_a_queue_of_one(self):
        self.a.configure(maxMessages=1)
        for _ in range(3):
            waiting = self.a.receive_and_wait(LONG)
            message = self.a.push()
            self.assertEqual(ids(waiting.messages()), [message])
            self.a.confirm(message)


class MaxBytesTest(LimitTestCase):

    def setUp(self):
        super().setUp()
        self.a = self.queue("a", maxBytes=100)

    def test_push_over_the_limit_is_429_and_says_which(self):
        self.a.push("x" * 58)
        self.assert_full(self.a, "maxBytes", value=b'"' + b"x" * 39 + b'"')
        self.assertEqual(self.a.counts()["bytes"], 60)

    def test_push_up_to_the_limit_is_taken(self):
        self.a.push("x" * 58)
        self.a.push("x" * 38)
        self.assertEqual(self.a.counts()["bytes"], 100)
        self.assert_full(self.a, "maxBytes")

    def test_message_that_never_fits_is_refused(self):
        response = self.a.request("POST", body=b'"' + b"x" * 99 + b'"')
        self.assert_problem(response, 413, "maxBytes")
        self.assertEqual(self.a.count(), (0, 0, 0))

    def test_batch_that_never_fits_is_413(self):
        self.a.configure(maxMessages=2)
        response = self.a.request("POST", "", "", b"1\n2\n3\n", NDJSON)
        self.assert_problem(response, 413, "maxMessages")

    def test_repeats_within_a_batch_take_no_room(self):
        self.a.configure(maxMessages=2, contentBasedDedup=True)
        response = self.a.request("POST", "", "", b"1\n1\n2\n1\n", NDJSON)
        self.assert_status(response, 201)
        self.assertEqual(self.a.count(), (2, 0, 0))

    def test_locked_and_delayed_messages_count(self):
        self.a.push("x" * 48)
        self.a.receive()
        self.a.push("x" * 48, "delay=600000")
        self.assert_full(self.a)

    def test_confirm_makes_room(self):
        message = self.a.push("x" * 98)
        self.a.receive()
        self.assert_full(self.a)
        self.a.confirm(message)
        self.a.push("x" * 98)

    def test_lines_that_do_not_all_fit_are_all_refused(self):
        self.a.push("x" * 48)
        self.assert_full(self.a, "maxBytes", value=lines("x" * 48, "x"),
                         headers=NDJSON)
        self.assertEqual(self.a.count(), (1, 0, 0))

    def test_lower_limit_drops_nothing(self):
        message = self.a.push("x" * 98)
        self.a.configure(maxBytes=10)
        self.assert_full(self.a)
        self.assertEqual(ids(self.a.receive()), [message])


class MaxLockedTest(LimitTestCase):

    def setUp(self):
        super().setUp()
        self.a = self.queue("a", maxLocked=2)
        self.pushed = self.a.push_lines(*range(4))

    def test_receive_locks_up_to_the_limit(self):
        self.assertEqual(ids(self.a.receive()), self.pushed[:2])
        self.assertEqual(self.a.count(), (2, 2, 0))

    def test_receive_over_the_limit_is_empty(self):
        self.a.receive()
        self.assertEqual(self.a.receive(), [])

    def test_confirm_makes_room(self):
        self.a.receive()
        self.a.confirm(self.pushed[0])
        self.assertEqual(ids(self.a.receive()), [self.pushed[2]])

    def test_give_back_makes_room(self):
        self.a.receive()
        self.a.give_back(self.pushed[0])
        self.assertEqual(ids(self.a.receive()), [self.pushed[2]])

    def test_expiry_makes_room(self):
        self.a.receive("timeout=30")
        self.a.wait_count(4)
        self.assertEqual(ids(self.a.receive()), self.pushed[2:])

    def test_purge_makes_room(self):
        self.a.receive()
        self.a.post("purge")
        message = self.a.push()
        self.assertEqual(ids(self.a.receive()), [message])

    def test_lower_limit_ends_no_lock(self):
        self.a.receive()
        self.a.configure(maxLocked=1)
        self.assertEqual(self.a.count(), (2, 2, 0))
        self.a.confirm(self.pushed[0])
        self.assertEqual(self.a.receive(), [])
        self.a.confirm(self.pushed[1])
        self.assertEqual(ids(self.a.receive()), [self.pushed[2]])

    def test_no_limit_locks_all(self):
        self.a.configure(maxLocked=0)
        self.assertEqual(ids(self.a.receive()), self.pushed)

    def test_pushes_are_not_limited(self):
        self.a.receive()
        self.a.push_lines(*range(10))
        self.assertEqual(self.a.count(), (12, 2, 0))


class MaxMemoryTest(LimitTestCase):
    """In memory: with --data bodies stay on disk, and nothing is refused."""

    OPTIONS = ("--max-memory", "2M", "--lock-timeout", "600000",
               "--data", "")

    def fill(self, *queues, size=10000):
        """Push to the queues by turns until one push is refused; what was
        taken, as (queue, ID)."""
        body = b'"' + b"x" * (size - 2) + b'"'
        taken = []
        while True:
            queue = queues[len(taken) % len(queues)]
            response = queue.request("POST", body=body)
            if response.status != 201:
                self.assert_problem(response, 429, "memory")
                self.assertRegex(response.header("Retry-After") or "",
                                 r"^[1-9]\d*$")
                return taken
            taken.append((queue, response.json()["messageID"]))
            self.assertLess(len(taken) * size, 2.2 * 1024 * 1024)

    def receive_all(self, queue):
        got = []
        while messages := queue.receive("amount=1000&" + LONG):
            got += messages
        return got

    def test_push_over_the_limit_is_429(self):
        taken = self.fill(self.root)
        self.assertGreater(len(taken), 50)

    def test_nothing_is_dropped(self):
        pushed = [message for _, message in self.fill(self.root)]
        got = self.receive_all(self.root)
        self.assertEqual(ids(got), pushed)
        self.assertEqual({len(body) for body in bodies(got)}, {9998})

    def test_all_queues_count_together(self):
        alone = len(self.fill(self.root))
        self.root.post("purge")
        queues = [self.queue(name) for name in "abc"]
        together = len(self.fill(*queues))
        self.assertLess(abs(alone - together), alone // 10)

    def test_every_queue_is_refused(self):
        self.fill(self.root)
        self.queue("b").configure()
        response = self.queue("b").request(
            "POST", body=b'"' + b"x" * 9998 + b'"')
        self.assert_problem(response, 429, "memory")

    def test_small_messages_fill_it_too(self):
        # Two bytes each: what fills the memory is not their bodies.
        with self.server.connect() as connection:
            for _ in range(5):
                response = connection.request(
                    "POST", "/", b"12\n" * 10000, NDJSON)
                if response.status != 201:
                    break
        self.assert_problem(response, 429, "memory")

    def test_lines_are_all_or_nothing(self):
        self.fill(self.root)
        before = self.root.count()
        response = self.root.request("POST", "", "", lines(*[
            "x" * 998] * 100), NDJSON)
        self.assert_problem(response, 429, "memory")
        self.assertEqual(self.root.count(), before)

    def test_confirm_makes_room(self):
        self.fill(self.root)
        for message in self.root.receive("amount=5&" + LONG):
            self.root.confirm(message["id"])
        self.root.push("x" * 9998)

    def test_purge_makes_room(self):
        first = len(self.fill(self.root))
        self.root.post("purge")
        self.assertEqual(len(self.fill(self.root)), first)

    def test_delete_makes_room(self):
        queue = self.queue("a")
        first = len(self.fill(queue))
        queue.expect((204,), "DELETE")
        self.assertEqual(len(self.fill(queue)), first)

    def test_all_else_goes_on(self):
        taken = self.fill(self.root)
        message = taken[0][1]
        self.assert_status(self.server.request("GET", "/health"), 200)
        self.assertEqual(self.root.state(message), "available")
        self.assertEqual(len(self.root.receive("amount=3&" + LONG)), 3)
        self.root.confirm(message, "timeout=500000")
        self.root.give_back(message)
        self.root.post("pause")
        self.root.post("resume")
        self.assertEqual(self.root.count(), (len(taken) - 2, 2, 0))

    def test_messages_pushed_and_confirmed_again_and_again_fit(self):
        with self.server.connect() as connection:
            for _ in range(500):
                response = connection.request(
                    "POST", "/", b'"' + b"x" * 50000 + b'"')
                self.assert_status(response, 201)
                message = response.json()["messageID"]
                connection.request("GET", "/")
                self.assert_status(
                    connection.request("PATCH", f"/{message}"), 204)


class MaxAmountTest(WqTestCase):

    def test_max_amount_holds_in_named_queues_and_waits(self):
        queue = Queue(self, self.start("--max-amount", "2"), "a")
        queue.configure()
        waiting = queue.receive_and_wait("amount=100&" + LONG)
        pushed = queue.push_lines(1, 2, 3)
        self.assertEqual(ids(waiting.messages()), pushed[:2])
        self.assertEqual(ids(queue.receive("amount=100&" + LONG)),
                         pushed[2:])


if __name__ == "__main__":
    unittest.main()
