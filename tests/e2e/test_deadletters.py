"""Dead letters: where they go, what they remember, how they come back."""

import time
import unittest

from harness import now_epoch_ms
from queues import LONG, QueueTestCase, bodies, ids


class DeadLetterTestCase(QueueTestCase):

    def setUp(self):
        super().setUp()
        self.source = self.queue("source", maxReceives=1,
                                 deadLetterQueue="dead")
        self.dead = self.queue("dead")

    def fail_once(self, queue, message):
        """The first in the queue, which is the message, is given back."""
        self.assertEqual(ids(queue.receive("amount=1&" + LONG)), [message])
        queue.give_back(message)

    def dead_letter(self, value=1, source=None, query=""):
        """A dead letter of the source; its ID."""
        source = source or self.source
        message = source.push(value, query)
        self.fail_once(source, message)
        self.assertIsNone(source.look(message))
        return message

    def dead_letters(self, count):
        return [self.dead_letter(i) for i in range(count)]


class DeadLetterTest(DeadLetterTestCase):

    def test_message_whose_lock_ran_out_moves_with_its_id(self):
        message = self.source.push({"a": [1]})
        self.source.receive("timeout=30")
        self.dead.wait_state(message, "available")
        self.assertIsNone(self.source.look(message))
        self.assertEqual(self.source.count(), (0, 0, 0))
        self.assertEqual(self.dead.receive(),
                         [{"id": message, "body": {"a": [1]}}])

    def test_message_that_was_given_back_moves(self):
        message = self.source.push("back")
        self.fail_once(self.source, message)
        self.assertEqual(self.dead.look(message)["body"], "back")
        self.assertEqual(self.source.count(), (0, 0, 0))

    def test_it_moves_only_when_its_receives_are_used_up(self):
        self.source.configure(maxReceives=3)
        message = self.source.push()
        for receives in (1, 2):
            self.fail_once(self.source, message)
            self.assertEqual(self.source.look(message)["receives"], receives)
            self.assertEqual(self.dead.count(), (0, 0, 0))
        self.fail_once(self.source, message)
        self.assertIsNone(self.source.look(message))
        self.assertEqual(self.dead.state(message), "available")

    def test_message_in_its_last_receive_can_be_confirmed(self):
        message = self.source.push()
        self.source.receive()
        self.source.confirm(message)
        self.assertEqual(self.dead.count(), (0, 0, 0))

    def test_extended_lock_keeps_it(self):
        message = self.source.push()
        self.source.receive()
        self.source.confirm(message, "timeout=500000")
        self.assertEqual(self.source.state(message), "locked")

    def test_it_is_not_gone_from_one_before_it_is_in_the_other(self):
        message = self.source.push()
        self.source.receive("timeout=30")
        self.source.wait_state(message, None)
        self.assertIsNotNone(self.dead.look(message))

    def test_bodies_are_kept_exactly(self):
        raw = b'{"n": 12345678901234567890, "n": 1e400, "s": "\\u0000"}'
        message = self.source.request("POST", body=raw).json()["messageID"]
        self.fail_once(self.source, message)
        self.assertIn(raw, self.dead.request("GET", f"/{message}").body)

    def test_it_goes_to_the_end_of_the_dead_letter_queue(self):
        before = self.dead.push("before")
        message = self.dead_letter()
        after = self.dead.push("after")
        self.assertEqual(ids(self.dead.receive()), [before, message, after])

    def test_letters_come_in_the_order_in_which_they_died(self):
        pushed = self.dead_letters(5)
        self.assertEqual(ids(self.dead.receive()), pushed)

    def test_other_messages_stay(self):
        first, second = self.source.push(), self.source.push()
        self.fail_once(self.source, first)
        self.assertEqual(ids(self.source.receive()), [second])

    def test_confirm_at_the_source_is_404(self):
        message = self.source.push()
        receipt = self.source.receive_one()["receipt"]
        self.source.give_back(message)
        self.assert_problem(self.source.patch(message), 404)
        self.assert_problem(
            self.source.patch(message, "receipt=" + receipt), 404)
        self.assertEqual(self.dead.state(message), "available")

    def test_it_is_confirmed_at_the_dead_letter_queue(self):
        message = self.dead_letter()
        self.dead.receive()
        self.dead.confirm(message)
        self.assertEqual(self.dead.count(), (0, 0, 0))

    def test_dead_letter_queue_gives_it_out_again_and_again(self):
        message = self.dead_letter()
        for receives in range(1, 6):
            got = self.dead.receive_one()
            self.assertEqual((got["id"], got["receives"]),
                             (message, receives))
            self.dead.give_back(message)

    def test_many_locks_that_end_move_all(self):
        pushed = self.source.push_lines(*range(500))
        self.source.receive("amount=500&timeout=30")
        self.dead.wait_count(500)
        self.assertEqual(self.source.count(), (0, 0, 0))
        self.assertEqual(ids(self.dead.receive("amount=500&" + LONG)),
                         pushed)

    def test_default_can_be_a_source(self):
        root = self.queue("default")
        root.configure(maxReceives=1, deadLetterQueue="dead")
        message = self.dead_letter(source=root)
        self.assertEqual(self.dead.state(message), "available")

    def test_default_can_be_a_dead_letter_queue(self):
        self.source.configure(deadLetterQueue="default")
        message = self.dead_letter()
        self.assertEqual(self.root.state(message), "available")

    def test_two_sources_can_share_one(self):
        other = self.queue("other", maxReceives=1, deadLetterQueue="dead")
        first, second = self.dead_letter(), self.dead_letter(source=other)
        self.assertEqual(ids(self.dead.receive()), [first, second])

    def test_full_dead_letter_queue_takes_dead_letters(self):
        self.dead.configure(maxMessages=1, maxBytes=10)
        pushed = [self.dead_letter("x" * 100) for _ in range(3)]
        self.assertEqual(self.dead.count(), (3, 0, 0))
        self.assert_problem(self.dead.request("POST", body=b"1"), 429)
        self.assertEqual(ids(self.dead.receive()), pushed)

    def test_paused_dead_letter_queue_takes_dead_letters(self):
        self.dead.post("pause")
        message = self.dead_letter()
        self.assertEqual(self.dead.receive(), [])
        self.dead.post("resume")
        self.assertEqual(ids(self.dead.receive()), [message])

    def test_delay_of_the_dead_letter_queue_does_not_hold_for_letters(self):
        self.dead.configure(delay=600000)
        message = self.dead_letter()
        self.assertEqual(self.dead.state(message), "available")

    def test_bytes_move_with_it(self):
        self.dead_letter("x" * 98)
        self.assertEqual(self.source.counts()["bytes"], 0)
        self.assertEqual(self.dead.counts()["bytes"], 100)

    def test_chain_of_dead_letter_queues(self):
        self.dead.configure(maxReceives=1, deadLetterQueue="deadest")
        message = self.dead_letter()
        self.fail_once(self.dead, message)
        look = self.queue("deadest").look(message)
        self.assertEqual(look["deadLetter"]["queue"], "dead")
        self.assertEqual(self.dead.count(), (0, 0, 0))

    def test_setting_that_comes_later_holds_for_messages_there(self):
        queue = self.queue("a")
        message = queue.push()
        queue.configure(maxReceives=1, deadLetterQueue="dead")
        self.fail_once(queue, message)
        self.assertEqual(self.dead.state(message), "available")


