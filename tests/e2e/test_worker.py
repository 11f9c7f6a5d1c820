"""A worker as a user would write it: a shell loop of curl and jq."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import DEADLINE, WqTestCase, environment

TOTAL = 1000

PRODUCER = r"""
number=1
while [ "$number" -le "$TOTAL" ]; do
	curl -q -fsS --data "{\"number\": $number}" "$URL/" >>pushed || exit 1
	echo >>pushed
	number=$((number + 1))
done
"""

# It drops one message in ten the first time, as a worker that crashes
# would; the lock runs out, and the message comes again.
WORKER = r"""
touch confirmed
confirmed=0
while [ "$confirmed" -lt "$TOTAL" ]; do
	curl -q -fsS "$URL/?amount=10&timeout=$TIMEOUT" |
	    jq -r '.messages[] | "\(.id) \(.body.number)"' >batch || exit 1
	while read -r id number; do
		if [ $((number % 10)) -eq 0 ] && [ ! -e "dropped.$number" ]
		then
			: >"dropped.$number"
			continue
		fi
		status=$(curl -q -sS -o answer -w '%{http_code}' \
		    -X PATCH "$URL/$id") || exit 1
		case $status in
		204)
			echo "$number" >>confirmed
			confirmed=$((confirmed + 1))
			;;
		404)
			echo "$number" >>late
			;;
		*)
			echo "confirm: $status" >&2
			exit 1
			;;
		esac
	done <batch
done
"""


@unittest.skipUnless(shutil.which("curl") and shutil.which("jq"),
                     "curl and jq are needed")
class WorkerTest(WqTestCase):

    def run_script(self, script, directory, server):
        process = subprocess.Popen(
            ["/bin/sh", "-c", script], cwd=directory,
            env=environment({
                "URL": f"http://127.0.0.1:{server.port}",
                "TOTAL": str(TOTAL), "TIMEOUT": "2000", "NO_PROXY": "*"}),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stderr.close()
        self.addCleanup(end)
        return process

    def test_shell_worker_processes_1000_messages_while_locks_expire(self):
        server = self.start()
        directory = tempfile.mkdtemp(prefix="wq")
        self.addCleanup(shutil.rmtree, directory)
        producer = self.run_script(PRODUCER, directory, server)
        worker = self.run_script(WORKER, directory, server)

        end = time.monotonic() + 20 * DEADLINE
        for name, process in (("producer", producer), ("worker", worker)):
            try:
                _, errors = process.communicate(
                    timeout=max(1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.fail(f"the {name} does not end; {server.info()}")
            self.assertEqual(process.returncode, 0, f"{name}: {errors}")

        with open(os.path.join(directory, "confirmed"),
                  encoding="ascii") as file:
            confirmed = sorted(int(line) for line in file)
        self.assertEqual(confirmed, list(range(1, TOTAL + 1)))
        info = server.info()
        self.assertEqual(info["totals"]["pushed"], TOTAL)
        self.assertEqual(info["totals"]["confirmed"], TOTAL)
        self.assertGreaterEqual(info["totals"]["expired"], TOTAL // 10)
        self.assertEqual(
            (info["counts"]["available"], info["counts"]["locked"]), (0, 0))


if __name__ == "__main__":
    unittest.main()
