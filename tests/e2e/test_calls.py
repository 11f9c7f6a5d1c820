"""The three calls on the default queue, and the looks."""

import time
import unittest
import uuid

from harness import (CLOCK_GRAIN, UUID4, FreshServerTestCase, WqTestCase,
                     now_epoch_ms, wait_until)

LONG = "timeout=600000"         # a lock that no test outlives
WALL_SLACK_MS = 1000            # wall clocks may be set while a test runs
SAYS_WHAT = r"integer|number|digits|between|at least|or more|\d"


def ids(messages):
    return [message["id"] for message in messages]


def bodies(messages):
    return [message["body"] for message in messages]


class PushTest(FreshServerTestCase):

    def test_push_answers_201_with_the_id_alone(self):
        response = self.server.request("POST", "/", b'{"a":1}')
        self.assert_status(response, 201)
        self.assertEqual(list(response.json()), ["messageID"])

    def test_push_answers_a_lower_case_version_4_uuid(self):
        self.assertRegex(self.server.push(b"1"), UUID4)
        self.assertEqual(len(self.server.push(b"1")), 36)

    def test_push_answers_json(self):
        response = self.server.request("POST", "/", b"1")
        self.assertEqual(
            response.header("Content-Type").split(";")[0].strip(),
            "application/json")

    def test_push_has_a_location(self):
        response = self.server.request("POST", "/", b"1")
        message = response.json()["messageID"]
        self.assertEqual(response.header("Location"), f"/{message}")

    def test_location_leads_to_the_message(self):
        response = self.server.request("POST", "/", b'"here"')
        look = self.server.request("GET", response.header("Location"))
        self.assert_status(look, 200)
        self.assertEqual(look.json()["body"], "here")

    def test_ids_differ(self):
        with self.server.connect() as connection:
            seen = {connection.request("POST", "/", b"1").json()["messageID"]
                    for _ in range(500)}
        self.assertEqual(len(seen), 500)

    def test_push_of_bad_json_pushes_nothing(self):
        self.assert_problem(self.server.request("POST", "/", b"{"), 400)
        self.assertEqual(self.server.receive(), [])

    def test_push_with_unknown_parameter_pushes_nothing(self):
        response = self.server.request("POST", "/?colour=red", b"1")
        self.assert_problem(response, 400, "colour")
        self.assertEqual(self.server.receive(), [])

    def test_push_with_a_parameter_of_receive_is_400(self):
        response = self.server.request("POST", "/?amount=1", b"1")
        self.assert_problem(response, 400, "amount")


