"""FIFO queues: order within groups.  Deduplication in all queues, and
fairness between the groups of the others."""

import json
import signal
import time
import unittest

from harness import FreshServerTestCase, let_pass, now_epoch_ms
from queues import LONG, NDJSON, Queue, QueueTestCase, bodies, ids, lines


class FifoTestCase(QueueTestCase):

    def setUp(self):
        super().setUp()
        self.fifo = self.queue("a.fifo")

    def push(self, *values, group=None, query=""):
        """Push each value to the group; their IDs."""
        if group:
            query += f"&group={group}"
        return [self.fifo.push(value, query.lstrip("&")) for value in values]

    def take(self, amount=10, query=LONG):
        return bodies(self.fifo.receive(f"amount={amount}&{query}"))

    def confirm_all(self, messages):
        for message in messages:
            self.fifo.confirm(message)


class FifoQueueTest(FifoTestCase):

    def test_name_that_ends_in_fifo_makes_a_fifo_queue(self):
        self.assertIs(self.fifo.configure()["fifo"], True)

    def test_other_name_makes_no_fifo_queue(self):
        self.assertIs(self.queue("afifo").configure()["fifo"], False)

    def test_fifo_that_agrees_with_the_name_is_fine(self):
        self.assert_status(self.fifo.put(fifo=True), 201)
        self.assert_status(self.queue("b").put(fifo=False), 201)

    def test_fifo_that_disagrees_with_the_name_is_400(self):
        self.assert_problem(self.fifo.put(fifo=False), 400, "fifo")
        self.assert_problem(self.queue("b").put(fifo=True), 400, "fifo")
        self.assertEqual(self.queue_names(), ["default"])

    def test_push_makes_a_fifo_queue(self):
        self.push(1)
        self.assertIs(self.fifo.settings()["fifo"], True)

    def test_location_of_a_push_leads_to_the_message(self):
        response = self.fifo.request("POST", body=b'"here"')
        self.assert_status(response, 201)
        look = self.server.request("GET", response.header("Location"))
        self.assertEqual(look.json()["body"], "here")

    def test_fifo_queue_is_listed(self):
        self.push(1)
        self.assertEqual(self.queue_names(), ["a.fifo", "default"])

    def test_delay_of_a_push_is_400(self):
        for query in ("delay=100", "delay=0", "delay=100&group=g"):
            with self.subTest(query=query):
                self.assert_problem(
                    self.fifo.request("POST", "", query, b"1"), 400, "delay")
                self.assert_problem(
                    self.fifo.request("POST", "", query, b"1\n2\n", NDJSON),
                    400, "delay")

    def test_push_with_a_delay_makes_no_queue(self):
        self.assert_problem(
            self.fifo.request("POST", "", "delay=100", b"1"), 400, "delay")
        self.assertEqual(self.queue_names(), ["default"])

    def test_shorter_delay_of_the_queue_lets_nobody_overtake(self):
        self.fifo.configure(delay=600)
        [first] = self.push(1, group="g")
        self.fifo.configure(delay=0)
        [second] = self.push(2, group="g")
        got = []
        while len(got) < 2:
            got += ids(self.fifo.receive("wait=10000&" + LONG))
            for message in got:
                self.fifo.patch(message)
        self.assertEqual(got, [first, second])

    def test_delay_of_the_queue_holds_and_keeps_the_order(self):
        self.fifo.configure(delay=300)
        began = time.monotonic()
        pushed = self.push(1, 2, 3, group="g")
        self.assertEqual(self.fifo.count()[1], 0)
        self.fifo.wait_count(3)
        self.assert_not_before(began, 0.3)
        self.assertEqual(ids(self.fifo.receive()), pushed)

    def test_lock_timeout_of_the_queue_holds(self):
        self.fifo.configure(lockTimeout=50)
        [message] = self.push(1)
        self.take(query="")
        self.fifo.wait_state(message, "available")

    def test_timeout_of_a_message_holds(self):
        [message] = self.push(1, query="timeout=500000")
        before = now_epoch_ms()
        got = self.fifo.receive_one("")
        self.assertEqual(got["id"], message)
        self.assert_epoch_ms(got["lockedUntil"], before, now_epoch_ms(),
                             500000)


