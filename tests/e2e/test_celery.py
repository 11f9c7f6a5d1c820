"""Celery workers, whose kombu reads over the Query protocol, in part by itself
with curl: tasks fail, are retried and crash their worker, nothing is lost."""

import importlib.util
import os
import signal
import subprocess
import sys
import unittest

from aws import AWS_ENVIRONMENT
from harness import DEADLINE, WqTestCase, environment, wait_until

CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                       "clients")
NEEDED = ("celery", "boto3", "pycurl")


@unittest.skipUnless(all(map(importlib.util.find_spec, NEEDED)),
                     f"{sys.executable} has not all of {', '.join(NEEDED)}")
class CeleryTest(WqTestCase):

    ON_DISK = False

    def setUp(self):
        self.results = self.scratch()
        self.server = self.start(data=(
            os.path.join(self.scratch(), "data") if self.ON_DISK else None))
        self.environment = environment({
            **AWS_ENVIRONMENT, "RESULTS": self.results,
            "CELERY_BROKER": f"sqs://key:secret@127.0.0.1:{self.server.port}",
            "PYTHONDONTWRITEBYTECODE": "1"})

    def produce(self, first, end):
        subprocess.run(
            [sys.executable, os.path.join(CLIENTS, "tasks.py"), str(first),
             str(end)], env=self.environment, stdin=subprocess.DEVNULL,
            timeout=3 * DEADLINE, check=True)

    def work(self):
        """Start a worker, in a process group of its own."""
        log = os.path.join(self.results, f"log.{len(os.listdir(self.results))}")
        with open(log, "wb") as output:
            worker = subprocess.Popen(
                [sys.executable, "-m", "celery", "--app", "tasks", "worker",
                 "--concurrency", "2", "--without-gossip",
                 "--without-mingle", "--without-heartbeat", "--loglevel",
                 "WARNING"], cwd=CLIENTS,
                env=self.environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True)
        self.addCleanup(self.kill, worker)
        return worker

    @staticmethod
    def kill(worker):
        """End it and what it has started, at once."""
        try:
            os.killpg(worker.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        worker.wait()

    def numbers(self, kind):
        try:
            with open(os.path.join(self.results, kind),
                      encoding="ascii") as file:
                return [int(line) for line in file]
        except FileNotFoundError:
            return []

    def logs(self):
        text = ""
        for name in sorted(os.listdir(self.results)):
            if name.startswith("log."):
                with open(os.path.join(self.results, name),
                          encoding="utf-8", errors="replace") as file:
                    text += file.read()[-2000:]
        return text

    def wait_done(self, count):
        try:
            wait_until(lambda: len(set(self.numbers("done"))) >= count,
                       deadline=3 * DEADLINE, what="all tasks to be done")
            wait_until(lambda: self.counts() == (0, 0),
                       deadline=2 * DEADLINE, what="all to be deleted")
        except AssertionError as error:
            raise AssertionError(
                f"{error}: {len(set(self.numbers('done')))} of {count} "
                f"done, {self.counts()} left\n{self.logs()}") from None

    def counts(self):
        counts = self.server.request(
            "GET", "/queues/celery-work/info").json()["counts"]
        return counts["available"], counts["locked"]

    def test_tasks_that_fail_crash_or_lose_their_worker_are_all_done(self):
        worker = self.work()
        self.produce(0, 200)
        self.wait_done(200)
        self.assertEqual(sorted(self.numbers("done")), list(range(200)))
        self.assertEqual(len(self.numbers("retried")), 2 * 29)
        self.assertEqual(self.numbers("crashed"), [50])

        # What a killed worker held comes again, to another.
        self.assert_status(self.server.request(
            "PUT", "/queues/celery-work", b'{"lockTimeout": 3000}'), 200)
        self.produce(200, 300)
        wait_until(lambda: len(self.numbers("done")) > 200,
                   deadline=2 * DEADLINE, what="the first to go on")
        self.kill(worker)
        self.work()
        self.wait_done(300)
        self.assertEqual(sorted(set(self.numbers("done"))),
                         list(range(300)))
        self.assertEqual(self.numbers("damaged"), [])


class CeleryOnDiskTest(CeleryTest):
    ON_DISK = True


if __name__ == "__main__":
    unittest.main()
