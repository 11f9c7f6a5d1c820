"""Named queues: made, set, listed, emptied, paused and deleted."""

import json
import unittest
import uuid

from harness import let_pass, wait_until
from queues import LONG, QueueTestCase, bodies, ids, quote

DEFAULTS = {
    "lockTimeout": 1000, "delay": 0, "ttl": 0, "retention": 0,
    "maxReceives": 0, "deadLetterQueue": None, "maxMessages": 0,
    "maxBytes": 0, "maxMessageBytes": 0, "maxLocked": 120000, "fifo": False,
    "contentBasedDedup": False, "dedupScope": "queue", "tags": {},
}
# Each setting with values that are of the wrong type or out of range.
NUMBERS = (-1, 1.5, "1", None, True, [], {}, 2 ** 63 - 1)
BAD_SETTINGS = {
    "lockTimeout": NUMBERS + (43200001,),
    "delay": NUMBERS,
    "ttl": NUMBERS,
    "retention": NUMBERS,
    "maxMessageBytes": NUMBERS,
    "dedupScope": (1, True, None, "", "all", []),
    "maxReceives": NUMBERS,
    "deadLetterQueue": (1, True, [], {}, "", "a b", "x" * 81),
    "maxMessages": NUMBERS,
    "maxBytes": NUMBERS,
    "maxLocked": NUMBERS,
    "fifo": (1, "true", None, [], True),
    "contentBasedDedup": (1, "true", None, []),
    "tags": (1, "a", None, [], True, {"a": 1}, {"a": None}),
}
BAD_NAMES = ("a b", "a.b", ".fifo", "a.fifo.fifo", "a.FIFO", "a" * 81,
             "a" * 81 + ".fifo", "a" * 5000, "\u00e9", "a\0", "a+b", "a:b",
             "a*", "..", "~a", "a\n", "'", '"', "<a>", "{}")
GOOD_NAMES = ("a", "A", "0", "-", "_", "a" * 80, "a-b_c-0", "queues", "info",
              "purge", "peek", "health", "fifo")