class GroupTest(FifoTestCase):

    def test_messages_come_in_the_order_of_their_push(self):
        self.push(*range(5), group="g")
        got = []
        for _ in range(5):
            [message] = self.fifo.receive("amount=1&" + LONG)
            got.append(message["body"])
            self.fifo.confirm(message["id"])
        self.assertEqual(got, list(range(5)))

    def test_a_receive_may_give_several_of_a_group_in_order(self):
        self.push(*range(5), group="g")
        self.assertEqual(self.take(), list(range(5)))

    def test_group_waits_while_its_message_is_locked(self):
        self.push(1, 2, group="g")
        self.assertEqual(self.take(1), [1])
        self.assertEqual(self.take(), [])

    def test_group_goes_on_after_the_confirm(self):
        first, _ = self.push(1, 2, group="g")
        self.take(1)
        self.fifo.confirm(first)
        self.assertEqual(self.take(), [2])

    def test_group_waits_until_all_its_messages_are_confirmed(self):
        pushed = self.push(1, 2, 3, group="g")
        self.assertEqual(self.take(2), [1, 2])
        self.fifo.confirm(pushed[0])
        self.assertEqual(self.take(), [])
        self.fifo.confirm(pushed[1])
        self.assertEqual(self.take(), [3])

    def test_group_goes_on_when_the_later_was_confirmed_first(self):
        pushed = self.push(1, 2, 3, group="g")
        self.take(2)
        self.fifo.confirm(pushed[1])
        self.assertEqual(self.take(), [])
        self.fifo.confirm(pushed[0])
        self.assertEqual(self.take(), [3])

    def test_message_pushed_to_a_blocked_group_waits(self):
        self.push(1, group="g")
        self.take()
        self.push(2, group="g")
        self.assertEqual(self.take(), [])

    def test_other_groups_are_given_meanwhile(self):
        self.push("g1", "g2", group="g")
        self.push("h1", "h2", group="h")
        self.assertEqual(self.take(1), ["g1"])
        self.assertEqual(self.take(1), ["h1"])
        self.assertEqual(self.take(), [])

    def test_oldest_come_first_across_groups(self):
        for value, group in (("g1", "g"), ("h1", "h"), ("g2", "g"),
                             ("i1", "i"), ("h2", "h")):
            self.push(value, group=group)
        got = self.take()
        self.assertEqual(sorted(got), ["g1", "g2", "h1", "h2", "i1"])
        for group in "gh":
            self.assertLess(got.index(group + "1"), got.index(group + "2"))
        self.assertEqual(got[0], "g1")

    def test_a_backlog_of_one_group_does_not_hide_another(self):
        self.push(*range(50), group="g")
        self.push("h", group="h")
        self.assertEqual(self.take(1), [0])
        self.assertEqual(self.take(1), ["h"])

    def test_many_blocked_groups_do_not_hide_a_free_one(self):
        for i in range(200):
            self.push(1, 2, group=f"g{i}")
        for i in range(200):
            self.assertEqual(self.take(1), [1])
        self.push("free", group="free")
        self.assertEqual(self.take(), ["free"])

    def test_messages_without_a_group_are_one_group(self):
        pushed = self.push(1, 2)
        self.assertEqual(self.take(1), [1])
        self.assertEqual(self.take(), [])
        self.fifo.confirm(pushed[0])
        self.assertEqual(self.take(), [2])

    def test_messages_without_a_group_do_not_block_groups(self):
        self.push(1, 2)
        self.take(1)
        self.push("g", group="g")
        self.assertEqual(self.take(), ["g"])

    def test_groups_of_two_queues_are_two(self):
        self.push(1, group="g")
        self.take()
        other = self.queue("b.fifo")
        other.push(2, "group=g")
        self.assertEqual(bodies(other.receive()), [2])

    def test_details_name_the_group(self):
        self.push(1, group="g%201")
        self.assertEqual(self.fifo.receive_one()["group"], "g 1")

    def test_details_name_no_group_where_there_is_none(self):
        self.push(1)
        self.assertNotIn("group", self.fifo.receive_one())

    def test_receive_without_details_names_no_group(self):
        self.push(1, group="g")
        [message] = self.fifo.receive()
        self.assertEqual(set(message), {"id", "body"})

    def test_groups_may_have_any_name(self):
        for group in ("x" * 100, "%F0%9F%98%80", "%22%5C",
                      "default", "0"):
            with self.subTest(group=group):
                self.push(1, group=group)
                got = self.fifo.receive_one()
                look = self.fifo.look(got["id"])
                self.assertEqual(look["group"], got["group"])

    def test_empty_group_is_no_group(self):
        self.push(1)
        self.push(2, query="group=")
        self.assertEqual(self.take(1), [1])
        self.assertEqual(self.take(), [])

    def test_group_with_too_long_a_name_is_400(self):
        self.assert_problem(
            self.fifo.request("POST", "", "group=" + "x" * 5000, b"1"),
            400, "group")

    def test_lines_keep_their_order_in_the_group(self):
        self.fifo.push_lines(1, 2, 3, query="group=g")
        self.assertEqual(self.take(1), [1])
        self.assertEqual(self.take(), [])

    def test_confirm_of_an_array_unblocks_the_group(self):
        self.push(*range(4), group="g")
        messages = ids(self.fifo.receive("amount=3&" + LONG))
        self.fifo.expect((200,), "PATCH", body=json.dumps(messages).encode())
        self.assertEqual(self.take(), [3])

    def test_confirm_with_a_receipt_unblocks_the_group(self):
        self.push(1, 2, group="g")
        got = self.fifo.receive_one()
        self.fifo.confirm(got["id"], "receipt=" + got["receipt"])
        self.assertEqual(self.take(), [2])

    def test_purge_forgets_blocked_groups(self):
        self.push(1, 2, group="g")
        self.take(1)
        self.fifo.post("purge")
        self.push(3, group="g")
        self.assertEqual(self.take(), [3])

    def test_paused_queue_keeps_its_order(self):
        self.fifo.configure()
        self.fifo.post("pause")
        self.push(1, 2, 3, group="g")
        self.fifo.post("resume")
        self.assertEqual(self.take(), [1, 2, 3])

    def test_max_locked_holds_across_groups(self):
        self.fifo.configure(maxLocked=2)
        for group in "ghi":
            self.push(group, group=group)
        self.assertEqual(self.take(), ["g", "h"])
        self.assertEqual(self.take(), [])

    def test_available_counts_blocked_messages(self):
        self.push(1, 2, 3, group="g")
        self.take(1)
        self.assertEqual(self.fifo.count(), (2, 1, 0))


