"""A small and fast HTTP client; it knows that a server may die."""

import json
import socket
import time

DEADLINE = 60.0         # seconds for any answer
NDJSON = "Content-Type: application/x-ndjson\r\n"


class Died(Exception):
    """The server is gone before its answer was here."""


def now_ms():
    """Wall time, as the server's answers have it, but finer."""
    return time.time() * 1000


class Answer:
    """One answer, with when its request was sent and when it was here."""

    __slots__ = ("sent", "at", "status", "headers", "body")

    def __init__(self, sent, at, status, headers, body):
        self.sent = sent
        self.at = at
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Client:
    def __init__(self, port):
        try:
            self.sock = socket.create_connection(("127.0.0.1", port), DEADLINE)
        except OSError as error:
            raise Died(str(error)) from None
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb", 65536)

    def close(self):
        self.file.close()
        self.sock.close()

    def request(self, method, target, body=None, headers=""):
        """The answer; Died where none came whole."""
        head = f"{method} {target} HTTP/1.1\r\nHost: wq\r\n{headers}"
        if body is not None:
            head += f"Content-Length: {len(body)}\r\n"
        sent = now_ms()
        try:
            self.sock.sendall(head.encode() + b"\r\n" + (body or b""))
            status, fields, data = self._read()
        except OSError as error:
            raise Died(str(error)) from None
        return Answer(sent, now_ms(), status, fields, data)

    def _read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise Died("closed")
        status = int(line.split(b" ", 2)[1])
        fields = {}
        while (line := self.file.readline()) != b"\r\n":
            if not line.endswith(b"\r\n"):
                raise Died("closed")
            name, _, value = line.partition(b":")
            fields[name.decode().lower()] = value.strip().decode()
        length = int(fields.get("content-length", "0"))
        data = self.file.read(length) if length else b""
        if len(data) < length:
            raise Died("closed")
        return status, fields, data