class ReceiveTest(FreshServerTestCase):

    def assert_bad(self, query, *patterns):
        response = self.server.request("GET", "/?" + query)
        self.assert_problem(response, 400, *patterns)

    def test_empty_queue_answers_an_empty_array(self):
        response = self.server.request("GET", "/")
        self.assert_status(response, 200)
        self.assertEqual(response.json(), {"messages": []})

    def test_receive_answers_json(self):
        response = self.server.request("GET", "/")
        self.assertEqual(
            response.header("Content-Type").split(";")[0].strip(),
            "application/json")

    def test_receive_has_exactly_messages_id_and_body(self):
        message = self.server.push(b'{"a":1}')
        response = self.server.request("GET", "/")
        self.assertEqual(
            response.json(),
            {"messages": [{"id": message, "body": {"a": 1}}]})

    def test_details_has_exactly_four_fields_more(self):
        self.server.push(b"1")
        [message] = self.server.receive("details=true")
        self.assertEqual(set(message), {
            "id", "body", "receipt", "receives", "pushedAt", "lockedUntil"})

    def test_details_false_is_as_without(self):
        self.server.push(b"1")
        [message] = self.server.receive("details=false")
        self.assertEqual(set(message), {"id", "body"})

    def test_details_of_another_word_is_400(self):
        self.server.push(b"1")
        self.assert_bad("details=maybe", "details", "true")
        self.assertEqual(self.server.counts()["locked"], 0)

    def test_receive_gives_the_oldest_first(self):
        pushed = [self.server.push(b"%d" % i) for i in range(7)]
        messages = self.server.receive()
        self.assertEqual(ids(messages), pushed)
        self.assertEqual(bodies(messages), list(range(7)))

    def test_receive_gives_ten_where_no_amount_is_named(self):
        pushed = [self.server.push(b"1") for _ in range(12)]
        self.assertEqual(ids(self.server.receive(LONG)), pushed[:10])
        self.assertEqual(ids(self.server.receive(LONG)), pushed[10:])

    def test_amount_is_the_most_that_is_given(self):
        pushed = [self.server.push(b"1") for _ in range(5)]
        self.assertEqual(
            ids(self.server.receive("amount=2&" + LONG)), pushed[:2])
        self.assertEqual(
            ids(self.server.receive("amount=4&" + LONG)), pushed[2:])

    def test_escaped_digits_are_digits(self):
        for _ in range(3):
            self.server.push(b"1")
        self.assertEqual(len(self.server.receive("amount=%32")), 2)

    def test_locked_message_is_given_to_nobody_else(self):
        self.server.push(b"1")
        self.assertEqual(len(self.server.receive(LONG)), 1)
        self.assertEqual(self.server.receive(), [])

    def test_bad_amount_is_400(self):
        self.server.push(b"1")
        for value in ("abc", "-1", "1.5", "", "0", "00", "1" + "0" * 30,
                      "1e3", "0x10", "%205", "5%20", "+5", "5abc",
                      "%EF%BC%95", "9223372036854775808",
                      "18446744073709551617"):
            with self.subTest(value=value):
                if len(value) >= 19 and value.isdigit():
                    # Over what 64 bits hold; how it is said is open.
                    self.assert_bad("amount=" + value, "amount")
                else:
                    self.assert_bad("amount=" + value, "amount", SAYS_WHAT)
        self.assertEqual(self.server.counts()["locked"], 0)

    def test_bad_timeout_is_400(self):
        self.server.push(b"1")
        for value in ("abc", "-1", "1.5", "", "1" + "0" * 30, "1s",
                      "%2010", "0x10"):
            with self.subTest(value=value):
                self.assert_bad("timeout=" + value, "timeout", SAYS_WHAT)
        self.assertEqual(self.server.counts()["locked"], 0)

    def test_amount_without_equals_sign_is_400(self):
        self.assert_bad("amount", "amount|=")

    def test_bad_escape_in_a_parameter_is_400(self):
        for query in ("amount=%zz", "amount=%", "amount=5%2", "%zz=1",
                      "amount=5%00"):
            with self.subTest(query=query):
                self.assert_bad(query)

    def test_unknown_parameter_is_400(self):
        self.server.push(b"1")
        self.assert_bad("colour=red", "colour")
        self.assertEqual(self.server.counts()["locked"], 0)

    def test_parameter_in_other_case_is_unknown(self):
        self.assert_bad("Amount=1", "Amount")

    def test_repeated_parameter_is_400(self):
        self.server.push(b"1")
        self.assert_bad("amount=1&amount=2", "amount")
        self.assert_bad("amount=1&amount=1", "amount")
        self.assertEqual(self.server.counts()["locked"], 0)

    def test_question_mark_without_parameters_is_fine(self):
        self.server.push(b"1")
        response = self.server.request("GET", "/?")
        self.assert_status(response, 200)
        self.assertEqual(len(response.json()["messages"]), 1)

    def test_receipts_differ_from_receive_to_receive(self):
        message = self.server.push(b"1")
        [first] = self.server.receive("details=true&" + LONG)
        self.assert_status(self.server.patch(message, "timeout=0"), 204)
        [second] = self.server.receive("details=true&" + LONG)
        self.assertTrue(first["receipt"])
        self.assertNotEqual(first["receipt"], second["receipt"])

    def test_receives_counts_each_receive(self):
        message = self.server.push(b"1")
        for expected in (1, 2, 3):
            [got] = self.server.receive("details=true&" + LONG)
            self.assertEqual(got["receives"], expected)
            self.assert_status(self.server.patch(message, "timeout=0"), 204)

    def test_pushed_at_is_when_it_was_pushed(self):
        before = now_epoch_ms()
        self.server.push(b"1")
        after = now_epoch_ms()
        [message] = self.server.receive("details=true")
        self.assertIsInstance(message["pushedAt"], int)
        self.assertGreaterEqual(message["pushedAt"], before - WALL_SLACK_MS)
        self.assertLessEqual(message["pushedAt"], after + WALL_SLACK_MS)

    def test_locked_until_is_the_timeout_from_now(self):
        self.server.push(b"1")
        before = now_epoch_ms()
        [message] = self.server.receive("details=true&timeout=50000")
        after = now_epoch_ms()
        self.assertIsInstance(message["lockedUntil"], int)
        self.assertGreaterEqual(message["lockedUntil"],
                                before + 50000 - WALL_SLACK_MS)
        self.assertLessEqual(message["lockedUntil"],
                             after + 50000 + WALL_SLACK_MS)

    def test_a_thousand_messages_come_in_order(self):
        with self.server.connect() as connection:
            for i in range(1000):
                connection.request("POST", "/", b"%d" % i)
            got = []
            while len(got) < 1000:
                response = connection.request("GET", "/?" + LONG)
                got += bodies(response.json()["messages"])
                self.assertTrue(response.json()["messages"])
        self.assertEqual(got, list(range(1000)))