class ExpiryTest(FifoTestCase):
    """A message of a group that comes back comes back to its place."""

    def test_expired_message_comes_back_to_the_head(self):
        pushed = self.push(1, 2, 3, group="g")
        self.take(1, "timeout=30")
        self.fifo.wait_count(3)
        self.assertEqual(ids(self.fifo.receive()), pushed)

    def test_given_back_message_comes_back_to_the_head(self):
        pushed = self.push(1, 2, 3, group="g")
        self.take(1)
        self.fifo.give_back(pushed[0])
        self.assertEqual(ids(self.fifo.receive()), pushed)

    def test_messages_that_expire_together_keep_their_order(self):
        pushed = self.push(1, 2, 3, 4, group="g")
        self.take(3, "timeout=30")
        self.fifo.wait_count(4)
        self.assertEqual(ids(self.fifo.receive()), pushed)

    def test_messages_given_back_in_another_order_keep_their_order(self):
        pushed = self.push(1, 2, 3, 4, group="g")
        self.take(3)
        for index in (1, 2, 0):
            self.fifo.give_back(pushed[index])
        self.assertEqual(ids(self.fifo.receive()), pushed)

    def test_group_waits_for_the_longest_lock(self):
        pushed = self.push(1, 2, 3, group="g")
        self.take(2)
        self.fifo.give_back(pushed[1])
        self.assertEqual(self.take(), [])
        self.fifo.give_back(pushed[0])
        self.assertEqual(ids(self.fifo.receive()), pushed)

    def test_later_message_that_comes_back_goes_before_those_after_it(self):
        pushed = self.push(1, 2, 3, group="g")
        self.take(2)
        self.fifo.confirm(pushed[0])
        self.fifo.give_back(pushed[1])
        self.assertEqual(ids(self.fifo.receive()), pushed[1:])

    def test_message_pushed_meanwhile_comes_after_it(self):
        [first] = self.push(1, group="g")
        self.take()
        [second] = self.push(2, group="g")
        self.fifo.give_back(first)
        self.assertEqual(ids(self.fifo.receive()), [first, second])

    def test_message_without_a_group_comes_back_to_the_head(self):
        pushed = self.push(1, 2, 3)
        self.take(1, "timeout=30")
        self.fifo.wait_count(3)
        self.assertEqual(ids(self.fifo.receive()), pushed)

    def test_receives_count_on(self):
        [message] = self.push(1, group="g")
        for receives in (1, 2, 3):
            self.assertEqual(self.fifo.receive_one()["receives"], receives)
            self.fifo.give_back(message)

    def test_order_holds_through_many_expiries(self):
        pushed = self.push(*range(6), group="g")
        got = []
        for turn in range(12):
            [message] = self.fifo.receive("amount=1&" + LONG)
            if turn % 2:
                self.fifo.confirm(message["id"])
                got.append(message["id"])
            else:
                self.fifo.give_back(message["id"])
        self.assertEqual(got, pushed)

    def test_dead_letter_unblocks_its_group(self):
        self.fifo.configure(maxReceives=1, deadLetterQueue="dead.fifo")
        pushed = self.push(1, 2, group="g")
        self.take(1)
        self.fifo.give_back(pushed[0])
        self.assertEqual(self.take(), [2])
        self.assertEqual(
            self.queue("dead.fifo").state(pushed[0]), "available")

    def test_dead_letter_keeps_its_group(self):
        self.fifo.configure(maxReceives=1, deadLetterQueue="dead.fifo")
        [message] = self.push(1, group="g")
        self.take()
        self.fifo.give_back(message)
        dead = self.queue("dead.fifo")
        self.assertEqual(dead.look(message)["group"], "g")
        self.assertEqual(dead.redrive(), 1)
        self.assertEqual(self.fifo.look(message)["group"], "g")

    def test_dead_letter_keeps_the_time_of_its_push(self):
        self.fifo.configure(maxReceives=1, deadLetterQueue="dead.fifo")
        [message] = self.push(1, group="g")
        pushed_at = self.fifo.look(message)["pushedAt"]
        self.take()
        let_pass(0.01)
        self.fifo.give_back(message)
        self.assertEqual(self.queue("dead.fifo").look(message)["pushedAt"],
                         pushed_at)

    def test_dead_letter_in_a_standard_queue_keeps_its_group_or_none(self):
        self.fifo.configure(maxReceives=1, deadLetterQueue="dead")
        [message] = self.push(1)
        [other] = self.push(2, group="g")
        self.take()
        for one in (message, other):
            self.fifo.give_back(one)
        dead = self.queue("dead")
        self.assertNotIn("group", dead.look(message))
        self.assertEqual(dead.look(other)["group"], "g")

    def test_ttl_that_ends_unblocks_the_group(self):
        self.push(1, group="g", query="ttl=500")
        [message] = self.push(2, group="g")
        self.take(1)
        self.fifo.wait_count(1)
        self.assertEqual(ids(self.fifo.receive()), [message])


