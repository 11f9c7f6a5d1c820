"""Delays, lock timeouts, times to live, and the receipts of receives."""

import re
import time
import unittest

from harness import CLOCK_GRAIN, let_pass, now_epoch_ms, wait_until
from queues import LONG, QueueTestCase, bodies, ids

BAD_TIMES = ("-1", "abc", "", "1.5", "1s", "+5", "0x10", "1" + "0" * 30)


class TimesTestCase(QueueTestCase):

    def assert_bad_push(self, name, values):
        for value in values:
            with self.subTest(value=value):
                self.assert_problem(
                    self.root.request("POST", "", f"{name}={value}", b"1"),
                    400, name)
        self.assertEqual(self.root.count(), (0, 0, 0))


class DelayTest(TimesTestCase):

    def assert_delayed(self, queue, query, seconds):
        began = time.monotonic()
        message = queue.push(1, query)
        queue.wait_state(message, "available")
        self.assert_not_before(began, seconds)

    def test_delay_ends_not_before_its_time(self):
        self.assert_delayed(self.root, "delay=300", 0.3)

    def test_short_delays_end_not_before_their_time(self):
        for milliseconds in (1, 2, 3, 10, 57):
            with self.subTest(milliseconds=milliseconds):
                self.assert_delayed(self.root, f"delay={milliseconds}",
                                    milliseconds / 1000)

    def test_delayed_message_is_not_received(self):
        message = self.root.push(1, "delay=600000")
        self.assertEqual(self.root.receive(), [])
        self.assertEqual(self.root.state(message), "delayed")

    def test_delayed_message_is_counted_as_such(self):
        self.root.push("x", "delay=600000")
        self.assertEqual(self.root.count(), (0, 0, 1))
        self.assertEqual(self.root.counts()["bytes"], 3)

    def test_message_is_received_once_its_delay_ended(self):
        message = self.root.push("later", "delay=50")
        self.root.wait_state(message, "available")
        got = self.root.receive_one()
        self.assertEqual((got["id"], got["body"], got["receives"]),
                         (message, "later", 1))
        self.assertEqual(self.root.count(), (0, 1, 0))

    def test_delay_ends_without_a_call_that_asks(self):
        self.root.push(1, "delay=50")
        self.root.wait_count(1)

    def test_delay_0_is_no_delay(self):
        message = self.root.push(1, "delay=0")
        self.assertEqual(ids(self.root.receive()), [message])

    def test_delay_of_the_queue_holds(self):
        self.assert_delayed(self.queue("a", delay=300), "", 0.3)

    def test_delay_of_the_push_wins(self):
        queue = self.queue("a", delay=600000)
        self.assert_delayed(queue, "delay=300", 0.3)
        message = queue.push(1, "delay=0")
        self.assertEqual(queue.state(message), "available")

    def test_new_delay_of_the_queue_holds_for_later_pushes(self):
        queue = self.queue("a")
        first = queue.push()
        queue.configure(delay=600000)
        second = queue.push()
        self.assertEqual(queue.state(first), "available")
        self.assertEqual(queue.state(second), "delayed")
        queue.configure(delay=0)
        self.assertEqual(queue.state(second), "delayed")

    def test_message_pushed_meanwhile_comes_first(self):
        delayed = self.root.push(1, "delay=300")
        other = self.root.push(2)
        if self.root.state(delayed) != "delayed":
            self.skipTest("too slow a machine to tell")
        self.root.wait_count(2)
        self.assertEqual(ids(self.root.receive()), [other, delayed])

    def test_message_pushed_after_the_delay_comes_last(self):
        delayed = self.root.push(1, "delay=30")
        self.root.wait_count(1)
        other = self.root.push(2)
        self.assertEqual(ids(self.root.receive()), [delayed, other])

    def test_delayed_messages_come_in_the_order_in_which_delays_end(self):
        began = time.monotonic()
        pushed = [self.root.push(delay, f"delay={delay}")
                  for delay in (3000, 2000, 2500, 1500)]
        if time.monotonic() - began > 0.5 - CLOCK_GRAIN:
            self.skipTest("too slow a machine to tell")
        self.root.wait_count(4)
        self.assertEqual(ids(self.root.receive()),
                         [pushed[i] for i in (3, 1, 2, 0)])

    def test_messages_delayed_together_come_in_their_order(self):
        pushed = self.root.push_lines(*range(20), query="delay=100")
        self.root.wait_count(20)
        self.assertEqual(ids(self.root.receive("amount=20&" + LONG)), pushed)

    def test_delayed_message_cannot_be_confirmed(self):
        message = self.root.push(1, "delay=600000")
        for query in ("", "timeout=0", "timeout=1000"):
            with self.subTest(query=query):
                self.assert_problem(self.root.patch(message, query), 404)
        self.assertEqual(self.root.count(), (0, 0, 1))

    def test_expired_message_is_not_delayed_again(self):
        queue = self.queue("a", delay=50)
        message = queue.push()
        queue.wait_state(message, "available")
        queue.configure(delay=600000)
        queue.receive()
        queue.give_back(message)
        self.assertEqual(queue.state(message), "available")

    def test_bad_delay_is_400(self):
        self.assert_bad_push("delay", BAD_TIMES)