class DetailsTest(DeadLetterTestCase):

    EXPECTED = {"queue": "source", "receives": 1, "reason": "maxReceives"}

    def test_look_at_the_source_says_where_it_went(self):
        message = self.dead_letter()
        path = f"/queues/{self.source.name}/{message}"
        self.assert_problem(self.server.request("GET", path), 404,
                            "dead letter", self.dead.name)
        self.dead.post("purge")
        response = self.server.request("GET", path)
        self.assert_problem(response, 404, "no message")
        self.assertNotIn(self.dead.name, response.json()["detail"])

    def test_look_says_where_it_came_from_and_why(self):
        message = self.dead_letter()
        look = self.dead.look(message)
        self.assertEqual(look["deadLetter"], self.EXPECTED)
        self.assertEqual(look["receives"], 0)

    def test_details_of_a_receive_say_it(self):
        self.dead_letter()
        got = self.dead.receive_one()
        self.assertEqual(got["deadLetter"], self.EXPECTED)
        self.assertEqual(got["receives"], 1)

    def test_peek_says_it(self):
        self.dead_letter()
        [message] = self.dead.peek()
        self.assertEqual(message["deadLetter"], self.EXPECTED)

    def test_receive_without_details_does_not_say_it(self):
        self.dead_letter()
        [message] = self.dead.receive()
        self.assertEqual(set(message), {"id", "body"})

    def test_receives_are_those_at_the_source(self):
        self.source.configure(maxReceives=3)
        message = self.source.push()
        for _ in range(3):
            self.fail_once(self.source, message)
        self.assertEqual(self.dead.look(message)["deadLetter"]["receives"],
                         3)

    def test_message_that_is_no_dead_letter_does_not_say_it(self):
        message = self.dead.push()
        self.assertNotIn("deadLetter", self.dead.look(message))

    def test_time_of_the_push_is_kept(self):
        before = now_epoch_ms()
        message = self.source.push()
        after = now_epoch_ms()
        self.fail_once(self.source, message)
        self.assert_epoch_ms(self.dead.look(message)["pushedAt"],
                             before, after)