class WakingTest(FifoTestCase):

    def test_confirm_that_unblocks_a_group_wakes(self):
        first, second = self.push(1, 2, group="g")
        self.take(1)
        waiting = self.fifo.receive_and_wait()
        self.assert_waits(waiting)
        self.fifo.confirm(first)
        self.assertEqual(ids(waiting.messages()), [second])

    def test_confirm_of_an_array_that_unblocks_a_group_wakes(self):
        pushed = self.push(1, 2, 3, group="g")
        self.take(2)
        waiting = self.fifo.receive_and_wait()
        self.fifo.expect((200,), "PATCH",
                         body=json.dumps(pushed[:2]).encode())
        self.assertEqual(ids(waiting.messages()), [pushed[2]])

    def test_lock_that_ends_wakes(self):
        pushed = self.push(1, 2, group="g")
        self.take(1, "timeout=300")
        waiting = self.fifo.receive_and_wait(LONG)
        self.assertEqual(ids(waiting.messages()), pushed)

    def test_dead_letter_that_unblocks_a_group_wakes(self):
        self.fifo.configure(maxReceives=1, deadLetterQueue="dead.fifo")
        first, second = self.push(1, 2, group="g")
        self.take(1)
        waiting = self.fifo.receive_and_wait()
        self.fifo.give_back(first)
        self.assertEqual(ids(waiting.messages()), [second])

    def test_ttl_that_unblocks_a_group_wakes(self):
        self.push(1, group="g", query="ttl=500")
        [second] = self.push(2, group="g")
        self.take(1)
        waiting = self.fifo.receive_and_wait()
        self.assertEqual(ids(waiting.messages()), [second])

    def test_push_to_a_blocked_group_wakes_nobody(self):
        self.push(1, group="g")
        self.take()
        waiting = self.fifo.receive_and_wait()
        self.push(2, group="g")
        self.assert_waits(waiting)
        [free] = self.push(3, group="h")
        self.assertEqual(ids(waiting.messages()), [free])

    def test_push_wakes_one_and_the_group_is_blocked_for_the_next(self):
        self.fifo.configure()
        first = self.fifo.receive_and_wait("amount=1&" + LONG)
        second = self.fifo.receive_and_wait("amount=1&" + LONG)
        pushed = self.fifo.push_lines(1, 2, query="group=g")
        self.assertEqual(ids(first.messages()), [pushed[0]])
        self.assert_waits(second)
        self.fifo.confirm(pushed[0])
        self.assertEqual(ids(second.messages()), [pushed[1]])

    def test_group_of_who_left_is_not_blocked(self):
        self.fifo.configure()
        gone = self.fifo.receive_and_wait(LONG)
        waiting = self.fifo.receive_and_wait(LONG)
        gone.connection.close()
        pushed = self.fifo.push_lines(1, 2, query="group=g")
        self.assertEqual(ids(waiting.messages()), pushed)


