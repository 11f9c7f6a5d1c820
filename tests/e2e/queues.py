"""A queue as its client sees it, for the tests about queues."""

import json
import urllib.parse

from harness import FreshServerTestCase, wait_until

LONG = "timeout=600000"         # a lock that no test outlives
WAIT = "wait=60000"             # the longest wait; nothing waits so long
NDJSON = {"Content-Type": "application/x-ndjson"}
WALL_SLACK_MS = 1000            # wall clocks may be set while a test runs


def ids(messages):
    return [message["id"] for message in messages]


def bodies(messages):
    return [message["body"] for message in messages]


def lines(*values):
    """The values as NDJSON."""
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


class Waiting:
    """A receive that was sent and is not answered yet."""

    def __init__(self, connection):
        self.connection = connection

    def response(self):
        return self.connection.read_response()

    def messages(self):
        response = self.response()
        if response.status != 200:
            raise AssertionError(f"a waiting receive: {response!r}")
        return response.json()["messages"]

    def is_silent(self, seconds):
        return self.connection.is_silent(seconds)


class Queue:
    """A queue of a server; without a name it is /."""

    def __init__(self, test, server, name=None):
        self.test = test
        self.server = server
        self.name = name or "default"
        self.path = f"/queues/{name}" if name else ""

    def target(self, rest="", query=""):
        path = self.path + rest or "/"
        return path + ("?" + query if query else "")

    def request(self, method, rest="", query="", body=None, headers=()):
        return self.server.request(
            method, self.target(rest, query), body, headers)

    def expect(self, statuses, method, rest="", query="", body=None,
               headers=()):
        """The answer, which has one of the statuses."""
        response = self.request(method, rest, query, body, headers)
        if response.status not in statuses:
            raise AssertionError(
                f"{method} {self.target(rest, query)}: {response!r}")
        return response

    # Messages

    def push(self, value=1, query="", headers=(), statuses=(201,)):
        """Push the value as JSON; the message's ID."""
        return self.expect(
            statuses, "POST", "", query, json.dumps(value).encode(),
            headers).json()["messageID"]

    def push_lines(self, *values, query=""):
        """Push all in one request; their IDs."""
        return self.expect((201,), "POST", "", query, lines(*values),
                           NDJSON).json()["messageIDs"]

    def receive(self, query=LONG):
        return self.expect((200,), "GET", "", query).json()["messages"]

    def receive_one(self, query=LONG):
        """The one message there is, with its details."""
        messages = self.receive("amount=1&details=true&" + query)
        self.test.assertEqual(len(messages), 1)
        return messages[0]

    def patch(self, message, query=""):
        return self.request("PATCH", f"/{message}", query)

    def confirm(self, message, query=""):
        self.expect((204,), "PATCH", f"/{message}", query)

    def give_back(self, message):
        self.confirm(message, "timeout=0")

    def look(self, message):
        """What GET /{id} says, or None where there is no such message."""
        response = self.expect((200, 404), "GET", f"/{message}")
        return response.json() if response.status == 200 else None

    def state(self, message):
        look = self.look(message)
        return look["state"] if look else None

    def peek(self, query=""):
        return self.expect((200,), "GET", "/peek", query).json()["messages"]

    def receive_and_wait(self, query="", wait=WAIT):
        """Send a receive that waits, and see that it does, or that it did
        not have to."""
        before = self.counts()["waiters"]
        connection = self.test.connection(self.server)
        connection.send_request(
            "GET", self.target("", "&".join(filter(None, (wait, query)))))
        wait_until(lambda: self.counts()["waiters"] > before
                   or not connection.is_silent(0),
                   what="a receiver to wait")
        return Waiting(connection)

    # The queue itself

    def configure(self, **settings):
        """PUT the settings; what the queue is set to now."""
        return self.expect((200, 201), "PUT", "", "",
                           json.dumps(settings).encode()).json()["settings"]

    def put(self, **settings):
        return self.request("PUT", "", "", json.dumps(settings).encode())

    def exists(self):
        return self.expect((200, 404), "GET", "/info").status == 200

    def info(self):
        return self.expect((200,), "GET", "/info").json()

    def settings(self):
        return self.info()["settings"]

    def totals(self):
        return self.info()["totals"]

    def counts(self):
        return self.info()["counts"]

    def count(self):
        """Available, locked and delayed messages."""
        counts = self.counts()
        return (counts["available"], counts["locked"], counts["delayed"])

    def post(self, verb, query=""):
        """purge, pause or resume."""
        self.expect((204,), "POST", "/" + verb, query)

    def redrive(self, query=""):
        return self.expect((200,), "POST", "/redrive",
                           query).json()["moved"]

    # Waiting for what time brings

    def wait_waiters(self, count):
        wait_until(lambda: self.counts()["waiters"] == count,
                   what=f"{count} receivers that wait")

    def wait_state(self, message, state):
        """None: it is gone."""
        wait_until(lambda: self.state(message) == state,
                   what=f"a message to be {state}")

    def wait_count(self, available, locked=0, delayed=0):
        wanted = (available, locked, delayed)
        wait_until(lambda: self.count() == wanted,
                   what=f"{wanted} available, locked, delayed")


class QueueTestCase(FreshServerTestCase):
    """One fresh server for each test, and queues of it."""

    def setUp(self):
        super().setUp()
        self.root = self.queue()

    def queue(self, name=None, **settings):
        """The queue of that name; it is made where there are settings."""
        queue = Queue(self, self.server, name)
        if settings:
            queue.configure(**settings)
        return queue

    def queue_names(self, query=""):
        return [entry["name"] for entry in self.list_queues(query)]

    def list_queues(self, query=""):
        response = self.server.request(
            "GET", "/queues" + ("?" + query if query else ""))
        self.assert_status(response, 200)
        return response.json()["queues"]

    def assert_waits(self, *waiting, seconds=0.15):
        """They are still not answered, and not soon either."""
        for one in waiting:
            self.assertTrue(one.is_silent(seconds), "it was answered")

    def assert_epoch_ms(self, value, before, after, plus=0):
        """value is an instant between the two, and so much later."""
        self.assertIsInstance(value, int)
        self.assertGreaterEqual(value, before + plus - WALL_SLACK_MS)
        self.assertLessEqual(value, after + plus + WALL_SLACK_MS)


def quote(text):
    return urllib.parse.quote(text, safe="")

