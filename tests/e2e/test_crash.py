"""What was acknowledged survives death, a loss of power and a bad disk.

A few rounds of what scripts/crash does as often as is asked.
"""

import os
import sys
import unittest

import harness

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "crash"))

# pylint: disable=wrong-import-position
import crash  # noqa: E402
from faults import Faults  # noqa: E402

SEED = int(os.environ.get("CRASH_SEED", "1"))


class CrashTest(unittest.TestCase):
    def rounds(self, count, mode, shim=None, **options):
        """The rounds, with what was said on the way."""
        said = []
        with crash.Rounds(harness.WQD, SEED, mode, shim=shim,
                          say=said.append, **options) as rounds:
            good = rounds.run(count)
        return good, "\n".join(said)

    def shim(self, name):
        if harness.sanitized():
            self.skipTest("a sanitizer must be loaded before any library")
        path = crash.shim(harness.WQD, name)
        if not os.path.exists(path):
            self.skipTest(f"{path} is not built; make check does it")
        return path

    def test_death_takes_nothing_that_was_acknowledged(self):
        good, said = self.rounds(8, "kill")
        self.assertTrue(good, said)

    def test_with_sync_locks_death_takes_no_lock(self):
        good, said = self.rounds(4, "kill", sync_locks=True)
        self.assertTrue(good, said)

    def test_power_loss_takes_nothing_that_was_acknowledged(self):
        good, said = self.rounds(12, "power", self.shim("powerloss"))
        self.assertTrue(good, said)

    def test_power_loss_takes_something_with_sync_normal(self):
        """So these tests would see it."""
        good, said = self.rounds(24, "power", self.shim("powerloss"),
                                 sync="normal")
        self.assertFalse(good, said)
        self.assertRegex(said, "it is lost|and is back")

    def test_power_loss_at_a_first_start_does_no_harm(self):
        complaints = crash.births(harness.WQD, self.shim("powerloss"),
                                  say=lambda text: None, step=5)
        self.assertEqual(complaints, [])


class FaultTest(unittest.TestCase):
    def faults(self, step):
        shim = CrashTest.shim(self, "faults")
        faults = Faults(harness.WQD, shim, lambda text: None, step)
        self.addCleanup(faults.__exit__)
        return faults

    def assert_none(self, complaints):
        self.assertFalse(complaints, "\n".join(complaints[:crash.SHOWN]))

    def test_full_disk_lets_confirms_through_and_heals(self):
        self.assert_none(self.faults(1).full())

    def test_start_on_a_full_disk_lets_confirms_through(self):
        self.assert_none(self.faults(1).full_start())

    def test_small_file_system_that_fills_up(self):
        complaints = self.faults(1).small_file_system()
        if complaints is None:
            self.skipTest("a file system cannot be mounted here")
        self.assert_none(complaints)

    def test_failed_calls_break_no_promise(self):
        self.assert_none(self.faults(11).each_call(
            ("sync", "open", "unlink", "allocate", "truncate"),
            lasting=False))

    def test_failed_writes_break_no_promise(self):
        self.assert_none(self.faults(7).each_call(("write",),
                                                  lasting=False))