class CrowdTest(FifoTestCase):
    """Many times that end at once, more than one call sees to.  The server
    sleeps while they end, so that a call finds them all."""

    def receive_after_sleep(self, crowd, amount):
        """What a receive gives that comes before the server has seen to
        the crowd, and then to the messages, whose time is over too."""
        self.queue("crowd").push_lines(*range(crowd), query="delay=500")
        pushed = [self.fifo.push(i, f"ttl=500&group=g{i}")
                  for i in range(3)]
        connection = self.connection(self.server)
        # It is accepted before the server sleeps.
        self.assert_status(connection.request("GET", "/health"), 200)
        self.server.signal(signal.SIGSTOP)
        try:
            connection.send_request("GET", self.fifo.target(
                "", f"amount={amount}&{LONG}"))
            let_pass(0.6)
        finally:
            self.server.signal(signal.SIGCONT)
        response = connection.read_response()
        self.assert_status(response, 200)
        got = ids(response.json()["messages"])
        self.assertLessEqual(set(got), set(pushed))
        self.assertEqual(len(got), len(set(got)))
        return pushed

    def test_ttls_that_end_during_a_receive_end(self):
        for crowd in (10, 100, 700):
            pushed = self.receive_after_sleep(crowd, 10)
            for message in pushed:
                self.fifo.wait_state(message, None)
            self.assertEqual(self.fifo.count(), (0, 0, 0))

    def test_dead_letters_of_a_receive_are_dead_letters(self):
        self.fifo.configure(deadLetterQueue="dead")
        for crowd in (10, 100, 700):
            pushed = self.receive_after_sleep(crowd, 10)
            for message in pushed:
                self.queue("dead").wait_state(message, "available")
            self.assertEqual(self.fifo.count(), (0, 0, 0))

    def test_dead_letters_of_a_receive_move_to_a_fifo_queue(self):
        self.fifo.configure(deadLetterQueue="dead.fifo")
        for crowd in (10, 100, 700):
            pushed = self.receive_after_sleep(crowd, 10)
            for message in pushed:
                self.queue("dead.fifo").wait_state(message, "available")
            self.assertEqual(self.fifo.count(), (0, 0, 0))