class MaxAmountTest(FreshServerTestCase):

    OPTIONS = ("--max-amount", "3")

    def test_amount_over_the_most_gives_the_most(self):
        for _ in range(5):
            self.server.push(b"1")
        self.assertEqual(len(self.server.receive("amount=100&" + LONG)), 3)

    def test_default_amount_is_within_the_most(self):
        for _ in range(5):
            self.server.push(b"1")
        self.assertEqual(len(self.server.receive(LONG)), 3)


class LockTest(FreshServerTestCase):

    def expiry(self, query, seconds):
        """The message is available again, and not before its time."""
        message = self.server.push(b"1")
        began = time.monotonic()
        self.assertEqual(ids(self.server.receive(query)), [message])
        self.server.wait_state(message, "available")
        self.assert_not_before(began, seconds)

    def test_lock_of_the_queue_ends_not_before_its_time(self):
        self.expiry("", 1.0)

    def test_lock_of_the_call_ends_not_before_its_time(self):
        self.expiry("timeout=300", 0.3)

    def test_lock_longer_than_the_queue_s_is_kept(self):
        self.expiry("timeout=1700", 1.7)

    def test_short_locks_end_not_before_their_time(self):
        for milliseconds in (1, 2, 3, 10, 57):
            with self.subTest(milliseconds=milliseconds):
                self.expiry(f"timeout={milliseconds}", milliseconds / 1000)
                self.server.empty()

    def test_expired_message_is_received_again(self):
        message = self.server.push(b'"again"')
        self.server.receive("timeout=50")
        self.server.wait_available(1)
        [got] = self.server.receive("details=true")
        self.assertEqual((got["id"], got["body"], got["receives"]),
                         (message, "again", 2))

    def test_expired_message_goes_to_the_end(self):
        first = self.server.push(b"1")
        second = self.server.push(b"2")
        self.server.receive("amount=1&timeout=50")
        self.server.wait_available(2)
        self.assertEqual(ids(self.server.receive()), [second, first])

    def test_message_pushed_before_the_expiry_comes_first(self):
        # Only if the push was in time does the order say something.
        for timeout in (0.2, 2, 20):
            self.server.empty()
            old = self.server.push(b'"old"')
            began = time.monotonic()
            self.server.receive(f"timeout={int(timeout * 1000)}")
            new = self.server.push(b'"new"')
            in_time = time.monotonic() - began < timeout - CLOCK_GRAIN
            self.server.wait_available(2)
            order = ids(self.server.receive())
            if in_time:
                self.assertEqual(order, [new, old])
                return
        self.skipTest("too slow a machine to tell")

    def test_message_pushed_after_the_expiry_comes_last(self):
        old = self.server.push(b'"old"')
        self.server.receive("timeout=50")
        self.server.wait_available(1)
        new = self.server.push(b'"new"')
        self.assertEqual(ids(self.server.receive()), [old, new])

    def test_messages_come_back_in_the_order_in_which_locks_ran_out(self):
        until = {}
        for _ in range(20):
            self.server.push(b"1")
        for i in range(20):
            [message] = self.server.receive(
                f"amount=1&details=true&timeout={1500 - 50 * i}")
            until[message["id"]] = message["lockedUntil"]
        self.server.wait_available(20)
        order = [until[message]
                 for _ in range(2) for message in ids(self.server.receive())]
        self.assertEqual(len(order), 20)
        for before, after in zip(order, order[1:]):
            self.assertLessEqual(before, after + 2)     # rounding

    def test_odd_and_common_timeouts_run_out_in_one_order(self):
        until = {}
        timeouts = (1000, 700, 1000, 400, 1000, 900, 1)
        for _ in timeouts:
            self.server.push(b"1")
        for timeout in timeouts:
            [message] = self.server.receive(
                f"amount=1&details=true&timeout={timeout}"
                if timeout != 1000 else "amount=1&details=true")
            until[message["id"]] = message["lockedUntil"]
        self.server.wait_available(7)
        order = [until[message] for message in ids(self.server.receive())]
        for before, after in zip(order, order[1:]):
            self.assertLessEqual(before, after + 2)

    def test_messages_locked_together_come_back_in_their_order(self):
        pushed = [self.server.push(b"1") for _ in range(10)]
        self.server.receive("timeout=50")
        self.server.wait_available(10)
        self.assertEqual(ids(self.server.receive()), pushed)

    def test_expiry_is_exact_while_others_are_confirmed(self):
        kept = self.server.push(b'"kept"')
        began = time.monotonic()
        self.server.receive("timeout=500")
        for _ in range(50):
            message = self.server.push(b"1")
            [got] = self.server.receive("amount=1&" + LONG)
            if got["id"] == kept:       # it ran out meanwhile
                break
            self.assertEqual(got["id"], message)
            self.assert_status(self.server.patch(message), 204)
        else:
            self.server.wait_state(kept, "available")
        self.assert_not_before(began, 0.5)