class MessageTimeoutTest(TimesTestCase):

    def test_timeout_of_the_message_holds(self):
        message = self.root.push(1, "timeout=300")
        began = time.monotonic()
        self.root.receive("")
        self.root.wait_state(message, "available")
        self.assert_not_before(began, 0.3)

    def test_timeout_of_the_message_wins_over_the_queue_s(self):
        queue = self.queue("a", lockTimeout=20)
        message = queue.push(1, "timeout=600000")
        other = queue.push(2)
        self.assertEqual(ids(queue.receive("")), [message, other])
        queue.wait_state(other, "available")
        self.assertEqual(queue.state(message), "locked")

    def test_timeout_of_the_receive_wins_over_the_message_s(self):
        message = self.root.push(1, "timeout=600000")
        self.root.receive("timeout=30")
        self.root.wait_state(message, "available")

    def test_timeout_of_the_message_holds_each_time(self):
        message = self.root.push(1, "timeout=500000")
        for _ in range(3):
            before = now_epoch_ms()
            got = self.root.receive_one("")
            self.assert_epoch_ms(got["lockedUntil"], before, now_epoch_ms(),
                                 500000)
            self.root.give_back(message)

    def test_timeout_of_a_delayed_message_holds(self):
        message = self.root.push(1, "timeout=500000&delay=30")
        self.root.wait_state(message, "available")
        before = now_epoch_ms()
        got = self.root.receive_one("")
        self.assert_epoch_ms(got["lockedUntil"], before, now_epoch_ms(),
                             500000)

    def test_bad_timeout_is_400(self):
        self.assert_bad_push("timeout", BAD_TIMES + ("43200001",))


class ExtendTest(TimesTestCase):

    def test_extended_lock_ends_not_before_its_time(self):
        queue = self.queue("a")
        message = queue.push()
        queue.receive()
        began = time.monotonic()
        queue.confirm(message, "timeout=400")
        queue.wait_state(message, "available")
        self.assert_not_before(began, 0.4)

    def test_lock_can_be_extended_again_and_again(self):
        queue = self.queue("a")
        message = queue.push()
        queue.receive()
        for _ in range(5):
            before = now_epoch_ms()
            queue.confirm(message, "timeout=500000")
            self.assert_epoch_ms(queue.look(message)["lockedUntil"], before,
                                 now_epoch_ms(), 500000)
        queue.confirm(message)

    def test_extending_counts_no_receive(self):
        queue = self.queue("a")
        message = queue.push()
        receipt = queue.receive_one()["receipt"]
        queue.confirm(message, "timeout=500000")
        look = queue.look(message)
        self.assertEqual((look["receives"], look["receipt"]), (1, receipt))

    def test_given_back_message_goes_to_the_end(self):
        queue = self.queue("a")
        pushed = queue.push_lines(1, 2, 3)
        queue.receive("amount=1&" + LONG)
        queue.give_back(pushed[0])
        self.assertEqual(ids(queue.receive()),
                         [pushed[1], pushed[2], pushed[0]])

    def test_given_back_message_keeps_its_receives(self):
        queue = self.queue("a")
        message = queue.push()
        queue.receive()
        queue.give_back(message)
        self.assertEqual(queue.look(message)["receives"], 1)
        self.assertEqual(queue.receive_one()["receives"], 2)

    def test_giving_back_is_no_expiry(self):
        queue = self.queue("a")
        message = queue.push()
        queue.receive()
        queue.give_back(message)
        self.assertEqual(queue.totals()["expired"], 0)

    def test_expired_lock_cannot_be_extended(self):
        queue = self.queue("a")
        message = queue.push()
        receipt = queue.receive_one("timeout=30")["receipt"]
        queue.wait_state(message, "available")
        for query in ("timeout=1000", f"timeout=1000&receipt={receipt}"):
            with self.subTest(query=query):
                self.assert_problem(queue.patch(message, query), 404)


