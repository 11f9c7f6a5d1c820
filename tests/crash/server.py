"""A wqd on a data directory, which is killed and started again."""

import json
import os
import re
import signal
import subprocess
import time

from client import Client, Died

START_DEADLINE = 60.0


def environment(extra=None):
    """Ours, without what wqd or a shim would take from it."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("PORT", "LD_PRELOAD")
           and not name.startswith("WQ_")}
    env.update(extra or {})
    return env


class Server:
    """options: more of them; env: for a shim, say."""

    def __init__(self, wqd, directory, log_path, options=(), env=None):
        self.wqd = wqd
        self.directory = directory
        self.log_path = log_path
        self.options = list(options)
        self.env = env or {}
        self.process = None
        self.port = None

    def launch(self, env=None):
        """Start it, and wait for nothing."""
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [self.wqd, "-l", "127.0.0.1", "-p", "0", "--data",
                 self.directory, *self.options],
                env=environment({**self.env, **(env or {})}),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.port = None

    def log(self):
        with open(self.log_path, "rb") as log:
            return log.read().decode("utf-8", "backslashreplace")

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def find_port(self):
        """The port; None once the process has ended."""
        end = time.monotonic() + START_DEADLINE
        while time.monotonic() < end:
            match = re.search(r"http: listening address=\S+ port=(\d+)",
                              self.log())
            if match:
                self.port = int(match[1])
                return self.port
            if not self.is_alive():
                return None
            time.sleep(0.003)
        raise AssertionError(f"wqd does not listen:\n{self.log()}")

    def wait_ready(self):
        """True once /ready is 200; false where the process has ended."""
        if self.port is None and self.find_port() is None:
            return False
        end = time.monotonic() + START_DEADLINE
        while time.monotonic() < end:
            try:
                if self.get("/ready").status == 200:
                    return True
            except Died:
                if not self.is_alive():
                    return False
            time.sleep(0.003)
        raise AssertionError(f"wqd is not ready:\n{self.log()}")

    def start(self, env=None):
        self.launch(env)
        return self.wait_ready()

    def connect(self):
        return Client(self.port)

    def request(self, method, target, body=None, headers=""):
        client = self.connect()
        try:
            return client.request(method, target, body, headers)
        finally:
            client.close()

    def get(self, target):
        return self.request("GET", target)

    def put(self, queue, **settings):
        answer = self.request("PUT", f"/queues/{queue}",
                              json.dumps(settings).encode())
        if answer.status not in (200, 201):
            raise AssertionError(f"PUT {queue}: {answer}")
        return answer

    def kill(self):
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            return self.process.wait()
        return None

    def stop(self):
        """SIGTERM; its exit status."""
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(START_DEADLINE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"wqd did not end:\n{self.log()[-3000:]}") from None