class LockTimeoutOptionTest(FreshServerTestCase):

    OPTIONS = ("--lock-timeout", "250")

    def test_lock_timeout_of_the_server_holds(self):
        message = self.server.push(b"1")
        began = time.monotonic()
        self.server.receive()
        self.server.wait_state(message, "available")
        self.assert_not_before(began, 0.25)

    def test_info_has_the_lock_timeout_of_the_server(self):
        self.assertEqual(self.server.info()["settings"]["lockTimeout"], 250)


class ConfirmTest(FreshServerTestCase):

    def locked(self, body=b"1"):
        """A message that is locked for long, with its details."""
        message = self.server.push(body)
        [got] = self.server.receive("amount=1&details=true&" + LONG)
        self.assertEqual(got["id"], message)
        return got

    def expired(self):
        """A message whose lock ran out, with the details of its receive."""
        self.server.push(b"1")
        [got] = self.server.receive("amount=1&details=true&timeout=30")
        self.server.wait_available(1)
        return got

    def test_confirm_is_204_without_a_body(self):
        response = self.server.patch(self.locked()["id"])
        self.assert_status(response, 204)
        self.assertIsNone(response.header("Content-Length"))
        self.assertIsNone(response.header("Transfer-Encoding"))
        self.assertIsNone(response.header("Content-Type"))

    def test_confirmed_message_is_gone(self):
        message = self.locked()["id"]
        self.assert_status(self.server.patch(message), 204)
        self.assertIsNone(self.server.look(message))
        self.assertEqual(self.server.counts()["locked"], 0)

    def test_confirmed_message_does_not_come_back(self):
        message = self.server.push(b"1")
        marker = self.server.push(b"2")
        self.server.receive("amount=1&timeout=900")
        if self.server.patch(message).status != 204:
            self.skipTest("too slow a machine to tell")
        # A second lock of the same length runs out after the first would.
        self.server.receive("amount=1&timeout=900")
        self.server.wait_state(marker, "available")
        self.assertEqual(ids(self.server.receive()), [marker])

    def test_second_confirm_is_404(self):
        message = self.locked()["id"]
        self.assert_status(self.server.patch(message), 204)
        self.assert_problem(self.server.patch(message), 404)

    def test_confirm_of_unknown_message_is_404(self):
        self.assert_problem(self.server.patch(uuid.uuid4()), 404)

    def test_confirm_of_available_message_is_404(self):
        message = self.server.push(b"1")
        self.assert_problem(self.server.patch(message), 404)
        self.assertEqual(ids(self.server.receive()), [message])

    def test_confirm_after_expiry_is_404(self):
        message = self.expired()["id"]
        self.assert_problem(self.server.patch(message), 404)
        self.assertEqual(ids(self.server.receive()), [message])

    def test_upper_case_id_is_accepted(self):
        message = self.locked()["id"]
        self.assert_status(self.server.patch(message.upper()), 204)
        self.assertIsNone(self.server.look(message))

    def test_confirm_in_another_order_than_received(self):
        pushed = [self.server.push(b"1") for _ in range(5)]
        self.server.receive(LONG)
        for message in (pushed[2], pushed[0], pushed[4], pushed[3],
                        pushed[1]):
            self.assert_status(self.server.patch(message), 204)
        self.assertEqual(self.server.info()["totals"]["confirmed"], 5)

    def test_confirm_with_a_body_is_in_step(self):
        message = self.locked()["id"]
        connection = self.connection(self.server)
        self.assert_status(
            connection.request("PATCH", f"/{message}", b"{}"), 204)
        self.assert_status(connection.request("GET", "/health"), 200)

    def test_parameters_in_the_body_are_400_and_confirm_nothing(self):
        message = self.locked()["id"]
        for body in (b"timeout=60000", b'{"receipt": "1-00000000"}', b"1"):
            with self.subTest(body=body):
                self.assert_problem(
                    self.server.request("PATCH", f"/{message}", body), 400,
                    "query")
        self.assertEqual(self.server.look(message)["state"], "locked")

    # With a receipt

    def test_confirm_with_newest_receipt_is_204(self):
        got = self.locked()
        self.assert_status(
            self.server.patch(got["id"], "receipt=" + got["receipt"]), 204)
        self.assertIsNone(self.server.look(got["id"]))

    def test_confirm_with_newest_receipt_after_expiry_is_204(self):
        got = self.expired()
        self.assert_status(
            self.server.patch(got["id"], "receipt=" + got["receipt"]), 204)
        self.assertIsNone(self.server.look(got["id"]))
        self.assertEqual(self.server.receive(), [])

    def test_confirm_with_older_receipt_is_409(self):
        old = self.expired()
        [new] = self.server.receive("details=true&" + LONG)
        response = self.server.patch(old["id"], "receipt=" + old["receipt"])
        self.assert_problem(response, 409)
        self.assertEqual(self.server.look(old["id"])["state"], "locked")
        self.assert_status(
            self.server.patch(new["id"], "receipt=" + new["receipt"]), 204)

    def test_confirm_with_older_receipt_after_expiry_is_409(self):
        old = self.expired()
        self.server.receive("timeout=30")
        self.server.wait_available(1)
        self.assert_problem(
            self.server.patch(old["id"], "receipt=" + old["receipt"]), 409)

    def test_receipt_of_a_confirmed_message_is_404(self):
        got = self.locked()
        query = "receipt=" + got["receipt"]
        self.assert_status(self.server.patch(got["id"], query), 204)
        self.assert_problem(self.server.patch(got["id"], query), 404)

    def test_receipt_of_another_message_does_not_confirm(self):
        one, other = self.locked(b"1"), self.locked(b"2")
        response = self.server.patch(one["id"],
                                     "receipt=" + other["receipt"])
        # Receipts may happen to be equal, as small counters are.
        if one["receipt"] != other["receipt"]:
            self.assert_problem(response, (400, 404, 409))
            self.assertEqual(self.server.look(one["id"])["state"], "locked")
        self.assertEqual(self.server.look(other["id"])["state"], "locked")

    def test_malformed_receipt_is_400(self):
        got = self.locked()
        for value in ("", "!", "no%20receipt", "-1", "x" * 1000):
            with self.subTest(value=value):
                self.assert_problem(
                    self.server.patch(got["id"], "receipt=" + value),
                    400, "receipt")
        self.assertEqual(self.server.look(got["id"])["state"], "locked")

    # With a timeout

    def test_timeout_does_not_confirm(self):
        message = self.locked()["id"]
        response = self.server.patch(message, "timeout=60000")
        self.assert_status(response, 204)
        self.assertEqual(self.server.look(message)["state"], "locked")

    def test_timeout_shortens_a_lock(self):
        message = self.locked()["id"]
        began = time.monotonic()
        self.assert_status(self.server.patch(message, "timeout=400"), 204)
        self.server.wait_state(message, "available")
        self.assert_not_before(began, 0.4)

    def test_timeout_extends_a_lock(self):
        # The lock must not run out before it is extended.
        for timeout in (1, 5, 25):
            message = self.server.push(b"1")
            self.server.receive(f"timeout={timeout * 1000}")
            began = time.monotonic()
            response = self.server.patch(message,
                                         f"timeout={timeout * 2000}")
            if response.status == 204:
                break
            self.server.empty()
        else:
            self.skipTest("too slow a machine to tell")
        self.server.wait_state(message, "available")
        self.assert_not_before(began, timeout * 2)

    def test_timeout_moves_locked_until(self):
        message = self.locked()["id"]
        before = now_epoch_ms()
        self.server.patch(message, "timeout=50000")
        after = now_epoch_ms()
        until = self.server.look(message)["lockedUntil"]
        self.assertGreaterEqual(until, before + 50000 - WALL_SLACK_MS)
        self.assertLessEqual(until, after + 50000 + WALL_SLACK_MS)

    def test_timeout_0_gives_the_message_back_at_once(self):
        message = self.locked()["id"]
        self.assert_status(self.server.patch(message, "timeout=0"), 204)
        self.assertEqual(self.server.look(message)["state"], "available")
        self.assertEqual(ids(self.server.receive()), [message])

    def test_timeout_0_gives_the_message_back_to_the_end(self):
        first, second = self.server.push(b"1"), self.server.push(b"2")
        self.server.receive("amount=1&" + LONG)
        self.assert_status(self.server.patch(first, "timeout=0"), 204)
        self.assertEqual(ids(self.server.receive()), [second, first])

    def test_timeout_of_available_message_is_404(self):
        message = self.server.push(b"1")
        for query in ("timeout=0", "timeout=1000"):
            self.assert_problem(self.server.patch(message, query), 404)

    def test_timeout_of_unknown_message_is_404(self):
        self.assert_problem(
            self.server.patch(uuid.uuid4(), "timeout=1000"), 404)

    def test_message_can_be_confirmed_after_its_timeout_was_moved(self):
        message = self.locked()["id"]
        self.server.patch(message, "timeout=500000")
        self.assert_status(self.server.patch(message), 204)

    def test_timeout_with_newest_receipt_is_204(self):
        got = self.locked()
        response = self.server.patch(
            got["id"], f"receipt={got['receipt']}&timeout=60000")
        self.assert_status(response, 204)
        self.assertEqual(self.server.look(got["id"])["state"], "locked")

    def test_timeout_with_older_receipt_is_409(self):
        old = self.expired()
        self.server.receive(LONG)
        response = self.server.patch(
            old["id"], f"receipt={old['receipt']}&timeout=0")
        self.assert_problem(response, 409)
        self.assertEqual(self.server.look(old["id"])["state"], "locked")

    def test_bad_timeout_is_400(self):
        message = self.locked()["id"]
        for value in ("abc", "-1", "1.5", "", "1" + "0" * 30):
            with self.subTest(value=value):
                self.assert_problem(
                    self.server.patch(message, "timeout=" + value),
                    400, "timeout", SAYS_WHAT)
        self.assertEqual(self.server.look(message)["state"], "locked")

    def test_unknown_parameter_is_400(self):
        message = self.locked()["id"]
        self.assert_problem(
            self.server.patch(message, "colour=red"), 400, "colour")
        self.assertEqual(self.server.look(message)["state"], "locked")

    def test_parameter_of_receive_is_400(self):
        message = self.locked()["id"]
        self.assert_problem(
            self.server.patch(message, "amount=1"), 400, "amount")
        self.assertEqual(self.server.look(message)["state"], "locked")

    def test_repeated_parameter_is_400(self):
        message = self.locked()["id"]
        self.assert_problem(
            self.server.patch(message, "timeout=1&timeout=1"),
            400, "timeout")
        self.assertEqual(self.server.look(message)["state"], "locked")