class PutTest(QueueTestCase):

    def test_put_of_a_new_queue_is_201(self):
        self.assert_status(self.queue("a").put(), 201)

    def test_put_of_an_old_queue_is_200(self):
        self.queue("a").put()
        self.assert_status(self.queue("a").put(), 200)

    def test_put_of_a_queue_that_a_push_made_is_200(self):
        self.queue("a").push()
        self.assert_status(self.queue("a").put(), 200)

    def test_put_of_default_is_200(self):
        self.assert_status(self.queue("default").put(), 200)

    def test_put_answers_name_and_settings(self):
        response = self.queue("a").put(lockTimeout=5)
        self.assertEqual(set(response.json()), {"name", "settings"})
        self.assertEqual(response.json()["name"], "a")
        self.assertEqual(response.json()["settings"]["lockTimeout"], 5)
        self.assertEqual(
            response.header("Content-Type").split(";")[0].strip(),
            "application/json")

    def test_put_answers_all_settings(self):
        self.assertEqual(self.queue("a").configure(), DEFAULTS)

    def test_put_without_a_body_makes_a_queue(self):
        queue = self.queue("a")
        for status, body in ((201, b""), (200, None)):
            response = queue.request("PUT", body=body)
            self.assert_status(response, status)
            self.assertEqual(response.json()["settings"], DEFAULTS)

    def test_a_new_queue_has_the_defaults(self):
        self.queue("a").configure()
        self.assertEqual(self.queue("a").settings(), DEFAULTS)

    def test_default_has_the_defaults(self):
        self.assertEqual(self.root.settings(), DEFAULTS)

    def test_put_changes_what_it_names_and_keeps_the_rest(self):
        queue = self.queue("a", lockTimeout=5, maxMessages=7)
        self.assertEqual(
            queue.configure(maxMessages=8, delay=9),
            DEFAULTS | {"lockTimeout": 5, "maxMessages": 8, "delay": 9})
        self.assertEqual(
            queue.settings(),
            DEFAULTS | {"lockTimeout": 5, "maxMessages": 8, "delay": 9})

    def test_put_keeps_the_messages(self):
        queue = self.queue("a")
        message = queue.push("kept")
        queue.configure(lockTimeout=5)
        self.assertEqual(ids(queue.receive()), [message])

    def test_put_without_settings_changes_nothing(self):
        queue = self.queue("a", lockTimeout=5)
        queue.configure()
        self.assertEqual(queue.settings()["lockTimeout"], 5)

    def test_put_can_set_a_setting_back(self):
        queue = self.queue("a", maxMessages=5)
        self.assertEqual(queue.configure(maxMessages=0), DEFAULTS)

    def test_lock_timeout_holds_for_the_next_receive(self):
        queue = self.queue("a", lockTimeout=600000)
        message = queue.push()
        queue.receive("")
        self.assertEqual(queue.state(message), "locked")
        queue.give_back(message)
        queue.configure(lockTimeout=50)
        queue.receive("")
        queue.wait_state(message, "available")

    def test_settings_are_each_queue_s_own(self):
        self.queue("a", lockTimeout=5)
        self.queue("b", lockTimeout=6)
        self.assertEqual(self.queue("a").settings()["lockTimeout"], 5)
        self.assertEqual(self.queue("b").settings()["lockTimeout"], 6)
        self.assertEqual(self.root.settings()["lockTimeout"], 1000)

    def test_tags_are_kept(self):
        tags = {"team": "a", "caf\u00e9": "\U0001f600"}
        queue = self.queue("a")
        self.assertEqual(queue.configure(tags=tags)["tags"], tags)
        self.assertEqual(queue.settings()["tags"], tags)

    def test_tags_replace_those_before(self):
        queue = self.queue("a", tags={"a": "1", "b": "2"})
        self.assertEqual(queue.configure(tags={"c": "3"})["tags"],
                         {"c": "3"})

    def test_unknown_setting_is_400_and_named(self):
        self.assert_problem(
            self.queue("a").put(lockTimeout=5, colour="red"), 400, "colour")
        self.assertFalse(self.queue("a").exists())

    def test_setting_in_other_case_is_unknown(self):
        for name in ("locktimeout", "lock_timeout", "LockTimeout"):
            with self.subTest(name=name):
                self.assert_problem(
                    self.queue("a").put(**{name: 5}), 400, name)

    def test_bad_value_of_a_setting_is_400_and_named(self):
        for name, values in BAD_SETTINGS.items():
            for value in values:
                with self.subTest(name=name, value=value):
                    self.assert_problem(
                        self.queue("a").put(**{name: value}), 400,
                        name + "|a queue's name")
        self.assertFalse(self.queue("a").exists())

    def test_the_place_of_what_is_wrong_is_told(self):
        for body, where in (
                (b'{"delay":}', "line 1, column 10: "),
                (b'{"delay":1,\n "delay":2}', "line 2, column 2: .*repeat"),
                (b'{"tags":{"a":"\\u0000"}}', "line 1, column 14: .*NUL"),
                (b'{"a\\u0000":1}', "line 1, column 2: .*NUL")):
            with self.subTest(body=body):
                self.assert_problem(
                    self.queue("a").request("PUT", body=body), 400, where)

    def test_number_over_64_bits_is_400(self):
        self.assert_problem(
            self.queue("a").put(lockTimeout=10 ** 30), 400, "integer")
        for number in (b"1e999", b"-1e999", b"1" * 5000):
            self.assert_problem(self.queue("a").request(
                "PUT", body=b'{"delay":' + number + b"}"), 400, "delay must")
        self.assertFalse(self.queue("a").exists())

    def test_bad_put_changes_nothing(self):
        queue = self.queue("a", lockTimeout=5)
        for settings in ({"lockTimeout": 6, "delay": -1},
                         {"delay": -1, "lockTimeout": 6},
                         {"lockTimeout": 6, "colour": 1}):
            with self.subTest(settings=settings):
                self.assert_problem(queue.put(**settings), 400)
                self.assertEqual(queue.settings()["lockTimeout"], 5)

    def test_body_that_is_no_object_is_400(self):
        for body in (b"[]", b"1", b"null", b'"a"', b"{", b"{}x", b"{}{}",
                     b'{"delay":}', b'{"delay":1,"delay":2}', b"\xff"):
            with self.subTest(body=body):
                self.assert_problem(
                    self.queue("a").request("PUT", body=body), 400)
        self.assertFalse(self.queue("a").exists())

    def test_put_with_a_parameter_is_400(self):
        self.assert_problem(
            self.queue("a").request("PUT", query="colour=red", body=b"{}"),
            400, "colour")
        self.assertFalse(self.queue("a").exists())

    def test_put_wakes_nobody_and_loses_nobody(self):
        queue = self.queue("a")
        queue.configure()
        waiting = queue.receive_and_wait()
        queue.configure(lockTimeout=5000)
        self.assert_waits(waiting)
        message = queue.push()
        self.assertEqual(ids(waiting.messages()), [message])