class DedupTest(QueueTestCase):

    def again(self, queue, message, value=1, query="", headers=()):
        """Push what must be a repeat of the message."""
        response = queue.request("POST", "", query,
                                 json.dumps(value).encode(), headers)
        self.assert_status(response, 200)
        self.assertEqual(response.json(), {"messageID": message})

    def test_repeat_answers_200_with_the_first_id(self):
        for queue in (self.root, self.queue("a"), self.queue("a.fifo")):
            message = queue.push("one", "dedup=x")
            self.again(queue, message, "one", "dedup=x")
            self.assertEqual(queue.count(), (1, 0, 0))
            self.assertEqual(queue.totals()["pushed"], 1)

    def test_first_body_counts(self):
        message = self.root.push("first", "dedup=x")
        self.again(self.root, message, "second", "dedup=x")
        self.assertEqual(bodies(self.root.receive()), ["first"])

    def test_repeat_of_a_locked_message(self):
        message = self.root.push(1, "dedup=x")
        self.root.receive()
        self.again(self.root, message, 1, "dedup=x")
        self.assertEqual(self.root.count(), (0, 1, 0))

    def test_repeat_of_a_confirmed_message(self):
        message = self.root.push(1, "dedup=x")
        self.root.receive()
        self.root.confirm(message)
        self.again(self.root, message, 1, "dedup=x")
        self.assertEqual(self.root.count(), (0, 0, 0))

    def test_repeat_of_a_delayed_message(self):
        message = self.root.push(1, "dedup=x&delay=600000")
        self.again(self.root, message, 1, "dedup=x")
        self.assertEqual(self.root.count(), (0, 0, 1))

    def test_header_means_the_same(self):
        headers = {"Idempotency-Key": "x"}
        message = self.root.push(1, "", headers)
        self.again(self.root, message, 1, "", headers)

    def test_header_and_parameter_are_one_name(self):
        message = self.root.push(1, "dedup=x")
        self.again(self.root, message, 1, "", {"Idempotency-Key": "x"})

    def test_other_dedup_is_another_message(self):
        first = self.root.push(1, "dedup=x")
        second = self.root.push(1, "dedup=X")
        self.assertEqual(ids(self.root.receive()), [first, second])

    def test_push_without_dedup_is_another_message(self):
        first = self.root.push(1, "dedup=x")
        second, third = self.root.push(1), self.root.push(1)
        self.assertEqual(ids(self.root.receive()), [first, second, third])

    def test_same_dedup_in_another_queue_is_another_message(self):
        self.root.push(1, "dedup=x")
        self.queue("a").push(1, "dedup=x")
        self.assertEqual(self.queue("a").count(), (1, 0, 0))

    def test_same_dedup_in_another_group_is_a_repeat(self):
        queue = self.queue("a.fifo")
        message = queue.push(1, "dedup=x&group=g")
        self.again(queue, message, 1, "dedup=x&group=h")

    def test_dedup_is_forgotten_with_its_queue(self):
        queue = self.queue("a")
        queue.push(1, "dedup=x")
        queue.expect((204,), "DELETE")
        message = queue.push(2, "dedup=x")
        self.assertEqual(ids(queue.receive()), [message])

    def test_refused_push_is_not_remembered(self):
        queue = self.queue("a", maxMessages=1)
        message = queue.push()
        for body, status in ((b"2", 429), (b"{", 400)):
            response = queue.request("POST", "", "dedup=x", body)
            self.assert_problem(response, status)
        queue.receive()
        queue.confirm(message)
        queue.push(2, "dedup=x")

    def test_repeat_to_a_full_queue_is_a_repeat(self):
        queue = self.queue("a", maxMessages=1)
        message = queue.push(1, "dedup=x")
        self.again(queue, message, 1, "dedup=x")

    def test_repeat_to_a_paused_queue_is_a_repeat(self):
        message = self.root.push(1, "dedup=x")
        self.root.post("pause")
        self.again(self.root, message, 1, "dedup=x")

    def test_repeat_wakes_nobody(self):
        message = self.root.push(1, "dedup=x")
        self.root.receive()
        self.root.confirm(message)
        waiting = self.root.receive_and_wait()
        self.again(self.root, message, 1, "dedup=x")
        self.assert_waits(waiting)

    def test_dedup_may_hold_any_text(self):
        for text in ("%F0%9F%98%80", "a%20b", "%22", "x" * 128):
            with self.subTest(text=text):
                message = self.root.push(1, "dedup=" + text)
                self.again(self.root, message, 1, "dedup=" + text)

    def test_dedup_of_lines_is_400_or_loses_none(self):
        response = self.root.request("POST", "", "dedup=x", lines(1, 2, 3),
                                     NDJSON)
        self.assert_status(response, 201, 400)
        pushed = 3 if response.status == 201 else 0
        self.assertEqual(self.root.count(), (pushed, 0, 0))

    def test_too_long_a_dedup_is_400(self):
        self.assert_problem(
            self.root.request("POST", "", "dedup=" + "x" * 5000, b"1"),
            400, "dedup")
        self.assert_problem(
            self.root.request("POST", "", "", b"1",
                              {"Idempotency-Key": "x" * 5000}), 400)
        self.assertEqual(self.root.count(), (0, 0, 0))

    def test_many_dedups_are_remembered(self):
        with self.server.connect() as connection:
            pushed = [connection.request("POST", f"/?dedup={i}", b"1")
                      .json()["messageID"] for i in range(1000)]
            for i, message in enumerate(pushed):
                response = connection.request("POST", f"/?dedup={i}", b"1")
                self.assert_status(response, 200)
                self.assertEqual(response.json()["messageID"], message)
        self.assertEqual(self.root.count(), (1000, 0, 0))


