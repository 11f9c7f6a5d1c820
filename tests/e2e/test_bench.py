"""wq-bench, the load generator: what it does is what it says it did.

WQ_BENCH in the environment is the program; by default it is beside wqd.
"""

import json
import os
import subprocess
import time
import unittest

import harness
from fake_sqs import URL, FakeSqs, Refusal
from harness import DEADLINE, FreshServerTestCase, WqTestCase, environment
from queues import Queue

WQ_BENCH = os.path.abspath(os.environ.get("WQ_BENCH") or os.path.join(
    os.path.dirname(harness.WQD), "wq-bench"))
TOKEN = "00000000deadbeef"


def run_bench(*arguments):
    try:
        return subprocess.run(
            [WQ_BENCH, *arguments], env=environment(), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=2 * DEADLINE, check=False)
    except subprocess.TimeoutExpired:
        raise AssertionError(
            f"wq-bench {' '.join(arguments)}: still runs") from None


@unittest.skipUnless(os.access(WQ_BENCH, os.X_OK), "there is no wq-bench")
class OptionTest(WqTestCase):

    def refused(self, *arguments, names):
        """wq-bench says why in one line, and ends with status 2."""
        run = run_bench(*arguments)
        self.assertEqual(run.returncode, 2, run)
        self.assertEqual(run.stdout, "")
        self.assertRegex(run.stderr, r"\Awq-bench: [^\n]+\n\Z")
        self.assertIn(names, run.stderr)

    def test_bad_number_is_refused(self):
        for option in ("delay", "groups", "hold", "queues", "rate"):
            for value in ("abc", "-1", "1.5", "", "1s", "1" + "0" * 30):
                with self.subTest(option=option, value=value):
                    self.refused(f"--{option}={value}", names=option)

    def test_bad_name_is_refused(self):
        for option in ("group", "queue"):
            for value in ("", "a/b", "a b", "a%41", "a" * 201):
                with self.subTest(option=option, value=value):
                    self.refused(f"--{option}={value}", names=option)

    def test_unknown_workload_is_refused(self):
        self.refused("-w", "sleep", names="wake")

    def test_option_without_its_workload_is_refused(self):
        for arguments in (("-w", "cycle", "--delay", "1"),
                          ("-w", "drain", "--group", "a"),
                          ("-w", "push", "--hold", "1"),
                          ("-w", "push", "--leave"),
                          ("-w", "wait", "--rate", "1")):
            with self.subTest(arguments=arguments):
                self.refused(*arguments, names=arguments[2])

    def test_spread_without_a_name_is_refused(self):
        self.refused("--queues", "2", names="--queue")
        self.refused("--groups", "2", names="--group")

    def test_more_queues_than_waiting_connections_are_refused(self):
        self.refused("-w", "wake", "-c", "2", "-q", "a", "--queues", "3",
                     names="--connections")

    def test_other_protocols_have_no_waits(self):
        for protocol in ("beanstalkd", "redis", "sqs"):
            self.refused("-w", "wait", "--protocol", protocol,
                         names="protocol")

    def test_sqs_has_batches_of_ten(self):
        self.refused("--protocol", "sqs", "-b", "11", names="batch")

    def test_sqs_has_one_queue_without_groups(self):
        for arguments in (("--queue", "a", "--queues", "2"),
                          ("--group", "a")):
            with self.subTest(arguments=arguments):
                self.refused("--protocol", "sqs", *arguments,
                             names=arguments[-2])