class LookTest(FreshServerTestCase):

    def test_look_at_a_new_message(self):
        before = now_epoch_ms()
        message = self.server.push(b'{"a":[1]}')
        look = self.server.look(message)
        self.assertGreaterEqual(look.pop("pushedAt"), before - WALL_SLACK_MS)
        self.assertEqual(look, {
            "id": message, "body": {"a": [1]}, "state": "available",
            "receives": 0})

    def test_look_at_a_locked_message(self):
        message = self.server.push(b"1")
        [got] = self.server.receive("details=true&" + LONG)
        look = self.server.look(message)
        self.assertEqual(look["state"], "locked")
        self.assertEqual(look["receives"], 1)
        self.assertEqual(look["receipt"], got["receipt"])
        self.assertLessEqual(abs(look["lockedUntil"] - got["lockedUntil"]),
                             2)

    def test_look_at_an_expired_message(self):
        message = self.server.push(b"1")
        [got] = self.server.receive("details=true&timeout=30")
        self.server.wait_available(1)
        look = self.server.look(message)
        self.assertEqual(look["state"], "available")
        self.assertEqual(look["receipt"], got["receipt"])
        self.assertEqual(look["receives"], 1)
        self.assertNotIn("lockedUntil", look)

    def test_look_does_not_lock(self):
        message = self.server.push(b"1")
        for _ in range(3):
            self.server.look(message)
        self.assertEqual(ids(self.server.receive()), [message])

    def test_look_does_not_lengthen_a_lock(self):
        message = self.server.push(b"1")
        self.server.receive("timeout=100")
        wait_until(lambda: self.server.look(message)["state"] == "available")

    def test_look_at_an_upper_case_id(self):
        message = self.server.push(b"1")
        look = self.server.request("GET", f"/{message.upper()}")
        self.assert_status(look, 200)
        self.assertEqual(look.json()["id"], message)

    def test_look_at_unknown_message_is_404(self):
        for message in (uuid.uuid4(), uuid.UUID(int=0),
                        "f" * 8 + "-ffff-ffff-ffff-" + "f" * 12):
            self.assert_problem(
                self.server.request("GET", f"/{message}"), 404)

    def test_path_that_is_no_id_is_404(self):
        message = self.server.push(b"1")
        for path in (message[:-1], message + "0", message.replace("-", ""),
                     "{" + message + "}", message[:-1] + "g",
                     message + "/", message + "/x", "x/" + message,
                     message.replace("-", "_")):
            with self.subTest(path=path):
                self.assert_problem(
                    self.server.request("GET", "/" + path), 404)

    def test_page_that_does_not_exist_is_404(self):
        for path in ("/nothing-here", "/infos", "/Info", "/health/x",
                     "/.well-known/x", "/index.html"):
            with self.subTest(path=path):
                self.assert_problem(self.server.request("GET", path), 404)

    def test_patch_of_a_path_that_is_no_id_is_404(self):
        self.assert_problem(self.server.request("PATCH", "/abc"), 404)

    def test_unknown_parameter_of_a_look_is_400(self):
        message = self.server.push(b"1")
        self.assert_problem(
            self.server.request("GET", f"/{message}?colour=red"),
            400, "colour")