class TtlTest(DeadLetterTestCase):

    def test_message_whose_ttl_ended_is_dead_lettered(self):
        began = time.monotonic()
        message = self.source.push("old", "ttl=300")
        self.dead.wait_state(message, "available")
        self.assert_not_before(began, 0.3)
        self.assertIsNone(self.source.look(message))
        look = self.dead.look(message)
        self.assertEqual(look["body"], "old")
        self.assertEqual(look["deadLetter"], {
            "queue": "source", "receives": 0, "reason": "ttl"})

    def test_locked_message_whose_ttl_ended_is_dead_lettered(self):
        self.source.configure(maxReceives=5)
        message = self.source.push(1, "ttl=500")
        if ids(self.source.receive()) != [message]:
            self.skipTest("too slow a machine to tell")
        self.dead.wait_state(message, "available")
        self.assert_problem(self.source.patch(message), 404)
        self.assertEqual(self.dead.look(message)["deadLetter"], {
            "queue": "source", "receives": 1, "reason": "ttl"})

    def test_delayed_message_whose_ttl_ended_is_dead_lettered(self):
        message = self.source.push(1, "ttl=100&delay=600000")
        self.dead.wait_state(message, "available")
        self.assertEqual(self.source.count(), (0, 0, 0))

    def test_ttl_of_the_queue_dead_letters_too(self):
        self.source.configure(ttl=100)
        message = self.source.push()
        self.dead.wait_state(message, "available")

    def test_queue_may_have_a_dead_letter_queue_for_its_ttl_alone(self):
        queue = self.queue("a", deadLetterQueue="dead")
        message = queue.push(1, "ttl=100")
        self.dead.wait_state(message, "available")
        self.assertEqual(self.dead.look(message)["deadLetter"]["queue"], "a")

    def test_dead_letter_does_not_die_of_the_same_ttl_again(self):
        message = self.source.push(1, "ttl=100")
        self.dead.wait_state(message, "available")
        # One that was pushed with the same ttl and later is gone by now.
        other = self.root.push(1, "ttl=150")
        self.root.wait_state(other, None)
        self.assertEqual(self.dead.state(message), "available")


class SettingsTest(DeadLetterTestCase):

    def test_max_receives_without_a_dead_letter_queue_is_400(self):
        self.assert_problem(self.queue("a").put(maxReceives=3), 400,
                            "deadLetterQueue")
        self.assertFalse(self.queue("a").exists())

    def test_dead_letter_queue_cannot_be_taken_from_max_receives(self):
        self.assert_problem(self.source.put(deadLetterQueue=None), 400,
                            "deadLetterQueue|maxReceives")
        self.assertEqual(self.source.settings()["deadLetterQueue"], "dead")

    def test_both_can_be_taken_back_together(self):
        self.source.configure(maxReceives=0, deadLetterQueue=None)
        message = self.source.push()
        self.fail_once(self.source, message)
        self.assertEqual(self.source.state(message), "available")

    def test_settings_are_told(self):
        settings = self.source.settings()
        self.assertEqual((settings["maxReceives"],
                          settings["deadLetterQueue"]), (1, "dead"))

    def test_dead_letter_queue_is_made(self):
        self.queue("a", deadLetterQueue="new")
        self.assertTrue(self.queue("new").exists())
        self.assertIsNone(self.queue("new").settings()["deadLetterQueue"])

    def test_refused_put_makes_no_dead_letter_queue(self):
        self.assert_problem(
            self.queue("a").put(deadLetterQueue="new", delay=-1), 400)
        self.assertEqual(self.queue_names(), ["dead", "default", "source"])

    def test_dead_letter_queue_that_is_there_keeps_what_it_has(self):
        queue = self.queue("b", lockTimeout=5)
        message = queue.push()
        self.queue("a", deadLetterQueue="b")
        self.assertEqual(queue.settings()["lockTimeout"], 5)
        self.assertEqual(ids(queue.receive()), [message])

    def test_queue_cannot_be_its_own(self):
        for name in ("a", "source"):
            with self.subTest(name=name):
                self.assert_problem(
                    self.queue(name).put(deadLetterQueue=name), 400)
        self.assertFalse(self.queue("a").exists())
        self.assertEqual(self.source.settings()["deadLetterQueue"], "dead")

    def test_default_cannot_be_its_own(self):
        self.assert_problem(
            self.queue("default").put(deadLetterQueue="default"), 400)

    def test_cycle_of_two_is_400(self):
        self.assert_problem(self.dead.put(deadLetterQueue="source"), 400)
        self.assertIsNone(self.dead.settings()["deadLetterQueue"])

    def test_cycle_of_many_is_400(self):
        for i in range(10):
            self.queue(f"q{i}", deadLetterQueue=f"q{i + 1}")
        for i in range(10):
            with self.subTest(to=i):
                self.assert_problem(
                    self.queue("q10").put(deadLetterQueue=f"q{i}"), 400)
        self.assertIsNone(self.queue("q10").settings()["deadLetterQueue"])

    def test_chain_without_a_cycle_is_fine(self):
        self.dead.configure(deadLetterQueue="next")
        self.queue("other", deadLetterQueue="next")
        self.assert_status(
            self.queue("next").put(deadLetterQueue="last"), 200)

    def test_another_dead_letter_queue_takes_those_to_come(self):
        first = self.dead_letter()
        self.source.configure(deadLetterQueue="other")
        second = self.dead_letter()
        self.assertEqual(ids(self.dead.receive()), [first])
        self.assertEqual(ids(self.queue("other").receive()), [second])