@unittest.skipUnless(os.access(WQ_BENCH, os.X_OK), "there is no wq-bench")
class WorkloadTest(FreshServerTestCase):

    def bench(self, *arguments, status=0):
        """Run it against the server; its report."""
        run = run_bench("-p", str(self.server.port), "--json", *arguments)
        self.assertEqual(run.returncode, status, run)
        self.assertEqual(run.stderr, "")
        report = json.loads(run.stdout)
        self.assertEqual(report["good"], status == 0, run)
        return report

    def counts(self, name=None):
        return Queue(self, self.server, name).counts()

    def test_wake_receives_each_message_once(self):
        report = self.bench("-w", "wake", "-c", "3", "-n", "60")
        self.assertEqual(
            [report[key] for key in ("pushed", "received", "messages",
                                     "lost", "duplicated", "foreign")],
            [60, 60, 60, 0, 0, 0])
        latencies = report["latencyMicroseconds"]
        self.assertEqual(latencies["message"]["count"], 60)
        self.assertEqual(latencies["confirm"]["count"], 60)
        counts = self.counts()
        self.assertEqual([counts["available"], counts["locked"]], [0, 0])

    def test_wake_keeps_its_rate(self):
        began = time.monotonic()
        self.bench("-w", "wake", "-c", "1", "-n", "11", "--rate", "20")
        self.assertGreaterEqual(time.monotonic() - began, 0.5)

    def test_wake_ends_with_the_time(self):
        report = self.bench("-w", "wake", "-c", "1", "--rate", "1",
                            "-t", "0.3")
        self.assertLessEqual(report["pushed"], 1)
        self.assertEqual(report["received"], report["pushed"])

    def test_wake_spreads_over_queues_and_groups(self):
        for name in ("a-0", "a-1"):
            Queue(self, self.server, name).push()
        report = self.bench("-w", "wake", "-c", "4", "-n", "40", "-q", "a",
                            "--queues", "2", "--group", "b",
                            "--groups", "3")
        self.assertEqual([report["received"], report["foreign"]], [40, 2])

    def test_wake_in_batches(self):
        report = self.bench("-w", "wake", "-c", "2", "-n", "45", "-b", "10")
        self.assertEqual(report["received"], 45)

    def test_held_messages_take_their_time(self):
        self.bench("-w", "push", "-n", "6", "-c", "1", "--group", "large")
        report = self.bench("-w", "wake", "-c", "2", "-n", "1", "--hold",
                            "100", "--group", "small")
        self.assertEqual([report["received"], report["foreign"]], [1, 6])
        # Three rounds of two workers come before it, after the start.
        self.assertGreaterEqual(report["seconds"], 0.3)

    def test_wait_takes_what_is_there_and_what_comes(self):
        self.bench("-w", "push", "-n", "20", "--run", TOKEN)
        report = self.bench("-w", "wait", "-c", "4", "-n", "20",
                            "--run", TOKEN)
        self.assertEqual([report["received"], report["messages"]], [20, 20])

    def test_wait_ends_with_the_time(self):
        report = self.bench("-w", "wait", "-c", "4", "-t", "0.2")
        self.assertEqual(report["received"], 0)
        harness.wait_until(lambda: self.counts()["waiters"] == 0)

    def test_push_and_drain_spread_over_queues(self):
        self.bench("-w", "push", "-n", "50", "-c", "4", "-q", "a",
                   "--queues", "10", "--run", TOKEN)
        self.assertEqual(self.counts("a-9")["available"], 5)
        report = self.bench("-w", "drain", "-n", "50", "-c", "4", "-q", "a",
                            "--queues", "10", "--run", TOKEN)
        self.assertEqual([report["received"], report["lost"]], [50, 0])

    def test_cycle_spreads_over_queues(self):
        report = self.bench("-n", "200", "-c", "8", "-b", "3", "-q", "a",
                            "--queues", "20")
        self.assertEqual([report["received"], report["lost"]], [200, 0])

    def test_groups_are_those_of_the_messages(self):
        self.bench("-w", "push", "-n", "6", "-c", "1", "--group", "b",
                   "--groups", "2")
        messages = self.server.receive("details=true")
        self.assertEqual([message["group"] for message in messages],
                         ["b-0", "b-1"] * 3)

    def test_delayed_messages_are_not_there(self):
        self.bench("-w", "push", "-n", "5", "--delay", "600000")
        counts = self.counts()
        self.assertEqual([counts["available"], counts["delayed"]], [0, 5])

    def test_cycle_may_leave_what_it_has_not_received(self):
        self.bench("-w", "push", "-n", "100")
        report = self.bench("-w", "cycle", "-n", "10", "-c", "2", "--leave")
        self.assertNotIn("lost", report)
        self.assertEqual([report["messages"], report["foreign"]], [10, 10])
        self.assertEqual(self.counts()["available"], 100)

    def test_what_the_server_refuses_is_reported(self):
        report = self.bench("-w", "push", "-n", "1", "-q", "a.b", status=1)
        self.assertIn("400", report["firstUnexpected"])


