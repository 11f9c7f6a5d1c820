#!/usr/bin/env python3
"""Run the end-to-end tests: all, or those that are named.

usage: run.py [-h] [-k SUBSTRING] [--jobs 1] [NAME ...]

A NAME is a file (test_calls.py), a module (test_calls) or what is in one
(test_calls.ReceiveTest.test_confirm_after_expiry_is_404).  There is a line
for each test, and at the end "N passed, N failed, N skipped"; the exit
status is 1 if any failed.  WQD in the environment is the program to test.
"""

import argparse
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import harness  # noqa: E402  (found through the line above)


class Result(unittest.TestResult):
    """Prints a line when a test is over, and what went wrong with it."""

    def __init__(self):
        super().__init__()
        self.passed = self.failed = self.skips = 0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        self.troubles = []
        self.reason = None
        self.current = test

    def stopTest(self, test):
        took = time.monotonic() - self.began
        if self.troubles:
            self.failed += 1
            verdict = "FAIL"
        elif self.reason is not None:
            self.skips += 1
            verdict = "skip"
        else:
            self.passed += 1
            verdict = "ok"
        note = f": {self.reason}" if verdict == "skip" else ""
        print(f"{verdict:4} {took:7.2f}s {test.id()}{note}", flush=True)
        self._print(self.troubles)
        self.current = None
        super().stopTest(test)

    current = None

    @staticmethod
    def _print(troubles):
        for trouble in troubles:
            for line in trouble.rstrip().splitlines():
                print(f"     {line}", flush=True)

    def _trouble(self, test, text):
        if self.current is not None:
            self.troubles.append(text)
            return
        # A class or a module that could not be set up or taken down.
        self.failed += 1
        print(f"FAIL         {test.id()}", flush=True)
        self._print([text])

    def addError(self, test, err):
        super().addError(test, err)
        self._trouble(test, self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._trouble(test, self.failures[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            kind = (self.failures if issubclass(err[0], test.failureException)
                    else self.errors)
            self._trouble(test, f"{subtest._subDescription()}\n"
                          + kind[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        if self.current is not None:
            self.reason = reason
            return
        self.skips += 1
        print(f"skip         {test.id()}: {reason}", flush=True)


def flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def main():
    parser = argparse.ArgumentParser(
        description="Run the end-to-end tests of wqd.")
    parser.add_argument("-k", metavar="SUBSTRING", default="",
                        help="only tests whose full name contains it")
    parser.add_argument("--jobs", type=int, choices=[1], default=1,
                        help="how many at a time; only 1 for now")
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="a file, a module, or a test in one")
    arguments = parser.parse_args()

    if not os.access(harness.WQD, os.X_OK):
        print(f"run.py: {harness.WQD} is not there: build it, or name "
              "another in WQD", file=sys.stderr)
        return 2
    names = [os.path.basename(name)[:-3] if name.endswith(".py") else name
             for name in arguments.names]
    if not names:
        names = sorted(file[:-3] for file in os.listdir(HERE)
                       if file.startswith("test_") and file.endswith(".py"))
    loaded = unittest.defaultTestLoader.loadTestsFromNames(names)
    # Still a suite, which sets up and takes down each class.  A module
    # that could not be imported is a test too, one that fails.
    suite = unittest.TestSuite(test for test in flatten(loaded)
                               if arguments.k in test.id()
                               or "_FailedTest" in test.id())
    if suite.countTestCases() == 0:
        print("run.py: no such test", file=sys.stderr)
        return 2
    result = Result()
    try:
        suite.run(result)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        result.failed += 1
    print(f"{result.passed} passed, {result.failed} failed, "
          f"{result.skips} skipped")
    return 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main())