class InfoTest(FreshServerTestCase):

    def test_info_of_an_empty_queue(self):
        info = self.server.info()
        self.assertEqual(info["name"], "default")
        self.assertIs(info["paused"], False)
        self.assertEqual(info["settings"]["lockTimeout"], 1000)
        for count in ("available", "locked", "delayed", "bytes", "waiters"):
            self.assertEqual(info["counts"][count], 0, count)
        self.assertIn(info["counts"]["oldestAge"], (0, None))
        for total in ("pushed", "received", "confirmed", "expired"):
            self.assertEqual(info["totals"][total], 0, total)

    def test_counts_follow_the_messages(self):
        pushed = [self.server.push(b"1") for _ in range(5)]
        self.server.receive("amount=2&" + LONG)
        self.server.patch(pushed[0])
        counts = self.server.counts()
        self.assertEqual(
            (counts["available"], counts["locked"], counts["delayed"]),
            (3, 1, 0))

    def test_totals_count_all_that_happened(self):
        pushed = [self.server.push(b"1") for _ in range(5)]
        self.server.receive("amount=2&" + LONG)
        self.server.patch(pushed[0])
        self.server.receive("amount=1&timeout=30")
        wait_until(lambda: self.server.counts()["locked"] == 1)
        totals = self.server.info()["totals"]
        self.assertEqual(
            {name: totals[name] for name in
             ("pushed", "received", "confirmed", "expired")},
            {"pushed": 5, "received": 3, "confirmed": 1, "expired": 1})

    def test_refused_calls_are_not_counted(self):
        self.server.request("POST", "/", b"{")
        self.server.receive()
        self.server.patch(uuid.uuid4())
        totals = self.server.info()["totals"]
        self.assertEqual(
            (totals["pushed"], totals["received"], totals["confirmed"]),
            (0, 0, 0))

    def test_bytes_are_those_of_the_bodies(self):
        self.server.push(b'"' + b"x" * 998 + b'"')
        self.server.push(b'"' + b"y" * 998 + b'"')
        self.assertGreaterEqual(self.server.counts()["bytes"], 2000)
        for message in self.server.receive(LONG):
            self.assertGreaterEqual(self.server.counts()["bytes"], 1000)
            self.server.patch(message["id"])
        self.assertEqual(self.server.counts()["bytes"], 0)

    def test_oldest_age_grows(self):
        self.server.push(b"1")
        wait_until(lambda: self.server.counts()["oldestAge"] >= 50)

    def test_info_locks_nothing(self):
        message = self.server.push(b"1")
        self.server.info()
        self.assertEqual(ids(self.server.receive()), [message])