class DeleteTest(DeadLetterTestCase):

    def test_delete_of_a_dead_letter_queue_is_409(self):
        message = self.dead_letter()
        self.assert_problem(self.dead.request("DELETE"), 409,
                            "source|deadLetterQueue|dead letter")
        self.assertEqual(ids(self.dead.receive()), [message])

    def test_it_can_be_deleted_once_no_queue_names_it(self):
        self.source.configure(maxReceives=0, deadLetterQueue=None)
        self.dead.expect((204,), "DELETE")
        self.assertFalse(self.dead.exists())

    def test_it_can_be_deleted_once_its_source_is_deleted(self):
        self.source.expect((204,), "DELETE")
        self.dead.expect((204,), "DELETE")

    def test_it_stays_while_one_of_two_sources_names_it(self):
        other = self.queue("other", deadLetterQueue="dead")
        self.source.expect((204,), "DELETE")
        self.assert_problem(self.dead.request("DELETE"), 409)
        other.configure(deadLetterQueue=None)
        self.dead.expect((204,), "DELETE")

    def test_letters_stay_when_their_source_is_deleted(self):
        message = self.dead_letter()
        self.source.expect((204,), "DELETE")
        self.assertEqual(self.dead.look(message)["deadLetter"]["queue"],
                         "source")

    def test_dead_letter_queue_can_be_purged(self):
        self.dead_letter()
        self.dead.post("purge")
        self.assertEqual(self.dead.count(), (0, 0, 0))