@unittest.skipUnless(os.access(WQ_BENCH, os.X_OK), "there is no wq-bench")
class FakeSqsTest(WqTestCase):
    """What it sends, and what it thinks of a server with faults."""

    def fake(self, twist=None, **more):
        fake = FakeSqs(twist, **more)
        self.addCleanup(fake.close)
        return fake

    def bench(self, fake, *arguments, status=0):
        run = run_bench("-p", str(fake.port), "--protocol", "sqs", "--json",
                        *arguments)
        self.assertEqual(run.returncode, status, run)
        return json.loads(run.stdout)

    def test_requests_are_those_of_an_sdk(self):
        fake = self.fake()
        report = self.bench(fake, "-n", "2", "-c", "1", "--run", TOKEN,
                            "-s", "27")
        self.assertEqual([report["messages"], report["lost"]], [2, 0])
        self.assertEqual(
            [action for action, _, _ in fake.requests],
            ["CreateQueue"] +
            2 * ["SendMessage", "ReceiveMessage", "DeleteMessage"] +
            ["ReceiveMessage"])
        for _, headers, _ in fake.requests:
            self.assertEqual(headers["Host"], f"127.0.0.1:{fake.port}")
            self.assertEqual(headers["Content-Type"],
                             "application/x-amz-json-1.0")
        self.assertEqual(fake.requests[0][2], {"QueueName": "bench"})
        self.assertEqual(
            fake.inputs("SendMessage"),
            [{"QueueUrl": URL + "bench",
              "MessageBody": f'"{TOKEN}-0000000{number}"'}
             for number in (0, 1)])
        self.assertEqual(
            fake.inputs("ReceiveMessage")[0],
            {"QueueUrl": URL + "bench", "MaxNumberOfMessages": 1,
             "VisibilityTimeout": 60})

    def test_queue_timeout_and_headers_are_those_of_the_options(self):
        fake = self.fake()
        self.bench(fake, "-n", "1", "-c", "1", "-q", "a-b_c", "-H", "2",
                   "--lock-timeout", "1001")
        self.assertEqual(fake.requests[0][2], {"QueueName": "a-b_c"})
        receive = fake.inputs("ReceiveMessage")[0]
        self.assertEqual(receive["QueueUrl"], URL + "a-b_c")
        self.assertEqual(receive["VisibilityTimeout"], 2)
        self.assertIn("X-Bench-2", fake.requests[-1][1])
        self.bench(fake, "-w", "drain", "--lock-timeout", "0")
        self.assertNotIn("VisibilityTimeout",
                         fake.inputs("ReceiveMessage")[-1])

    def test_batches_are_of_entries(self):
        fake = self.fake()
        report = self.bench(fake, "-n", "25", "-c", "1", "-b", "10")
        self.assertEqual([report["messages"], report["lost"]], [25, 0])
        for action in ("SendMessageBatch", "DeleteMessageBatch"):
            self.assertEqual([len(given["Entries"])
                              for given in fake.inputs(action)], [10, 10, 5])
        self.assertFalse(fake.inputs("SendMessage"))
        self.assertFalse(fake.inputs("DeleteMessage"))

    def test_drain_finds_what_was_pushed(self):
        for size in ("1", "7"):
            with self.subTest(batch=size):
                fake = self.fake()
                self.bench(fake, "-w", "push", "-n", "50", "-c", "4",
                           "-b", size, "--run", TOKEN)
                self.assertEqual(len(fake.ready), 50)
                fake.ready[10:10] = ["no JSON: \u20ac\n"]
                report = self.bench(fake, "-w", "drain", "-n", "51", "-c",
                                    "4", "-b", size, "--run", TOKEN,
                                    status=1)
                self.assertEqual([report["received"], report["foreign"],
                                  report["lost"]], [50, 1, 1])

    def test_any_escape_is_understood(self):
        def dumps(value):
            text = json.dumps(value)
            for plain, other in (("\\\\", "\\u005C"), ('\\"', "\\u0022"),
                                 ("/", "\\/")):
                text = text.replace(plain, other)
            return text
        fake = self.fake(dumps=dumps)
        report = self.bench(fake, "-n", "20", "-b", "3")
        self.assertEqual([report["received"], report["foreign"]], [20, 0])
        self.assertEqual(fake.inputs("ReceiveMessage")[0]["QueueUrl"],
                         URL + "bench")

    def test_lost_message_is_noticed(self):
        def twist(action, output):
            if action == "ReceiveMessage" and len(fake.requests) == 9:
                del output["Messages"][0]
            return output
        fake = self.fake(twist)
        report = self.bench(fake, "-n", "30", "-c", "1", "-b", "5", status=1)
        self.assertEqual([report["pushed"], report["lost"]], [30, 1])

    def test_message_that_comes_twice_is_noticed(self):
        def twist(action, output):
            if "Messages" in output:
                output["Messages"] *= 2
            return output
        fake = self.fake(twist)
        self.bench(fake, "-w", "push", "-n", "3", "--run", TOKEN)
        report = self.bench(fake, "-w", "drain", "-b", "6", "-c", "1",
                            "--run", TOKEN, status=1)
        self.assertEqual([report["received"], report["duplicated"],
                          report["unexpected"]], [3, 3, 0])

    def test_entry_that_fails_is_noticed(self):
        def twist(action, output):
            if action.endswith("Batch"):
                output["Failed"] = [{"Id": output["Successful"].pop()["Id"],
                                     "Code": "Broken", "SenderFault": True}]
            return output
        report = self.bench(self.fake(twist), "-w", "push", "-n", "10",
                            "-b", "10", "-c", "1", status=1)
        self.assertEqual([report["unexpected"], report["messages"]], [1, 9])
        self.assertRegex(report["firstUnexpected"], "entry has failed.*Broken")

    def test_entry_that_is_not_answered_is_noticed(self):
        def twist(action, output):
            if action == "DeleteMessageBatch":
                del output["Successful"][0]
            return output
        report = self.bench(self.fake(twist), "-n", "10", "-b", "10", "-c",
                            "1", status=1)
        self.assertEqual(report["unexpected"], 1)
        self.assertIn("not every message", report["firstUnexpected"])

    def test_error_is_noticed(self):
        def twist(action, output):
            if action == "SendMessage":
                raise Refusal("com.amazonaws.sqs#OverLimit")
            return output
        report = self.bench(self.fake(twist), "-w", "push", "-n", "2",
                            status=1)
        self.assertEqual([report["unexpected"], report["messages"]], [2, 0])
        self.assertRegex(report["firstUnexpected"], "status 400.*OverLimit")

    def test_queue_that_cannot_be_made_ends_the_run(self):
        def twist(action, output):
            raise Refusal("com.amazonaws.sqs#QueueNameExists")
        for twist_now in (twist, lambda action, output: {"No": "URL"}):
            run = run_bench("-p", str(self.fake(twist_now).port),
                            "--protocol", "sqs", "-n", "1")
            self.assertEqual([run.returncode, run.stdout], [1, ""])
            self.assertRegex(run.stderr,
                             r"\Awq-bench: CreateQueue: [^\n]+\n\Z")