class NamesTest(QueueTestCase):

    def test_bad_name_is_400(self):
        for name in BAD_NAMES:
            for method, rest, body in (
                    ("PUT", "", b"{}"), ("POST", "", b"1"), ("GET", "", None),
                    ("PATCH", f"/{uuid.uuid4()}", None),
                    ("GET", f"/{uuid.uuid4()}", None), ("DELETE", "", None),
                    ("GET", "/info", None), ("POST", "/purge", None),
                    ("POST", "/pause", None), ("POST", "/resume", None)):
                with self.subTest(name=name, method=method, rest=rest):
                    self.assert_problem(
                        self.server.request(
                            method, f"/queues/{quote(name)}{rest}", body),
                        400, "name|NUL")
        self.assertEqual(self.queue_names(), ["default"])

    def test_name_with_a_slash_is_no_queue(self):
        for name in ("a%2Fb", "%2F", "a/b/c"):
            with self.subTest(name=name):
                response = self.server.request(
                    "POST", f"/queues/{name}", b"1")
                self.assert_problem(response, (400, 404, 405))
        self.assertEqual(self.queue_names(), ["default"])

    def test_empty_name_is_no_queue(self):
        for path in ("/queues/", "/queues//info"):
            with self.subTest(path=path):
                self.assert_problem(
                    self.server.request("GET", path), (400, 404))

    def test_good_names_are_names(self):
        for name in GOOD_NAMES:
            with self.subTest(name=name):
                queue = self.queue(name)
                message = queue.push(name)
                self.assertEqual(bodies(queue.receive()), [name])
                self.assertEqual(queue.info()["name"], name)
                self.assertIsNone(self.root.look(message))

    def test_good_fifo_names_are_names(self):
        for name in ("a.fifo", "a" * 80 + ".fifo"):
            with self.subTest(name=name):
                self.assert_status(self.queue(name).put(), 201)
                self.assertEqual(self.queue(name).info()["name"], name)

    def test_escaped_name_is_the_same_name(self):
        message = self.queue("abc").push()
        response = self.server.request("GET", "/queues/%61b%63?" + LONG)
        self.assert_status(response, 200)
        self.assertEqual(ids(response.json()["messages"]), [message])

    def test_names_in_other_case_are_others(self):
        self.queue("a").push("lower")
        self.queue("A").push("upper")
        self.assertEqual(bodies(self.queue("a").receive()), ["lower"])
        self.assertEqual(bodies(self.queue("A").receive()), ["upper"])


class AutoCreateTest(QueueTestCase):

    def test_push_makes_the_queue(self):
        queue = self.queue("a")
        message = queue.push()
        self.assertEqual(ids(queue.receive()), [message])
        self.assertEqual(queue.settings(), DEFAULTS)

    def test_refused_push_makes_no_queue(self):
        for query, body in (("", b"{"), ("delay=-1", b"1"),
                            ("colour=red", b"1")):
            with self.subTest(query=query, body=body):
                self.assert_problem(
                    self.queue("a").request("POST", "", query, body), 400)
        self.assertEqual(self.queue_names(), ["default"])

    def test_calls_but_push_and_put_do_not_make_a_queue(self):
        message = uuid.uuid4()
        for method, rest, body in (
                ("GET", "", None), ("GET", "/info", None),
                ("GET", "/peek", None), ("GET", f"/{message}", None),
                ("PATCH", f"/{message}", None),
                ("PATCH", "", json.dumps([str(message)]).encode()),
                ("DELETE", "", None), ("POST", "/purge", None),
                ("POST", "/pause", None), ("POST", "/resume", None),
                ("POST", "/redrive", None)):
            with self.subTest(method=method, rest=rest):
                self.assert_problem(
                    self.queue("nobody").request(method, rest, body=body),
                    404, "nobody")
        self.assertEqual(self.queue_names(), ["default"])

    def test_head_of_a_queue_that_does_not_exist_is_404(self):
        for rest in ("", "/info"):
            with self.subTest(rest=rest):
                self.assert_status(
                    self.queue("nobody").request("HEAD", rest), 404)

    def test_head_of_a_queue_locks_nothing(self):
        queue = self.queue("a")
        message = queue.push()
        self.assert_status(queue.request("HEAD"), 200)
        self.assertEqual(ids(queue.receive()), [message])