class ContentBasedDedupTest(QueueTestCase):

    def setUp(self):
        super().setUp()
        self.a = self.queue("a", contentBasedDedup=True)

    def test_setting_is_told(self):
        self.assertIs(self.a.settings()["contentBasedDedup"], True)

    def test_same_body_is_a_repeat(self):
        for queue in (self.a, self.queue("a.fifo", contentBasedDedup=True)):
            message = queue.push({"a": 1})
            self.assertEqual(queue.push({"a": 1}, statuses=(200,)), message)
            self.assertEqual(queue.count(), (1, 0, 0))

    def test_same_body_after_the_confirm_is_a_repeat(self):
        message = self.a.push("x")
        self.a.receive()
        self.a.confirm(message)
        self.assertEqual(self.a.push("x", statuses=(200,)), message)
        self.assertEqual(self.a.count(), (0, 0, 0))

    def test_other_body_is_another_message(self):
        self.a.push("x")
        self.a.push("y")
        self.assertEqual(self.a.count(), (2, 0, 0))

    def test_dedup_of_the_push_wins(self):
        self.a.push("x", "dedup=1")
        self.a.push("x", "dedup=2")
        message = self.a.push("y", "dedup=2", statuses=(200,))
        self.assertEqual(ids(self.a.receive())[1], message)

    def test_without_the_setting_the_same_body_is_another_message(self):
        self.a.configure(contentBasedDedup=False)
        self.a.push("x")
        self.a.push("x")
        self.assertEqual(self.a.count(), (2, 0, 0))

    def test_same_body_in_another_queue_is_another_message(self):
        other = self.queue("b", contentBasedDedup=True)
        self.a.push("x")
        other.push("x")
        self.assertEqual(other.count(), (1, 0, 0))

    def test_lines_with_the_same_body_are_one_message(self):
        response = self.a.request("POST", "", "", lines("x", "y", "x"),
                                  NDJSON)
        self.assert_status(response, 200, 201)
        first, second, third = response.json()["messageIDs"]
        self.assertEqual(first, third)
        self.assertNotEqual(first, second)
        self.assertEqual(self.a.count(), (2, 0, 0))

    def test_lines_that_were_pushed_before_are_repeats(self):
        message = self.a.push("x")
        response = self.a.request("POST", "", "", lines("w", "x"), NDJSON)
        self.assert_status(response, 200, 201)
        self.assertEqual(response.json()["messageIDs"][1], message)
        self.assertEqual(bodies(self.a.receive()), ["x", "w"])


