"""Looks that change nothing: pages of messages, and one message that says
why nobody receives it."""

import unittest
import uuid

from harness import now_epoch_ms, wait_until
from queues import LONG, QueueTestCase, bodies, ids


class PeekTest(QueueTestCase):

    def mixed(self):
        """Two messages in each state: (available, locked, delayed)."""
        locked = self.root.push_lines(1, 2)
        self.root.receive()
        delayed = self.root.push_lines(3, 4, query="delay=600000")
        available = self.root.push_lines(5, 6)
        return available, locked, delayed

    def assert_bad(self, query, *patterns, statuses=400):
        self.assert_problem(self.root.request("GET", "/peek", query),
                            statuses, *patterns)

    def test_empty_queue_has_an_empty_page(self):
        response = self.root.request("GET", "/peek")
        self.assert_status(response, 200)
        self.assertEqual(response.json(), {"messages": []})

    def test_available_message_has_its_details_and_state(self):
        before = now_epoch_ms()
        message = self.root.push({"a": 1})
        after = now_epoch_ms()
        [peeked] = self.root.peek()
        self.assert_epoch_ms(peeked.pop("pushedAt"), before, after)
        self.assertEqual(peeked, {
            "id": message, "body": {"a": 1}, "receives": 0,
            "state": "available"})

    def test_each_message_is_as_a_look_at_it(self):
        self.mixed()
        peeked = self.root.peek()
        self.assertEqual(len(peeked), 6)
        for message in peeked:
            look = self.root.look(message["id"])
            self.assertEqual(set(message), set(look))
            for name in ("body", "state", "receives"):
                self.assertEqual(message[name], look[name])

    def test_locked_message_says_until_when(self):
        self.root.push()
        before = now_epoch_ms()
        self.root.receive("timeout=500000")
        after = now_epoch_ms()
        [peeked] = self.root.peek()
        self.assertEqual((peeked["state"], peeked["receives"]),
                         ("locked", 1))
        self.assert_epoch_ms(peeked["lockedUntil"], before, after, 500000)

    def test_delayed_message_says_until_when(self):
        before = now_epoch_ms()
        self.root.push(1, "delay=500000")
        after = now_epoch_ms()
        [peeked] = self.root.peek()
        self.assertEqual(peeked["state"], "delayed")
        self.assert_epoch_ms(peeked["delayedUntil"], before, after, 500000)

    def test_available_come_before_locked_before_delayed(self):
        available, locked, delayed = self.mixed()
        peeked = self.root.peek()
        self.assertEqual(ids(peeked), available + locked + delayed)
        self.assertEqual(
            [message["state"] for message in peeked],
            2 * ["available"] + 2 * ["locked"] + 2 * ["delayed"])

    def test_state_gives_those_in_that_state(self):
        available, locked, delayed = self.mixed()
        for state, messages in (("available", available),
                                ("locked", locked), ("delayed", delayed)):
            with self.subTest(state=state):
                peeked = self.root.peek("state=" + state)
                self.assertEqual(ids(peeked), messages)

    def test_state_without_messages_gives_none(self):
        self.root.push()
        self.assertEqual(self.root.peek("state=locked"), [])
        self.assertEqual(self.root.peek("state=delayed"), [])

    def test_oldest_come_first(self):
        pushed = self.root.push_lines(*range(10))
        self.assertEqual(ids(self.root.peek()), pushed)

    def test_available_come_in_the_order_of_a_receive(self):
        pushed = self.root.push_lines(1, 2, 3)
        self.root.receive("amount=1&" + LONG)
        self.root.give_back(pushed[0])
        peeked = ids(self.root.peek())
        self.assertEqual(peeked, ids(self.root.receive()))

    def test_messages_come_group_by_group_oldest_first(self):
        pushed = [self.root.push(i, query) for i, query in enumerate(
            ("group=g", "", "group=h", "group=g", "", "group=h"))]
        # Those without a group come first.
        self.assertEqual(ids(self.root.peek()),
                         [pushed[i] for i in (1, 4, 0, 3, 2, 5)])

    def test_pages_of_groups_have_each_message_once(self):
        pushed = [self.root.push(i, f"group=g{i % 7}") for i in range(40)]
        got = self.pages()
        self.assertEqual(sorted(got), sorted(pushed))

    def test_page_after_a_message_that_was_locked_meanwhile_is_no_end(self):
        pushed = self.root.push_lines(*range(6))
        last = ids(self.root.peek("state=available&amount=2"))[-1]
        self.root.receive("amount=2&" + LONG)
        response = self.root.request(
            "GET", "/peek", f"state=available&after={last}")
        # The rest, or a word that there is no going on from there.
        if response.status == 200:
            self.assertEqual(ids(response.json()["messages"]), pushed[2:])
        else:
            self.assert_problem(response, (400, 404, 409))

    def test_amount_is_ten_where_none_is_named(self):
        pushed = self.root.push_lines(*range(12))
        self.assertEqual(ids(self.root.peek()), pushed[:10])

    def test_amount_is_the_most_that_are_given(self):
        pushed = self.root.push_lines(*range(5))
        self.assertEqual(ids(self.root.peek("amount=3")), pushed[:3])
        self.assertEqual(ids(self.root.peek("amount=100")), pushed)

    def test_amount_over_max_amount_gives_max_amount(self):
        self.root.push_lines(*range(1100))
        self.assertEqual(len(self.root.peek("amount=5000")), 1000)

    def test_after_gives_the_next_page(self):
        pushed = self.root.push_lines(*range(7))
        page = self.root.peek("amount=3")
        page += self.root.peek(f"amount=3&after={ids(page)[-1]}")
        page += self.root.peek(f"amount=3&after={ids(page)[-1]}")
        self.assertEqual(ids(page), pushed)
        self.assertEqual(self.root.peek(f"after={pushed[-1]}"), [])

    def test_pages_of_each_state_have_each_message_once(self):
        pushed = self.root.push_lines(*range(50))
        self.root.receive("amount=20&" + LONG)
        delayed = self.root.push_lines(*range(15), query="delay=600000")
        for state, messages in (("available", pushed[20:]),
                                ("locked", pushed[:20]),
                                ("delayed", delayed)):
            with self.subTest(state=state):
                self.assertEqual(self.pages(f"state={state}&"), messages)

    def test_pages_of_all_states_have_each_message_once(self):
        pushed = self.root.push_lines(*range(50))
        self.root.receive("amount=20&" + LONG)
        delayed = self.root.push_lines(*range(15), query="delay=600000")
        self.assertEqual(self.pages(), pushed[20:] + pushed[:20] + delayed)

    def pages(self, query=""):
        got, page = [], self.root.peek(query + "amount=7")
        while page:
            self.assertLessEqual(len(page), 7)
            got += ids(page)
            self.assertLessEqual(len(got), 200, "pages without end")
            page = self.root.peek(f"{query}amount=7&after={got[-1]}")
        return got

    def test_peek_changes_nothing(self):
        available, locked, delayed = self.mixed()
        for _ in range(3):
            self.root.peek()
        self.assertEqual(self.root.count(), (2, 2, 2))
        self.assertEqual(self.root.totals()["received"], 2)
        for message in available:
            self.assertEqual(self.root.look(message)["receives"], 0)
        self.assertEqual(ids(self.root.receive()), available)

    def test_peek_lengthens_no_lock(self):
        message = self.root.push()
        self.root.receive("timeout=100")
        wait_until(lambda: self.root.peek()[0]["state"] == "available")
        self.assertEqual(ids(self.root.receive()), [message])

    def test_peek_into_a_paused_queue(self):
        queue = self.queue("a")
        message = queue.push()
        queue.post("pause")
        self.assertEqual(ids(queue.peek()), [message])

    def test_peek_gives_the_queue_s_own(self):
        message = self.queue("a").push()
        self.queue("b").push()
        self.root.push()
        self.assertEqual(ids(self.queue("a").peek()), [message])

    def test_bodies_are_given_back_as_they_were_sent(self):
        raw = b'{"n": 12345678901234567890, "n": 1e400, "s": "\\u0000"}'
        self.root.request("POST", body=raw)
        self.assertIn(raw, self.root.request("GET", "/peek").body)

    def test_big_bodies_are_given(self):
        for i in range(5):
            self.root.push("x" * 300000)
        self.assertEqual([len(body) for body in bodies(self.root.peek())],
                         5 * [300000])

    def test_head_of_a_peek_is_200(self):
        self.root.push()
        self.assert_status(self.root.request("HEAD", "/peek"), 200)

    def test_bad_state_is_400(self):
        for value in ("", "gone", "Available", "all"):
            with self.subTest(value=value):
                self.assert_bad("state=" + value, "state")

    def test_bad_amount_is_400(self):
        for value in ("0", "-1", "abc", ""):
            with self.subTest(value=value):
                self.assert_bad("amount=" + value, "amount")

    def test_after_that_is_no_id_is_400(self):
        self.assert_bad("after=nonsense", "after")

    def test_after_an_unknown_message_says_so(self):
        self.root.push()
        self.assert_bad(f"after={uuid.uuid4()}", statuses=(400, 404))

    def test_unknown_parameter_is_400(self):
        self.assert_bad("colour=red", "colour")