class ServerPagesTest(QueueTestCase):

    def test_unknown_parameters_are_refused_there_too(self):
        for method, path in (("GET", "/health"), ("GET", "/ready")):
            with self.subTest(path):
                self.assert_problem(
                    self.server.request(method, path + "?x=1"), 400, "x")
        self.assertEqual(self.server.request("HEAD", "/?x=1").status, 400)
        self.assertEqual(self.server.request("HEAD", "/?amount=2").status,
                         200)


class NoAutoCreateTest(QueueTestCase):

    OPTIONS = ("--auto-create", "false")

    def test_push_to_a_queue_that_does_not_exist_is_404(self):
        response = self.queue("a").request("POST", body=b"1")
        self.assert_problem(response, 404, "a")
        self.assertEqual(self.queue_names(), ["default"])

    def test_put_makes_it_and_then_push_is_201(self):
        self.assert_status(self.queue("a").put(), 201)
        message = self.queue("a").push()
        self.assertEqual(ids(self.queue("a").receive()), [message])

    def test_default_is_there(self):
        message = self.root.push()
        self.assertEqual(ids(self.root.receive()), [message])

    def test_a_dead_letter_queue_is_not_made_either(self):
        self.queue("a").configure()
        response = self.queue("a").put(deadLetterQueue="dead")
        self.assert_problem(response, 400, "dead", "PUT")
        self.assertEqual(self.queue_names(), ["a", "default"])
        self.queue("dead").configure()
        self.assert_status(self.queue("a").put(deadLetterQueue="dead"), 200)

    def test_bad_name_is_still_400(self):
        self.assert_problem(
            self.server.request("POST", "/queues/a.b", b"1"), 400, "name")


class DefaultTest(QueueTestCase):

    def setUp(self):
        super().setUp()
        self.named = self.queue("default")

    def test_what_is_pushed_to_one_is_received_from_the_other(self):
        first = self.root.push(1)
        self.assertEqual(ids(self.named.receive()), [first])
        second = self.named.push(2)
        self.assertEqual(ids(self.root.receive()), [second])

    def test_what_is_received_from_one_is_confirmed_at_the_other(self):
        for one, other in ((self.root, self.named), (self.named, self.root)):
            message = one.push()
            one.receive()
            other.confirm(message)
            self.assertIsNone(one.look(message))

    def test_looks_are_the_same(self):
        message = self.root.push({"a": 1})
        self.assertEqual(self.root.look(message), self.named.look(message))

    def test_infos_are_the_same_but_for_age(self):
        self.root.push()
        one, other = self.root.info(), self.named.info()
        for info in (one, other):
            del info["counts"]["oldestAge"]
        self.assertEqual(one, other)

    def test_settings_of_one_are_the_other_s(self):
        self.named.configure(lockTimeout=77)
        self.assertEqual(self.root.settings()["lockTimeout"], 77)

    def test_pause_of_one_pauses_the_other(self):
        self.named.push()
        self.root.post("pause")
        self.assertIs(self.named.info()["paused"], True)
        self.assertEqual(self.named.receive(), [])
        self.named.post("resume")
        self.assertEqual(len(self.root.receive()), 1)

    def test_purge_of_one_purges_the_other(self):
        self.root.push()
        self.named.post("purge")
        self.assertEqual(self.root.count(), (0, 0, 0))