@unittest.skipUnless(os.access(WQ_BENCH, os.X_OK), "there is no wq-bench")
class SqsWorkloadTest(FreshServerTestCase):

    def bench(self, *arguments, protocol="sqs"):
        run = run_bench("-p", str(self.server.port), "--json", "--protocol",
                        protocol, *arguments)
        self.assertEqual([run.returncode, run.stderr], [0, ""], run)
        return json.loads(run.stdout)

    def counts(self, name="bench"):
        return Queue(self, self.server, name).counts()

    def test_cycle_loses_nothing(self):
        for size in ("1", "4", "10"):
            with self.subTest(batch=size):
                report = self.bench("-n", "203", "-c", "8", "-b", size)
                self.assertEqual(
                    [report[key] for key in ("pushed", "received",
                                             "messages", "lost", "foreign")],
                    [203, 203, 203, 0, 0])
        counts = self.counts()
        self.assertEqual([counts["available"], counts["locked"]], [0, 0])

    def test_push_and_drain_on_a_named_queue(self):
        arguments = ("-n", "50", "-c", "4", "-q", "a-b", "--run", TOKEN)
        self.bench("-w", "push", "-b", "7", *arguments)
        self.assertEqual(self.counts("a-b")["available"], 50)
        report = self.bench("-w", "drain", *arguments)
        self.assertEqual([report["received"], report["lost"]], [50, 0])

    def test_one_queue_has_two_views(self):
        arguments = ("-n", "20", "-q", "a", "--run", TOKEN)
        for push, drain in (("sqs", "http"), ("http", "sqs")):
            with self.subTest(push=push):
                self.bench("-w", "push", *arguments, protocol=push)
                report = self.bench("-w", "drain", *arguments,
                                    protocol=drain)
                self.assertEqual([report["received"], report["foreign"]],
                                 [20, 0])


if __name__ == "__main__":
    unittest.main()
