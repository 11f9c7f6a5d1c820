"""Many messages in one request: NDJSON pushes, confirms of an array."""

import json
import time
import unittest
import uuid

from harness import MIB
from queues import LONG, NDJSON, QueueTestCase, bodies, ids, lines

MOST = 10000                    # lines, or IDs, of one request


class PushLinesTest(QueueTestCase):

    def post(self, body, query="", headers=NDJSON, queue=None):
        return (queue or self.root).request("POST", "", query, body, headers)

    def assert_pushed(self, body, *values):
        """Exactly these are pushed, in that order."""
        response = self.post(body)
        self.assert_status(response, 201)
        self.assertEqual(list(response.json()), ["messageIDs"])
        messages = self.root.receive("amount=1000&" + LONG)
        self.assertEqual(bodies(messages), list(values))
        self.assertEqual(ids(messages), response.json()["messageIDs"])

    def assert_refused(self, body, *patterns, statuses=400, query=""):
        self.assert_problem(self.post(body, query), statuses, *patterns)
        self.assertEqual(self.root.count(), (0, 0, 0))
        self.assertEqual(self.root.totals()["pushed"], 0)

    def test_each_line_is_a_message(self):
        self.assert_pushed(lines({"a": 1}, [2], "3", 4, True, None),
                           {"a": 1}, [2], "3", 4, True, None)

    def test_one_line_is_an_array_of_one(self):
        self.assert_pushed(b'"a"\n', "a")

    def test_ids_differ(self):
        pushed = self.root.push_lines(*range(1000))
        self.assertEqual(len(set(pushed)), 1000)

    def test_last_line_need_not_end(self):
        self.assert_pushed(b"1\n2", 1, 2)

    def test_lines_may_end_in_cr_lf(self):
        self.assert_pushed(b"1\r\n2\r\n", 1, 2)

    def test_blank_lines_are_ignored(self):
        self.assert_pushed(b"\n\n1\n\n \t \r\n2\n\r\n\n", 1, 2)

    def test_white_space_around_a_value_is_ignored(self):
        self.assert_pushed(b"  1 \n\t[ 2 ]\t\n", 1, [2])

    def test_bodies_are_given_back_as_they_were_sent(self):
        raw = (b"12345678901234567890", b"1e400", b'"\\u0000\\ud83d\\ude00"',
               b'{"a":1,"a":2}', b'{ "b" : 1.00, "a":-0 }')
        self.assert_status(self.post(b"\n".join(raw)), 201)
        response = self.root.request("GET", query=LONG)
        for body in raw:
            self.assertIn(b'"body": ' + body + b"}", response.body)

    def test_content_type_may_have_parameters_and_any_case(self):
        for kind in ("application/x-ndjson; charset=utf-8",
                     "Application/X-NDJSON", "application/x-ndjson;a=b"):
            with self.subTest(kind=kind):
                response = self.post(b"1\n2\n", "", {"Content-Type": kind})
                self.assert_status(response, 201)
                self.assertEqual(len(response.json()["messageIDs"]), 2)

    def test_lines_of_another_content_type_are_400(self):
        for kind in ("application/json", "application/x-ndjsonx",
                     "text/plain; application/x-ndjson"):
            with self.subTest(kind=kind):
                self.assert_problem(
                    self.post(b"1\n2\n", "", {"Content-Type": kind}), 400)
        self.assertEqual(self.root.count(), (0, 0, 0))

    # A bad line

    def test_bad_line_is_400_and_its_number_is_named(self):
        for number in (1, 2, 5):
            good = [b"1"] * 5
            good[number - 1] = b'{"a":'
            with self.subTest(number=number):
                self.assert_refused(b"\n".join(good), rf"line {number}\b")

    def test_bad_last_line_is_named(self):
        self.assert_refused(lines(*range(999)) + b"nonsense", "line 1000")

    def test_blank_lines_count_in_the_number(self):
        self.assert_refused(b"\n1\n\n]\n", r"line 4\b")

    def test_the_first_of_several_bad_lines_is_named(self):
        self.assert_refused(b"1\n}\n2\n]\n", r"line 2\b")

    def test_value_over_two_lines_is_400(self):
        self.assert_refused(b'{"a":\n1}\n', r"line 1\b")

    def test_two_values_in_a_line_are_400(self):
        self.assert_refused(b"1\n2 3\n", r"line 2\b")

    def test_line_that_is_not_utf_8_is_400(self):
        self.assert_refused(b'1\n"\xff"\n', r"line 2\b")

    def test_nul_in_a_line_is_400(self):
        self.assert_refused(b"1\n\0\n", r"line 2\b")

    def test_body_without_a_message_is_400(self):
        for body in (b"", b"\n", b"\r\n \n"):
            with self.subTest(body=body):
                self.assert_refused(body)

    def test_bad_parameter_is_400(self):
        for query, name in (("delay=-1", "delay"), ("timeout=x", "timeout"),
                            ("ttl=x", "ttl"), ("colour=red", "colour"),
                            ("amount=1", "amount")):
            with self.subTest(query=query):
                self.assert_refused(b"1\n2\n", name, query=query)

    # Sizes

    def test_10000_lines_are_pushed(self):
        pushed = self.root.push_lines(*range(MOST))
        self.assertEqual(len(set(pushed)), MOST)
        self.assertEqual(self.root.count(), (MOST, 0, 0))
        got = []
        while messages := self.root.receive("amount=1000&" + LONG):
            got += messages
        self.assertEqual(bodies(got), list(range(MOST)))
        self.assertEqual(ids(got), pushed)

    def test_10001_lines_are_refused(self):
        self.assert_refused(b"1\n" * (MOST + 1), str(MOST),
                            statuses=(400, 413))

    def test_blank_lines_do_not_count_to_10000(self):
        self.assert_status(self.post(b"1\n\n" * MOST), 201)
        self.assertEqual(self.root.count(), (MOST, 0, 0))

    def test_body_over_max_body_is_413(self):
        self.assert_refused(b"1\n" * (MIB // 2 + 1), statuses=413)

    # With parameters, in other queues

    def test_parameters_hold_for_each_line(self):
        began = time.monotonic()
        self.root.push_lines(1, 2, 3, query="delay=300&timeout=600000")
        self.root.wait_count(3)
        self.assert_not_before(began, 0.3)
        for message in ids(self.root.receive("")):
            self.assertEqual(self.root.state(message), "locked")
        self.assertEqual(self.root.count(), (0, 3, 0))

    def test_lines_go_to_the_queue_that_is_named(self):
        queue = self.queue("a")
        pushed = queue.push_lines(1, 2)
        self.assertEqual(ids(queue.receive()), pushed)
        self.assertEqual(self.root.count(), (0, 0, 0))

    def test_lines_make_the_queue(self):
        self.queue("a").push_lines(1)
        self.assertEqual(self.queue_names(), ["a", "default"])

    def test_refused_lines_make_no_queue(self):
        response = self.post(b"1\n{\n", queue=self.queue("a"))
        self.assert_problem(response, 400, r"line 2\b")
        self.assertEqual(self.queue_names(), ["default"])

    def test_lines_come_after_what_was_pushed_before(self):
        before = self.root.push(0)
        pushed = self.root.push_lines(1, 2)
        after = self.root.push(3)
        self.assertEqual(ids(self.root.receive()), [before, *pushed, after])

    def test_totals_count_each_line(self):
        self.root.push_lines(1, 2, 3)
        self.assertEqual(self.root.totals()["pushed"], 3)


class ConfirmManyTest(QueueTestCase):

    def confirm_many(self, messages, queue=None):
        response = (queue or self.root).request(
            "PATCH", body=json.dumps(messages).encode())
        self.assert_status(response, 200)
        self.assertEqual(set(response.json()), {"confirmed", "missing"})
        return response.json()["confirmed"], response.json()["missing"]

    def locked(self, count):
        pushed = self.root.push_lines(*range(count))
        self.root.receive(f"amount={count}&{LONG}")
        return pushed

    def assert_refused(self, body, *patterns, query=""):
        message = self.root.push()
        self.root.receive()
        if callable(body):
            body = body(message)
        response = self.root.request("PATCH", "", query, body)
        self.assert_problem(response, 400, *patterns)
        self.assertEqual(self.root.state(message), "locked")

    def test_all_locked_messages_are_confirmed(self):
        pushed = self.locked(5)
        self.assertEqual(self.confirm_many(pushed), (pushed, []))
        self.assertEqual(self.root.count(), (0, 0, 0))
        self.assertEqual(self.root.totals()["confirmed"], 5)
        for message in pushed:
            self.assertIsNone(self.root.look(message))

    def test_messages_that_are_not_named_stay(self):
        pushed = self.locked(3)
        self.confirm_many(pushed[:2])
        self.assertEqual(self.root.state(pushed[2]), "locked")

    def test_answers_are_in_the_order_of_the_array(self):
        pushed = self.locked(6)
        order = [pushed[i] for i in (3, 0, 5, 1)]
        self.assertEqual(self.confirm_many(order), (order, []))

    def test_unknown_messages_are_missing(self):
        [message] = self.locked(1)
        unknown = [str(uuid.uuid4()) for _ in range(2)]
        self.assertEqual(
            self.confirm_many([unknown[0], message, unknown[1]]),
            ([message], unknown))

    def test_message_that_is_not_locked_is_missing_and_stays(self):
        message = self.root.push()
        delayed = self.root.push(1, "delay=60000")
        self.assertEqual(self.confirm_many([message, delayed]),
                         ([], [message, delayed]))
        self.assertEqual(self.root.count(), (1, 0, 1))

    def test_message_whose_lock_ran_out_is_missing_and_stays(self):
        message = self.root.push()
        self.root.receive("timeout=30")
        self.root.wait_state(message, "available")
        self.assertEqual(self.confirm_many([message]), ([], [message]))
        self.assertEqual(ids(self.root.receive()), [message])

    def test_confirmed_message_is_missing_the_next_time(self):
        pushed = self.locked(2)
        self.confirm_many(pushed)
        self.assertEqual(self.confirm_many(pushed), ([], pushed))

    def test_message_named_twice_is_confirmed_once(self):
        [message] = self.locked(1)
        confirmed, _ = self.confirm_many([message, message])
        self.assertEqual(set(confirmed), {message})
        self.assertEqual(self.root.totals()["confirmed"], 1)
        self.assertEqual(self.root.count(), (0, 0, 0))

    def test_message_of_another_queue_is_missing_and_stays(self):
        [message] = self.locked(1)
        other = self.queue("a")
        other.configure()
        self.assertEqual(self.confirm_many([message], other),
                         ([], [message]))
        self.assertEqual(self.root.state(message), "locked")

    def test_messages_of_a_named_queue_are_confirmed_there(self):
        queue = self.queue("a")
        pushed = queue.push_lines(1, 2)
        queue.receive()
        self.assertEqual(self.confirm_many(pushed, queue), (pushed, []))
        self.assertEqual(queue.count(), (0, 0, 0))

    def test_array_is_json_however_it_is_written(self):
        pushed = [self.root.push(i) for i in range(6)]
        self.root.receive(LONG)
        escaped = '"' + "".join(f"\\u{ord(c):04x}" for c in pushed[4]) + '"'
        for text, expected in (
                (f' [\n"{pushed[0]}" ,\t"{pushed[1]}"\r]\n', pushed[:2]),
                (f'["{pushed[2].upper()}","{pushed[3]}"]', pushed[2:4]),
                (f'[{escaped}, "{pushed[5]}"]', pushed[4:])):
            response = self.root.request("PATCH", body=text.encode())
            self.assert_status(response, 200)
            self.assertEqual(response.json()["confirmed"], expected)

    def test_array_that_is_cut_off_confirms_nothing(self):
        message = self.root.push(1)
        self.root.receive(LONG)
        whole = f'["{message}"]'
        for text in [whole[:i] for i in range(1, len(whole))] + [
                whole + "]", f'["{message}",]', f'["{message}" "{message}"]',
                f'[,"{message}"]', f'["{message}x"]', f'["{message[1:]}"]']:
            with self.subTest(text):
                self.assert_status(
                    self.root.request("PATCH", body=text.encode()), 400)
        self.assertEqual(self.root.count(), (0, 1, 0))

    def test_empty_array_confirms_nothing(self):
        self.assertEqual(self.confirm_many([]), ([], []))

    def test_upper_case_ids_are_accepted(self):
        [message] = self.locked(1)
        confirmed, missing = self.confirm_many([message.upper()])
        self.assertEqual([one.lower() for one in confirmed], [message])
        self.assertEqual(missing, [])

    def test_10000_messages_are_confirmed(self):
        pushed = self.root.push_lines(*range(MOST))
        while self.root.receive("amount=1000&" + LONG):
            pass
        self.assertEqual(self.confirm_many(pushed), (pushed, []))
        self.assertEqual(self.root.count(), (0, 0, 0))

    def test_more_than_10000_ids_are_400(self):
        self.assert_refused(
            lambda message: json.dumps([message] * (MOST + 1)).encode(),
            str(MOST))

    def test_element_that_is_no_id_is_400_and_named(self):
        for bad in ("nonsense", "", 1, None, [], {}, "a" * 36):
            with self.subTest(bad=bad):
                self.assert_refused(
                    lambda message, bad=bad:
                    json.dumps([message, message, bad]).encode(), r"\b3\b")

    def test_body_that_is_no_array_is_400(self):
        for body in (b"{}", b"1", b"null", b"", b"[", b"[]x",
                     lambda message: json.dumps(message).encode()):
            with self.subTest(body=body):
                self.assert_refused(body, "array")

    def test_unknown_parameter_is_400(self):
        self.assert_refused(lambda message: json.dumps([message]).encode(),
                            "colour", query="colour=red")

    def test_content_type_does_not_matter(self):
        pushed = self.locked(1)
        response = self.root.request(
            "PATCH", body=json.dumps(pushed).encode(),
            headers={"Content-Type": "text/plain"})
        self.assert_status(response, 200)
        self.assertEqual(response.json()["confirmed"], pushed)


if __name__ == "__main__":
    unittest.main()
