"""wq-bench, the load generator: what it does is what it says it did.

WQ_BENCH in the environment is the program; by default it is beside wqd.
"""

import json
import os
import subprocess
import time
import unittest

import harness
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
        for protocol in ("beanstalkd", "redis"):
            self.refused("-w", "wait", "--protocol", protocol,
                         names="protocol")


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


if __name__ == "__main__":
    unittest.main()