class IsolationTest(QueueTestCase):

    def setUp(self):
        super().setUp()
        self.a, self.b = self.queue("a"), self.queue("b")

    def test_each_queue_gives_out_its_own_messages(self):
        pushed = {queue: [queue.push(i) for i in range(3)]
                  for queue in (self.a, self.b, self.root)}
        for queue, messages in pushed.items():
            self.assertEqual(ids(queue.receive()), messages)

    def test_location_of_a_push_leads_to_the_message(self):
        response = self.a.request("POST", body=b'"here"')
        message = response.json()["messageID"]
        self.assertEqual(response.header("Location"), f"/queues/a/{message}")
        look = self.server.request("GET", response.header("Location"))
        self.assert_status(look, 200)
        self.assertEqual(look.json()["body"], "here")

    def test_look_at_a_message_of_another_queue_is_404(self):
        message = self.a.push()
        self.b.configure()
        for other in (self.b, self.root):
            self.assert_problem(other.request("GET", f"/{message}"), 404)

    def test_confirm_at_another_queue_is_404(self):
        message = self.a.push()
        self.a.receive()
        self.b.configure()
        for other in (self.b, self.root):
            self.assert_problem(other.patch(message), 404)
            self.assert_problem(other.patch(message, "timeout=0"), 404)
        self.assertEqual(self.a.state(message), "locked")

    def test_confirm_with_a_receipt_at_another_queue_is_404(self):
        message = self.a.push()
        receipt = self.a.receive_one()["receipt"]
        self.b.configure()
        self.assert_problem(
            self.b.patch(message, "receipt=" + receipt), 404)
        self.assertEqual(self.a.state(message), "locked")

    def test_counts_are_each_queue_s_own(self):
        for queue, count in ((self.a, 3), (self.b, 2), (self.root, 1)):
            for _ in range(count):
                queue.push()
        self.b.receive("amount=1&" + LONG)
        self.assertEqual(self.a.count(), (3, 0, 0))
        self.assertEqual(self.b.count(), (1, 1, 0))
        self.assertEqual(self.root.count(), (1, 0, 0))

    def test_totals_are_each_queue_s_own(self):
        for _ in range(3):
            self.a.push()
        for message in ids(self.a.receive("amount=2&" + LONG)):
            self.a.confirm(message)
        self.b.push()
        self.assertEqual(
            {name: self.a.totals()[name]
             for name in ("pushed", "received", "confirmed")},
            {"pushed": 3, "received": 2, "confirmed": 2})
        self.assertEqual(self.b.totals()["pushed"], 1)
        self.assertEqual(self.b.totals()["received"], 0)
        self.assertEqual(self.root.totals()["pushed"], 0)

    def test_bytes_are_each_queue_s_own(self):
        self.a.push("x" * 1000)
        self.b.push("x")
        self.assertEqual(self.a.counts()["bytes"], 1002)
        self.assertEqual(self.b.counts()["bytes"], 3)

    def test_locks_run_out_in_their_own_queue(self):
        message, other = self.a.push(), self.b.push()
        self.a.receive("timeout=50")
        self.b.receive("timeout=50")
        self.a.wait_count(1)
        self.b.wait_count(1)
        self.assertEqual(ids(self.a.receive()), [message])
        self.assertEqual(ids(self.b.receive()), [other])


