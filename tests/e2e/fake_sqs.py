"""A server of SQS's JSON protocol that does what a test wants.

It knows the actions that wq-bench uses, and one queue, and remembers each
request.  A test that wants a server with a fault gives it a twist, which is
called with the action and its output before that is answered, and may change
it.
"""

import http.server
import json
import sys
import threading

URL = "http://localhost/000000000000/"


class Refusal(Exception):
    """What a twist raises for an answer with status 400."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = self.server.fake.answer(self.path, self.headers,
                                                 body)
        head = (f"HTTP/1.1 {status} Fake\r\n"
                "Content-Type: application/x-amz-json-1.0\r\n"
                f"Content-Length: {len(answer)}\r\n\r\n")
        self.wfile.write(head.encode() + answer)


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128    # connections that come at once
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client may end without a word; an error of ours is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class FakeSqs:
    """One queue without locks: what was received is there no more."""

    def __init__(self, twist=None, dumps=json.dumps):
        self.requests = []      # (action, headers, input) of each
        self.ready = []         # bodies
        self._twist = twist
        self._dumps = dumps
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever,
                                        args=(0.02,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def inputs(self, action):
        return [given for what, _, given in self.requests if what == action]

    def answer(self, path, headers, body):
        service, action = headers["X-Amz-Target"].split(".")
        given = json.loads(body)
        with self._lock:
            self.requests.append((action, headers, given))
            try:
                assert (path, service) == ("/", "AmazonSQS")
                output = getattr(self, "_" + action)(**given)
                if self._twist is not None:
                    output = self._twist(action, output)
                status = 200
            except Refusal as refusal:
                status, output = 400, {"__type": str(refusal)}
        return status, self._dumps(output).encode() if output else b""

    @staticmethod
    def _CreateQueue(QueueName):
        return {"QueueUrl": URL + QueueName}

    def _SendMessage(self, QueueUrl, MessageBody):
        self.ready.append(MessageBody)
        return {"MD5OfMessageBody": "0" * 32, "MessageId": "m"}

    def _SendMessageBatch(self, QueueUrl, Entries):
        self.ready += [entry["MessageBody"] for entry in Entries]
        return self._successful(Entries)

    def _ReceiveMessage(self, QueueUrl, MaxNumberOfMessages,
                        VisibilityTimeout=30):
        taken = self.ready[:MaxNumberOfMessages]
        del self.ready[:MaxNumberOfMessages]
        messages = [{"MessageId": "m", "ReceiptHandle": 'a "receipt"\\',
                     "Body": body} for body in taken]
        return {"Messages": messages} if messages else {"Other": [{}]}

    @staticmethod
    def _DeleteMessage(QueueUrl, ReceiptHandle):
        assert ReceiptHandle == 'a "receipt"\\'
        return {}

    def _DeleteMessageBatch(self, QueueUrl, Entries):
        for entry in Entries:
            self._DeleteMessage(QueueUrl, entry["ReceiptHandle"])
        return self._successful(Entries)

    @staticmethod
    def _successful(entries):
        assert len({entry["Id"] for entry in entries}) == len(entries)
        return {"Successful": [{"Id": entry["Id"]} for entry in entries],
                "Failed": []}