class ExplainTest(QueueTestCase):
    """GET /{id} answers: why am I not getting it?"""

    def test_delayed_message_says_until_when(self):
        before = now_epoch_ms()
        message = self.root.push(1, "delay=500000")
        look = self.root.look(message)
        self.assertEqual(look["state"], "delayed")
        self.assert_epoch_ms(look["delayedUntil"], before, now_epoch_ms(),
                             500000)

    def test_delay_that_ended_is_not_told(self):
        message = self.root.push(1, "delay=30")
        self.root.wait_state(message, "available")
        self.assertNotIn("delayedUntil", self.root.look(message))

    def test_locked_message_says_until_when(self):
        message = self.root.push()
        before = now_epoch_ms()
        self.root.receive("timeout=500000")
        look = self.root.look(message)
        self.assertEqual(look["state"], "locked")
        self.assert_epoch_ms(look["lockedUntil"], before, now_epoch_ms(),
                             500000)

    def test_message_in_a_paused_queue_says_so(self):
        message = self.root.push()
        self.assertNotIn("paused", self.root.look(message))
        self.root.post("pause")
        look = self.root.look(message)
        self.assertIs(look["paused"], True)
        self.assertEqual(look["state"], "available")
        self.root.post("resume")
        self.assertNotIn("paused", self.root.look(message))

    def test_message_of_a_group_says_which(self):
        message = self.root.push(1, "group=g%201")
        self.assertEqual(self.root.look(message)["group"], "g 1")

    def test_message_without_a_group_names_none(self):
        message = self.root.push()
        self.assertNotIn("group", self.root.look(message))

    def test_message_of_a_blocked_group_says_behind_which(self):
        queue = self.queue("a.fifo")
        first = queue.push(1, "group=g")
        second = queue.push(2, "group=g")
        third = queue.push(3, "group=g")
        self.assertNotIn("blockedBy", queue.look(second))
        queue.receive("amount=1&" + LONG)
        for message in (second, third):
            look = queue.look(message)
            self.assertEqual(look["blockedBy"], first)
            self.assertEqual(look["state"], "available")
        self.assertNotIn("blockedBy", queue.look(first))

    def test_message_of_another_group_is_not_blocked(self):
        queue = self.queue("a.fifo")
        queue.push(1, "group=g")
        queue.receive()
        other = queue.push(2, "group=h")
        self.assertNotIn("blockedBy", queue.look(other))

    def test_unblocked_group_is_not_told(self):
        queue = self.queue("a.fifo")
        first = queue.push(1, "group=g")
        second = queue.push(2, "group=g")
        queue.receive("amount=1&" + LONG)
        queue.confirm(first)
        self.assertNotIn("blockedBy", queue.look(second))

    def test_dead_letter_is_not_found_at_its_source(self):
        source = self.queue("source", maxReceives=1, deadLetterQueue="dead")
        message = source.push()
        source.receive()
        source.give_back(message)
        self.assert_problem(source.request("GET", f"/{message}"), 404)
        self.assertEqual(
            self.queue("dead").look(message)["deadLetter"]["queue"],
            "source")


if __name__ == "__main__":
    unittest.main()