class ListTest(QueueTestCase):

    def make(self, *names):
        for name in names:
            self.queue(name).configure()

    def assert_bad(self, query, *patterns):
        self.assert_problem(
            self.server.request("GET", "/queues?" + query), 400, *patterns)

    def test_default_is_always_there(self):
        self.assertEqual(self.queue_names(), ["default"])

    def test_queues_come_sorted_by_name(self):
        self.make("z", "b", "a", "Z", "0", "a-", "a_", "aa", "A")
        self.assertEqual(
            self.queue_names(),
            sorted(["z", "b", "a", "Z", "0", "a-", "a_", "aa", "A",
                    "default"]))

    def test_queue_that_a_push_made_is_listed(self):
        self.queue("a").push()
        self.assertEqual(self.queue_names(), ["a", "default"])

    def test_each_entry_is_what_info_says(self):
        self.queue("a", lockTimeout=5)
        self.queue("a").post("pause")
        self.queue("b").push("x")
        for entry in self.list_queues():
            self.assertEqual(set(entry), {
                "name", "paused", "durable", "settings", "counts",
                "totals"})
            info = self.queue(entry["name"]).info()
            for some in (entry, info):
                some["counts"].pop("oldestAge")
            self.assertEqual(entry, info)

    def test_prefix_gives_those_that_begin_so(self):
        self.make("job-a", "job-b", "jobs", "job", "Job-a", "a-job")
        self.assertEqual(self.queue_names("prefix=job-"),
                         ["job-a", "job-b"])
        self.assertEqual(self.queue_names("prefix=job"),
                         ["job", "job-a", "job-b", "jobs"])
        self.assertEqual(self.queue_names("prefix=nothing"), [])

    def test_empty_prefix_gives_all(self):
        self.make("a")
        self.assertEqual(self.queue_names("prefix="), ["a", "default"])

    def test_after_gives_those_above_it(self):
        self.make("a", "b", "c")
        self.assertEqual(self.queue_names("after=a"), ["b", "c", "default"])
        self.assertEqual(self.queue_names("after=default"), [])

    def test_after_need_not_exist(self):
        self.make("a", "c")
        self.assertEqual(self.queue_names("after=b"), ["c", "default"])

    def test_prefix_and_after_hold_together(self):
        self.make("a1", "a2", "a3", "b1")
        self.assertEqual(self.queue_names("prefix=a&after=a1"),
                         ["a2", "a3"])
        self.assertEqual(self.queue_names("prefix=b&after=a1"), ["b1"])
        self.assertEqual(self.queue_names("prefix=a&after=b"), [])

    def test_limit_is_the_most_that_are_given(self):
        self.make("a", "b", "c")
        self.assertEqual(self.queue_names("limit=2"), ["a", "b"])
        self.assertEqual(self.queue_names("limit=1000"),
                         ["a", "b", "c", "default"])

    def test_limit_is_100_where_none_is_named(self):
        self.make(*(f"q{i:03}" for i in range(120)))
        self.assertEqual(len(self.queue_names()), 100)

    def test_pages_have_each_queue_once(self):
        names = [f"q{i:03}" for i in range(250)]
        with self.server.connect() as connection:
            for name in reversed(names):
                self.assert_status(
                    connection.request("POST", f"/queues/{name}", b"1"), 201)
        got, after = [], ""
        while page := self.queue_names(f"prefix=q&limit=37&after={after}"):
            self.assertLessEqual(len(page), 37)
            got += page
            after = page[-1]
        self.assertEqual(got, names)

    def test_bad_limit_is_400(self):
        for value in ("0", "-1", "1001", "abc", "", "1.5"):
            with self.subTest(value=value):
                self.assert_bad("limit=" + value, "limit")

    def test_unknown_parameter_is_400(self):
        self.assert_bad("colour=red", "colour")

    def test_list_counts_no_receive(self):
        self.queue("a").push()
        self.list_queues()
        self.assertEqual(self.queue("a").count(), (1, 0, 0))

    def test_deleted_queue_is_not_listed(self):
        self.make("a", "b")
        self.queue("a").expect((204,), "DELETE")
        self.assertEqual(self.queue_names(), ["b", "default"])


class DeleteTest(QueueTestCase):

    def setUp(self):
        super().setUp()
        self.a = self.queue("a", lockTimeout=5)

    def delete(self):
        self.a.expect((204,), "DELETE")

    def test_delete_is_204_without_a_body(self):
        response = self.a.request("DELETE")
        self.assert_status(response, 204)
        self.assertIsNone(response.header("Content-Length"))

    def test_deleted_queue_is_gone(self):
        self.delete()
        for method, rest in (("GET", ""), ("GET", "/info"), ("DELETE", "")):
            self.assert_problem(self.a.request(method, rest), 404)

    def test_delete_of_a_queue_that_does_not_exist_is_404(self):
        self.assert_problem(self.queue("b").request("DELETE"), 404)

    def test_delete_of_default_is_409(self):
        message = self.root.push()
        self.assert_problem(
            self.queue("default").request("DELETE"), 409, "default")
        self.assertEqual(ids(self.root.receive()), [message])

    def test_its_messages_are_gone_in_every_state(self):
        pushed = [self.a.push(), self.a.push(), self.a.push(1, "delay=60000")]
        self.a.receive("amount=1&" + LONG)
        self.assertEqual(self.a.count(), (1, 1, 1))
        self.delete()
        self.a.configure()
        for message in pushed:
            self.assertIsNone(self.a.look(message))
            self.assert_problem(self.a.patch(message), 404)
        self.assertEqual(self.a.receive(), [])

    def test_queue_made_again_is_a_new_one(self):
        self.a.push()
        self.a.post("pause")
        self.delete()
        message = self.a.push()
        info = self.a.info()
        self.assertEqual(info["settings"], DEFAULTS)
        self.assertIs(info["paused"], False)
        self.assertEqual(info["totals"]["pushed"], 1)
        self.assertEqual(ids(self.a.receive()), [message])

    def test_locks_that_end_after_the_delete_bring_nothing_back(self):
        self.a.push()
        self.a.push(1, "delay=50")
        self.a.receive("amount=1&timeout=50")
        self.delete()
        self.a.configure()
        let_pass(0.15)
        self.assertEqual(self.a.count(), (0, 0, 0))

    def test_other_queues_keep_their_messages(self):
        message = self.queue("b").push()
        self.a.push()
        self.delete()
        self.assertEqual(ids(self.queue("b").receive()), [message])

    def test_delete_with_a_parameter_is_400(self):
        self.assert_problem(
            self.a.request("DELETE", query="colour=red"), 400, "colour")
        self.assertTrue(self.a.exists())


