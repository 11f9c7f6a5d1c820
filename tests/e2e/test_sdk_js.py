"""The AWS SDK for JavaScript and sqs-consumer, unchanged, against wqd in
memory and on disk.

The tests themselves are in tests/clients, in JavaScript.  Each is counted
here: it has a method that waits until the run of all of them, which goes on
meanwhile, says how it went.
"""

import json
import os
import re
import shutil
import subprocess
import threading
import unittest

from harness import DEADLINE, WqTestCase, environment

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENTS = os.path.join(HERE, "..", "clients")
RUN = ("node", os.path.join(CLIENTS, "run.js"))


def packages():
    """Where tests/clients/install has put the npm packages; None where it
    was not run, or there is no Node."""
    if not shutil.which("node"):
        return None
    where = subprocess.run(
        [os.path.join(CLIENTS, "install"), "--where"], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    path = os.path.join(where.stdout.strip(), "node_modules")
    return path if os.path.isdir(path) else None


def node_environment(modules, **more):
    return environment({
        "NODE_PATH": modules, "NO_PROXY": "*",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", **more})


class Run:
    """All of the JavaScript, which runs by itself; what it has said."""

    def __init__(self, server, modules):
        self.condition = threading.Condition()
        self.results = {}
        self.ended = False
        self.process = subprocess.Popen(
            RUN, env=node_environment(
                modules, WQ_ENDPOINT=f"http://127.0.0.1:{server.port}"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, encoding="utf-8")
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        # Warnings of Node must not fill a pipe.
        self.errors = []
        self.drain = threading.Thread(
            target=lambda: self.errors.extend(self.process.stderr),
            daemon=True)
        self.drain.start()

    def _read(self):
        for line in self.process.stdout:
            with self.condition:
                try:
                    result = json.loads(line)
                    self.results[result["name"]] = result
                except (ValueError, KeyError, TypeError):
                    self.errors.append(line)
                self.condition.notify_all()
        with self.condition:
            self.ended = True
            self.condition.notify_all()

    def result(self, name):
        """How the test went, once it has gone."""
        with self.condition:
            self.condition.wait_for(
                lambda: name in self.results or self.ended, 10 * DEADLINE)
            return self.results.get(name)

    def said(self):
        self.drain.join(1)
        return "".join(self.errors)[-3000:]

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.thread.join(DEADLINE)
        self.drain.join(DEADLINE)
        self.process.stdout.close()
        self.process.stderr.close()


class JavaScriptTest(WqTestCase):
    """A server, and a run of all tests against it; without either the tests
    are skipped."""

    ON_DISK = False
    server = run_of_all = None

    @classmethod
    def setUpClass(cls):
        modules = packages()
        if modules is None:
            raise unittest.SkipTest(
                "node, and what tests/clients/install installs, is needed")
        cls.server = cls.start_for_all(on_disk=cls.ON_DISK)
        cls.run_of_all = Run(cls.server, modules)
        cls.addClassCleanup(cls.run_of_all.stop)

    def check(self, name):
        result = self.run_of_all.result(name)
        if result is None:
            self.fail(f"nothing was said of it; {self.run_of_all.said()}")
        if result["trouble"] is not None:
            self.fail(result["trouble"])


def method(name):
    def check(self):
        self.check(name)
    return check


def methods():
    """A test method for each test there is in JavaScript."""
    modules = packages()
    if modules is None:
        return {"test_all_of_them": method("")}
    listed = json.loads(subprocess.run(
        [*RUN, "--list"], env=node_environment(modules), check=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout)
    return {"test_" + re.sub(r"\W+", "_", name).strip("_"): method(name)
            for name in listed}


METHODS = methods()
MemoryTest = type("MemoryTest", (JavaScriptTest,), dict(METHODS))
DiskTest = type("DiskTest", (JavaScriptTest,), {**METHODS, "ON_DISK": True})
del JavaScriptTest      # no tests of its own

if __name__ == "__main__":
    unittest.main()