class PagesTest(FreshServerTestCase):

    def test_health_is_200(self):
        self.assert_status(self.server.request("GET", "/health"), 200)

    def test_ready_is_200(self):
        self.assert_status(self.server.request("GET", "/ready"), 200)

    def test_head_of_the_queue_locks_nothing(self):
        message = self.server.push(b"1")
        self.assert_status(self.server.request("HEAD", "/"), 200)
        self.assertEqual(self.server.counts()["locked"], 0)
        self.assertEqual(ids(self.server.receive()), [message])

    def test_head_of_the_looks_is_200(self):
        message = self.server.push(b"1")
        for path in ("/info", "/health", "/ready", f"/{message}"):
            with self.subTest(path=path):
                self.assert_status(self.server.request("HEAD", path), 200)

    def test_head_of_unknown_message_is_404(self):
        self.assert_status(
            self.server.request("HEAD", f"/{uuid.uuid4()}"), 404)

    def test_head_has_no_body(self):
        message = self.server.push(b'"' + b"x" * 1000 + b'"')
        connection = self.connection(self.server)
        for path in ("/", "/info", f"/{message}", "/nothing-here"):
            # A body would be taken for the next answer.
            connection.request("HEAD", path)
            self.assert_status(connection.request("GET", "/health"), 200)

    def test_options_is_204_with_allow(self):
        message = self.server.push(b"1")
        for path, methods in (
                ("/", {"GET", "HEAD", "POST", "OPTIONS"}),
                ("/info", {"GET", "HEAD", "OPTIONS"}),
                (f"/{message}", {"GET", "HEAD", "PATCH", "OPTIONS"})):
            with self.subTest(path=path):
                response = self.server.request("OPTIONS", path)
                self.assert_status(response, 204)
                self.assertLessEqual(methods, response.allowed())

    def test_wrong_method_is_405_with_allow(self):
        message = self.server.push(b"1")
        for method, path, methods in (
                ("DELETE", "/", {"GET", "HEAD", "POST", "OPTIONS"}),
                ("PUT", "/", {"GET", "HEAD", "POST", "OPTIONS"}),
                ("POST", "/info", {"GET", "HEAD", "OPTIONS"}),
                ("PATCH", "/info", {"GET", "HEAD", "OPTIONS"}),
                ("DELETE", "/health", {"GET", "HEAD", "OPTIONS"}),
                ("POST", "/ready", {"GET", "HEAD", "OPTIONS"}),
                ("PUT", f"/{message}",
                 {"GET", "HEAD", "PATCH", "OPTIONS"})):
            with self.subTest(method=method, path=path):
                response = self.server.request(method, path)
                self.assert_problem(response, 405)
                self.assertLessEqual(methods, response.allowed())
                self.assertNotIn(method, response.allowed())
        self.assertEqual(self.server.counts()["available"], 1)

    def test_unknown_method_is_405_with_allow(self):
        for method in ("BREW", "get", "PROPFIND"):
            with self.subTest(method=method):
                response = self.server.request(method, "/")
                self.assert_problem(response, 405)
                self.assertIn("GET", response.allowed())