class PurgeTest(QueueTestCase):

    def setUp(self):
        super().setUp()
        self.a = self.queue("a", lockTimeout=5000, maxMessages=50)

    def test_purge_is_204(self):
        self.assert_status(self.a.request("POST", "/purge"), 204)

    def test_messages_of_every_state_are_gone(self):
        pushed = [self.a.push(), self.a.push(), self.a.push(1, "delay=60000")]
        self.a.receive("amount=1&" + LONG)
        self.assertEqual(self.a.count(), (1, 1, 1))
        self.a.post("purge")
        self.assertEqual(self.a.count(), (0, 0, 0))
        self.assertEqual(self.a.counts()["bytes"], 0)
        for message in pushed:
            self.assertIsNone(self.a.look(message))

    def test_purge_of_default(self):
        self.root.push()
        self.root.post("purge")
        self.assertEqual(self.root.count(), (0, 0, 0))

    def test_confirm_after_a_purge_is_404(self):
        message = self.a.push()
        receipt = self.a.receive_one()["receipt"]
        self.a.post("purge")
        self.assert_problem(self.a.patch(message), 404)
        self.assert_problem(
            self.a.patch(message, "receipt=" + receipt), 404)

    def test_queue_stays_with_its_settings(self):
        before = self.a.settings()
        self.a.push()
        self.a.post("purge")
        self.assertEqual(self.a.settings(), before)

    def test_paused_queue_stays_paused(self):
        self.a.post("pause")
        self.a.post("purge")
        self.assertIs(self.a.info()["paused"], True)

    def test_what_is_pushed_later_is_received(self):
        self.a.push()
        self.a.post("purge")
        message = self.a.push()
        self.assertEqual(ids(self.a.receive()), [message])

    def test_other_queues_keep_their_messages(self):
        message = self.root.push()
        self.a.push()
        self.a.post("purge")
        self.assertEqual(ids(self.root.receive()), [message])

    def test_purge_makes_room_for_pushes(self):
        self.a.configure(maxMessages=1)
        self.a.push()
        self.a.post("purge")
        self.a.push()

    def test_purge_with_a_parameter_is_400(self):
        self.a.push()
        self.assert_problem(
            self.a.request("POST", "/purge", "colour=red"), 400, "colour")
        self.assertEqual(self.a.count(), (1, 0, 0))

    def test_purge_of_ten_thousand_messages(self):
        self.a.configure(maxMessages=0)
        self.a.push_lines(*range(10000))
        self.a.receive("amount=1000&" + LONG)
        self.a.post("purge")
        self.assertEqual(self.a.count(), (0, 0, 0))