class FairnessTest(FreshServerTestCase):
    """In a standard queue a group with a large backlog does not make the
    others wait once it holds more than 10 % of the locked messages and at
    least 30."""

    def setUp(self):
        super().setUp()
        self.a = Queue(self, self.server, "a")

    def test_others_go_first_while_a_group_holds_many(self):
        self.a.push_lines(*range(200), query="group=noisy")
        self.a.receive("amount=40&" + LONG)
        self.a.push("quiet", "group=quiet")
        self.assertEqual(bodies(self.a.receive("amount=1&" + LONG)),
                         ["quiet"])

    def test_messages_without_a_group_go_before_a_noisy_group(self):
        self.a.push_lines(*range(200), query="group=noisy")
        self.a.receive("amount=40&" + LONG)
        self.a.push("none")
        self.assertEqual(bodies(self.a.receive("amount=1&" + LONG)),
                         ["none"])

    def test_fewer_than_30_locked_keep_the_order(self):
        self.a.push_lines(*range(200), query="group=noisy")
        self.a.receive("amount=28&" + LONG)
        self.a.push("quiet", "group=quiet")
        self.assertEqual(bodies(self.a.receive("amount=1&" + LONG)), [28])

    def test_group_with_a_tenth_of_the_locks_keeps_the_order(self):
        for i in range(12):
            self.a.push_lines(*[i] * 50, query=f"group=g{i}")
        for _ in range(12):
            self.a.receive("amount=50&" + LONG)
        self.a.push_lines(*range(100), query="group=noisy")
        self.a.receive("amount=35&" + LONG)
        # 35 of 635: no more than a tenth.
        self.a.push("quiet", "group=quiet")
        self.assertEqual(bodies(self.a.receive("amount=1&" + LONG)), [35])

    def test_noisy_group_is_served_when_there_is_no_other(self):
        self.a.push_lines(*range(200), query="group=noisy")
        self.a.receive("amount=100&" + LONG)
        self.assertEqual(bodies(self.a.receive("amount=100&" + LONG)),
                         list(range(100, 200)))

    def test_order_within_each_group_is_kept(self):
        self.a.push_lines(*range(100), query="group=noisy")
        self.a.receive("amount=40&" + LONG)
        self.a.push_lines("a", "b", "c", query="group=quiet")
        got = bodies(self.a.receive("amount=20&" + LONG))
        self.assertEqual([one for one in got if isinstance(one, str)],
                         ["a", "b", "c"])
        self.assertEqual([one for one in got if isinstance(one, int)],
                         list(range(40, 57)))

    def test_group_that_confirmed_its_locks_is_noisy_no_more(self):
        self.a.push_lines(*range(100), query="group=noisy")
        messages = ids(self.a.receive("amount=40&" + LONG))
        self.a.expect((200,), "PATCH", body=json.dumps(messages).encode())
        self.a.push("quiet", "group=quiet")
        self.assertEqual(bodies(self.a.receive("amount=1&" + LONG)), [40])

    def test_without_groups_the_order_is_plain(self):
        self.a.push_lines(*range(200))
        self.a.receive("amount=100&" + LONG)
        self.a.push("last")
        self.assertEqual(bodies(self.a.receive("amount=1&" + LONG)), [100])

    def test_groups_of_a_standard_queue_are_not_blocked(self):
        self.a.push_lines(1, 2, 3, query="group=g")
        for value in (1, 2, 3):
            self.assertEqual(bodies(self.a.receive("amount=1&" + LONG)),
                             [value])

    def test_expired_message_of_a_group_goes_to_the_end(self):
        first, second = self.a.push_lines(1, 2, query="group=g")
        self.a.receive("amount=1&" + LONG)
        self.a.give_back(first)
        self.assertEqual(ids(self.a.receive()), [second, first])

    def test_group_is_told_in_details(self):
        self.a.push(1, "group=g")
        self.assertEqual(self.a.receive_one()["group"], "g")

    def test_nothing_is_lost_or_given_twice(self):
        pushed = self.a.push_lines(*range(300), query="group=noisy")
        for i in range(20):
            pushed += self.a.push_lines(*range(5), query=f"group=g{i}")
        got = []
        while messages := ids(self.a.receive("amount=25&" + LONG)):
            got += messages
        self.assertEqual(sorted(got), sorted(pushed))


if __name__ == "__main__":
    unittest.main()