class TtlTest(TimesTestCase):

    def assert_gone(self, queue, message, began, seconds):
        queue.wait_state(message, None)
        self.assert_not_before(began, seconds)
        self.assertEqual(queue.count(), (0, 0, 0))
        self.assertEqual(queue.counts()["bytes"], 0)
        self.assertEqual(queue.receive(), [])

    def test_message_is_gone_after_its_ttl(self):
        began = time.monotonic()
        message = self.root.push(1, "ttl=300")
        self.assert_gone(self.root, message, began, 0.3)

    def test_ttl_of_the_queue_holds(self):
        queue = self.queue("a", ttl=300)
        began = time.monotonic()
        self.assert_gone(queue, queue.push(), began, 0.3)

    def test_ttl_of_the_push_wins(self):
        queue = self.queue("a", ttl=300)
        message = queue.push("long", "ttl=600000")
        other = queue.push("short")
        queue.wait_state(other, None)
        self.assertEqual(bodies(queue.receive()), ["long"])
        queue.confirm(message)

    def test_shorter_ttl_of_the_push_wins(self):
        queue = self.queue("a", ttl=600000)
        began = time.monotonic()
        self.assert_gone(queue, queue.push(1, "ttl=300"), began, 0.3)

    def test_ttl_ends_without_a_call_that_asks(self):
        self.root.push(1, "ttl=50")
        self.root.wait_count(0)

    def test_locked_message_is_gone_after_its_ttl(self):
        began = time.monotonic()
        message = self.root.push(1, "ttl=500")
        if ids(self.root.receive()) != [message]:
            self.skipTest("too slow a machine to tell")
        self.assert_gone(self.root, message, began, 0.5)
        self.assert_problem(self.root.patch(message), 404)

    def test_delayed_message_is_gone_after_its_ttl(self):
        began = time.monotonic()
        message = self.root.push(1, "ttl=300&delay=600000")
        self.assert_gone(self.root, message, began, 0.3)

    def test_ttl_counts_from_the_push(self):
        # Its lock and its delay are within the time, not before it.
        began = time.monotonic()
        message = self.root.push(1, "ttl=600&delay=50")
        wait_until(lambda: self.root.state(message) != "delayed")
        self.root.receive("timeout=50")
        self.assert_gone(self.root, message, began, 0.6)
        self.assertEqual(self.root.totals()["pushed"], 1)

    def test_expired_message_is_gone_after_its_ttl(self):
        began = time.monotonic()
        message = self.root.push(1, "ttl=600")
        self.root.receive("timeout=50")
        self.assert_gone(self.root, message, began, 0.6)

    def test_message_confirmed_in_time_is_confirmed(self):
        message = self.root.push(1, "ttl=600000")
        self.root.receive()
        self.root.confirm(message)
        self.assertEqual(self.root.totals()["confirmed"], 1)

    def test_message_is_received_within_its_ttl(self):
        message = self.root.push(1, "ttl=600000")
        self.assertEqual(ids(self.root.receive()), [message])

    def test_message_whose_ttl_ended_is_not_confirmed(self):
        message = self.root.push(1, "ttl=50")
        self.root.wait_state(message, None)
        self.assertEqual(self.root.totals()["confirmed"], 0)

    def test_ttl_of_lines_holds_for_each(self):
        kept = self.root.push("kept")
        self.root.push_lines(1, 2, 3, query="ttl=100")
        self.root.wait_count(1)
        self.assertEqual(ids(self.root.receive()), [kept])

    def test_others_keep_their_order(self):
        first = self.root.push()
        middle = self.root.push(1, "ttl=50")
        last = self.root.push()
        self.root.wait_state(middle, None)
        self.assertEqual(ids(self.root.receive()), [first, last])

    def test_ttls_end_in_any_order(self):
        pushed = [self.root.push(1, f"ttl={ttl}")
                  for ttl in (300, 50, 600000, 150)]
        self.root.wait_count(1)
        self.assertEqual(ids(self.root.receive()), [pushed[2]])

    def test_queue_without_ttl_keeps_messages(self):
        message = self.root.push()
        let_pass(0.3)
        self.assertEqual(self.root.state(message), "available")

    def test_waiting_receiver_does_not_get_a_message_that_is_gone(self):
        message = self.root.push(1, "ttl=50&delay=300")
        waiting = self.root.receive_and_wait()
        self.root.wait_state(message, None)
        self.assert_waits(waiting, seconds=0.4)
        message = self.root.push()
        self.assertEqual(ids(waiting.messages()), [message])

    def test_full_queue_has_room_once_a_ttl_ended(self):
        queue = self.queue("a", maxMessages=1)
        queue.push(1, "ttl=50")
        queue.wait_count(0)
        queue.push()

    def test_bad_ttl_is_400(self):
        self.assert_bad_push("ttl", BAD_TIMES)