class PauseTest(QueueTestCase):

    def setUp(self):
        super().setUp()
        self.a = self.queue("a", lockTimeout=5000)

    def test_pause_and_resume_are_204(self):
        self.assert_status(self.a.request("POST", "/pause"), 204)
        self.assert_status(self.a.request("POST", "/resume"), 204)

    def test_info_says_that_it_is_paused(self):
        self.assertIs(self.a.info()["paused"], False)
        self.a.post("pause")
        self.assertIs(self.a.info()["paused"], True)
        self.a.post("resume")
        self.assertIs(self.a.info()["paused"], False)

    def test_paused_queue_gives_out_nothing(self):
        self.a.push()
        self.a.post("pause")
        self.assertEqual(self.a.receive(), [])
        self.assertEqual(self.a.count(), (1, 0, 0))

    def test_paused_queue_takes_pushes_in_order(self):
        self.a.post("pause")
        pushed = [self.a.push(i) for i in range(3)]
        self.a.post("resume")
        self.assertEqual(ids(self.a.receive()), pushed)

    def test_paused_queue_takes_confirms(self):
        message = self.a.push()
        self.a.receive()
        self.a.post("pause")
        self.a.confirm(message)
        self.assertIsNone(self.a.look(message))

    def test_paused_queue_extends_and_gives_back(self):
        message = self.a.push()
        self.a.receive()
        self.a.post("pause")
        self.a.confirm(message, "timeout=500000")
        self.a.give_back(message)
        self.assertEqual(self.a.state(message), "available")
        self.assertEqual(self.a.receive(), [])

    def test_locks_run_out_in_a_paused_queue(self):
        message = self.a.push()
        self.a.receive("timeout=50")
        self.a.post("pause")
        self.a.wait_state(message, "available")
        self.assertEqual(self.a.receive(), [])

    def test_delays_end_in_a_paused_queue(self):
        self.a.post("pause")
        message = self.a.push(1, "delay=50")
        self.a.wait_state(message, "available")
        self.assertEqual(self.a.receive(), [])

    def test_resumed_queue_gives_out_again(self):
        message = self.a.push()
        self.a.post("pause")
        self.a.post("resume")
        self.assertEqual(ids(self.a.receive()), [message])

    def test_pausing_twice_takes_one_resume(self):
        message = self.a.push()
        self.a.post("pause")
        self.a.post("pause")
        self.a.post("resume")
        self.assertEqual(ids(self.a.receive()), [message])

    def test_resume_of_a_queue_that_is_not_paused_is_204(self):
        self.a.post("resume")
        self.assertIs(self.a.info()["paused"], False)

    def test_other_queues_are_not_paused(self):
        self.a.post("pause")
        message = self.root.push()
        self.assertEqual(ids(self.root.receive()), [message])

    def test_pause_outlives_settings(self):
        self.a.post("pause")
        self.a.configure(lockTimeout=7)
        self.assertIs(self.a.info()["paused"], True)


class MethodsTest(QueueTestCase):

    def test_options_of_a_queue(self):
        self.queue("a").configure()
        response = self.queue("a").request("OPTIONS")
        self.assert_status(response, 204)
        self.assertLessEqual(
            {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"},
            response.allowed())

    def test_wrong_method_is_405_with_allow(self):
        self.queue("a").configure()
        for method, path, allowed in (
                ("POST", "/queues", "GET"), ("DELETE", "/queues", "GET"),
                ("PUT", "/queues/a/info", "GET"),
                ("GET", "/queues/a/purge", "POST"),
                ("DELETE", "/queues/a/pause", "POST"),
                ("GET", "/purge", "POST"), ("GET", "/pause", "POST"),
                ("PUT", "/resume", "POST"), ("DELETE", "/", "GET"),
                ("GET", "/redrive", "POST"), ("POST", "/peek", "GET")):
            with self.subTest(method=method, path=path):
                response = self.server.request(method, path)
                self.assert_problem(response, 405)
                self.assertIn(allowed, response.allowed())
                self.assertNotIn(method, response.allowed())

    def test_page_below_a_queue_that_does_not_exist_is_404(self):
        self.queue("a").configure()
        for path in ("/queues/a/nothing-here", "/queues/a/info/x",
                     "/queues/a/"):
            with self.subTest(path=path):
                self.assert_problem(self.server.request("GET", path), 404)


class ManyQueuesTest(QueueTestCase):

    def test_a_thousand_queues_keep_their_messages_apart(self):
        with self.server.connect() as connection:
            for i in range(1000):
                self.assert_status(connection.request(
                    "POST", f"/queues/q{i}", b"%d" % i), 201)
            for i in range(1000):
                response = connection.request("GET", f"/queues/q{i}?{LONG}")
                self.assertEqual(bodies(response.json()["messages"]), [i])
        self.assertEqual(len(self.queue_names("limit=1000&prefix=q")), 1000)

    def test_queues_made_and_deleted_leave_nothing_behind(self):
        with self.server.connect() as connection:
            for i in range(500):
                path = f"/queues/q{i}"
                connection.request("PUT", path, b"{}")
                connection.request("POST", path, b"1")
                connection.request("GET", path + "?timeout=100")
                self.assert_status(connection.request("DELETE", path), 204)
        wait_until(lambda: self.queue_names() == ["default"])


if __name__ == "__main__":
    unittest.main()