class ManyClientsTest(WqTestCase):

    def test_clients_that_ask_at_once_get_each_its_own_answer(self):
        server = self.start()
        connections = [self.connection(server) for _ in range(50)]
        for connection in connections:
            self.assert_status(connection.request("GET", "/health"), 200)
        pushed = []
        for i, connection in enumerate(connections):
            connection.send_request("POST", "/", b'"%d"' % i)
        for connection in connections:
            response = connection.read_response()
            self.assert_status(response, 201)
            pushed.append(response.json()["messageID"])
        for connection, message in zip(connections, pushed):
            connection.send_request("GET", f"/{message}")
        for i, connection in enumerate(connections):
            response = connection.read_response()
            self.assert_status(response, 200)
            look = response.json()
            self.assertEqual((look["id"], look["body"]),
                             (pushed[i], str(i)))

    def test_each_message_is_received_once_by_many_clients(self):
        server = self.start("--lock-timeout", "600000")
        connections = [self.connection(server) for _ in range(20)]
        for i in range(400):
            response = connections[i % 20].request("POST", "/", b"%d" % i)
            self.assert_status(response, 201)
        got = []
        while True:
            for connection in connections:
                connection.send_request("GET", "/?amount=3")
            some = [message["body"] for connection in connections
                    for message in connection.read_response()
                    .json()["messages"]]
            if not some:
                break
            got += some
        self.assertEqual(sorted(got), list(range(400)))


if __name__ == "__main__":
    unittest.main()