class ReceiptTest(TimesTestCase):

    def received(self, times):
        """A message that was received so often, and each receive."""
        queue = self.queue("a")
        queue.push()
        receives = []
        for _ in range(times):
            receives.append(queue.receive_one())
            if len(receives) < times:
                queue.give_back(receives[-1]["id"])
        return queue, receives

    def assert_stale(self, queue, received, *patterns, query=""):
        response = queue.patch(
            received["id"], f"receipt={received['receipt']}{query}")
        return self.assert_problem(response, 409, *patterns)["detail"]

    def test_newest_receipt_confirms(self):
        queue, receives = self.received(3)
        queue.confirm(receives[-1]["id"],
                      "receipt=" + receives[-1]["receipt"])
        self.assertEqual(queue.count(), (0, 0, 0))

    def test_each_older_receipt_is_409(self):
        queue, receives = self.received(4)
        for old in receives[:-1]:
            self.assert_stale(queue, old)
            self.assert_stale(queue, old, query="&timeout=0")
        self.assertEqual(queue.count(), (0, 1, 0))

    def test_stale_receipt_says_how_often_it_was_received_since(self):
        queue, receives = self.received(5)
        self.assert_stale(queue, receives[0], r"\b4 times\b")
        self.assert_stale(queue, receives[1], r"\b3 times\b")

    def test_stale_receipt_says_when_its_lock_ran_out(self):
        queue = self.queue("a")
        message = queue.push()
        before = now_epoch_ms()
        old = queue.receive_one("timeout=30")
        queue.wait_state(message, "available")
        after = now_epoch_ms()
        queue.receive()
        detail = self.assert_stale(queue, old, "lock")
        [ended] = re.findall(r"\b\d{13}\b", detail)
        self.assert_epoch_ms(int(ended), before, after)

    def test_older_stale_receipt_says_until_when_its_lock_was_taken(self):
        queue = self.queue("a")
        message = queue.push()
        before = now_epoch_ms()
        old = queue.receive_one("timeout=30")
        after = now_epoch_ms()
        queue.wait_state(message, "available")
        queue.receive("timeout=30")
        queue.wait_state(message, "available")
        queue.receive()
        detail = self.assert_stale(queue, old, r"\b2 times\b")
        [until] = re.findall(r"\b\d{13}\b", detail)
        self.assert_epoch_ms(int(until), before + 30, after + 30)

    def test_stale_receipt_after_the_next_expiry_is_409(self):
        queue = self.queue("a")
        message = queue.push()
        old = queue.receive_one("timeout=30")
        queue.wait_state(message, "available")
        queue.receive("timeout=30")
        queue.wait_state(message, "available")
        self.assert_stale(queue, old)

    def test_receipt_confirms_after_the_lock_ran_out(self):
        queue = self.queue("a")
        message = queue.push()
        receipt = queue.receive_one("timeout=30")["receipt"]
        queue.wait_state(message, "available")
        queue.confirm(message, "receipt=" + receipt)
        self.assertEqual(queue.count(), (0, 0, 0))
        self.assertEqual(queue.totals()["confirmed"], 1)

    def test_receipt_confirms_what_was_given_back(self):
        queue = self.queue("a")
        message = queue.push()
        receipt = queue.receive_one()["receipt"]
        queue.give_back(message)
        queue.confirm(message, "receipt=" + receipt)
        self.assertEqual(queue.count(), (0, 0, 0))

    def test_receipt_extends_the_lock(self):
        queue, [got] = self.received(1)
        queue.confirm(got["id"], f"receipt={got['receipt']}&timeout=500000")
        self.assertEqual(queue.state(got["id"]), "locked")

    def test_malformed_receipt_is_400(self):
        queue, [got] = self.received(1)
        for value in ("", "x", "1", "1-", "-1", "0-00000000", "1-0", "1-zz",
                      "%201-00000000"):
            with self.subTest(value=value):
                self.assert_problem(
                    queue.patch(got["id"], "receipt=" + value),
                    400, "receipt")
        self.assertEqual(queue.state(got["id"]), "locked")

    def test_receipt_that_no_receive_gave_is_409(self):
        queue, [got] = self.received(1)
        kind = got["receipt"].split("-")[0]
        other = f"{kind}-{'0' * 8}"
        if other == got["receipt"]:
            other = f"{kind}-{'1' * 8}"
        self.assert_problem(queue.patch(got["id"], "receipt=" + other),
                            (400, 409), "receipt")
        self.assertEqual(queue.state(got["id"]), "locked")

    def test_receipt_for_a_message_that_was_never_received_is_refused(self):
        queue, [got] = self.received(1)
        other = queue.push()
        self.assert_problem(
            queue.patch(other, "receipt=" + got["receipt"]), (404, 409))
        self.assertEqual(queue.state(other), "available")


if __name__ == "__main__":
    unittest.main()