class RedriveTest(DeadLetterTestCase):

    def test_letters_go_back_where_they_came_from(self):
        pushed = self.dead_letters(3)
        self.assertEqual(self.dead.redrive(), 3)
        self.assertEqual(self.dead.count(), (0, 0, 0))
        messages = self.source.receive()
        self.assertEqual(ids(messages), pushed)
        self.assertEqual(bodies(messages), [0, 1, 2])

    def test_answer_has_moved_alone(self):
        response = self.dead.request("POST", "/redrive")
        self.assert_status(response, 200)
        self.assertEqual(response.json(), {"moved": 0})

    def test_each_goes_to_its_own_source(self):
        other = self.queue("other", maxReceives=1, deadLetterQueue="dead")
        first, second = self.dead_letter(), self.dead_letter(source=other)
        self.assertEqual(self.dead.redrive(), 2)
        self.assertEqual(ids(self.source.receive()), [first])
        self.assertEqual(ids(other.receive()), [second])

    def test_receives_count_from_0_again(self):
        message = self.dead_letter()
        self.dead.receive()
        self.dead.give_back(message)
        self.dead.redrive()
        self.assertEqual(self.source.look(message)["receives"], 0)
        self.assertEqual(self.source.receive_one()["receives"], 1)

    def test_redriven_message_is_no_dead_letter_any_more(self):
        message = self.dead_letter()
        self.dead.redrive()
        self.assertNotIn("deadLetter", self.source.look(message))

    def test_redriven_message_can_die_again(self):
        message = self.dead_letter()
        for _ in range(3):
            self.dead.redrive()
            self.fail_once(self.source, message)
            self.assertEqual(self.dead.state(message), "available")

    def test_redriven_messages_go_to_the_end(self):
        message = self.dead_letter()
        other = self.source.push()
        self.dead.redrive()
        self.assertEqual(ids(self.source.receive()), [other, message])

    def test_to_moves_them_to_the_queue_that_is_named(self):
        pushed = self.dead_letters(2)
        self.queue("elsewhere").configure()
        self.assertEqual(self.dead.redrive("to=elsewhere"), 2)
        self.assertEqual(ids(self.queue("elsewhere").receive()), pushed)
        self.assertEqual(self.source.count(), (0, 0, 0))

    def test_amount_is_the_most_that_are_moved(self):
        pushed = self.dead_letters(4)
        self.assertEqual(self.dead.redrive("amount=3"), 3)
        self.assertEqual(ids(self.source.receive()), pushed[:3])
        self.assertEqual(ids(self.dead.receive()), pushed[3:])

    def test_amount_may_be_more_than_there_are(self):
        self.dead_letters(2)
        self.assertEqual(self.dead.redrive("amount=10000"), 2)

    def test_messages_that_are_no_letters_stay(self):
        message = self.dead.push()
        letter = self.dead_letter()
        self.assertEqual(self.dead.redrive(), 1)
        self.assertEqual(ids(self.source.receive()), [letter])
        self.assertEqual(ids(self.dead.receive()), [message])

    def test_locked_letters_stay(self):
        first, second = self.dead_letters(2)
        self.assertEqual(ids(self.dead.receive("amount=1&" + LONG)), [first])
        self.assertEqual(self.dead.redrive(), 1)
        self.assertEqual(ids(self.source.receive()), [second])
        self.dead.confirm(first)

    def test_letters_of_a_ttl_are_moved_and_live(self):
        message = self.source.push(1, "ttl=100")
        self.dead.wait_state(message, "available")
        self.assertEqual(self.dead.redrive(), 1)
        other = self.root.push(1, "ttl=100")
        self.root.wait_state(other, None)
        # It is somewhere, not gone.
        self.assertTrue(self.source.look(message)
                        or self.dead.look(message))

    def test_source_that_was_deleted_loses_nothing(self):
        message = self.dead_letter()
        self.source.expect((204,), "DELETE")
        response = self.dead.request("POST", "/redrive")
        self.assert_status(response, 200, 404)
        if self.source.exists():
            self.assertEqual(self.source.state(message), "available")
        else:
            self.assertEqual(self.dead.state(message), "available")

    def test_full_source_loses_nothing(self):
        self.source.configure(maxMessages=1)
        pushed = self.dead_letters(3)
        moved = self.dead.redrive()
        self.assertEqual(self.source.count(), (moved, 0, 0))
        self.assertEqual(self.dead.count(), (3 - moved, 0, 0))
        self.assertEqual(ids(self.source.receive()) +
                         ids(self.dead.receive()), pushed)

    def test_paused_dead_letter_queue_can_be_redriven(self):
        message = self.dead_letter()
        self.dead.post("pause")
        self.dead.redrive()
        self.assertEqual(ids(self.source.receive()), [message])

    def test_redrive_to_a_bad_name_is_400(self):
        message = self.dead_letter()
        for name in ("a.b", "", "a%20b"):
            with self.subTest(name=name):
                self.assert_problem(
                    self.dead.request("POST", "/redrive", "to=" + name), 400)
        self.assertEqual(self.dead.state(message), "available")

    def test_redrive_of_a_queue_without_letters_moves_nothing(self):
        message = self.root.push()
        self.assertEqual(self.root.redrive(), 0)
        self.assertEqual(self.root.state(message), "available")

    def test_bad_amount_is_400(self):
        message = self.dead_letter()
        for value in ("0", "-1", "abc", "", "1.5", "1" + "0" * 30):
            with self.subTest(value=value):
                self.assert_problem(
                    self.dead.request("POST", "/redrive", "amount=" + value),
                    400, "amount")
        self.assertEqual(self.dead.state(message), "available")

    def test_unknown_parameter_is_400(self):
        self.assert_problem(
            self.dead.request("POST", "/redrive", "colour=red"),
            400, "colour")

    def test_thousands_of_letters_are_moved_in_their_order(self):
        pushed = []
        for _ in range(5):
            pushed += self.source.push_lines(*range(1000))
            self.source.receive("amount=1000&timeout=1")
            self.dead.wait_count(len(pushed))
        self.assertEqual(self.dead.redrive(), 5000)
        got = []
        while messages := self.source.receive("amount=1000&" + LONG):
            got += ids(messages)
        self.assertEqual(got, pushed)


if __name__ == "__main__":
    unittest.main()
