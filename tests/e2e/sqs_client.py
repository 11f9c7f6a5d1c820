"""A client of SQS that speaks both protocols with the same words, for the
tests about it: parameters and results are as the JSON protocol has them, and
what the Query protocol sends is checked to be as well formed as it must be."""

import itertools
import json
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree

from harness import SharedServerTestCase

JSON_TYPE = "application/x-amz-json-1.0"
FORM_TYPE = "application/x-www-form-urlencoded"
NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"
ACCOUNT = "000000000000"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# How the Query protocol calls the items of a list, and the parts of a map.
ITEMS = {
    "AttributeNames": "AttributeName",
    "MessageAttributeNames": "MessageAttributeName",
    "MessageSystemAttributeNames": "MessageSystemAttributeName",
}
MAPS = {
    "MessageAttributes": "MessageAttribute",
    "MessageSystemAttributes": "MessageSystemAttribute",
}


def text(value, kind="String"):
    """A message attribute that is text."""
    return {"DataType": kind, "StringValue": value}


def binary(base64, kind="Binary"):
    return {"DataType": kind, "BinaryValue": base64}


class SqsError(Exception):
    """An answer that is an error."""

    def __init__(self, response, code, message, is_sender):
        super().__init__(f"{response.status} {code}: {message}")
        self.response = response
        self.status = response.status
        self.code = code            # as the Query protocol has it
        self.message = message
        self.is_sender = is_sender


def _flatten(action, params, before=""):
    """The parameters as fields of a form."""
    for name, value in params.items():
        if name == "Entries":
            for n, entry in enumerate(value, 1):
                yield from _flatten(
                    action, entry, f"{before}{action}RequestEntry.{n}.")
        elif name in ITEMS:
            for n, item in enumerate(value, 1):
                yield f"{before}{ITEMS[name]}.{n}", item
        elif name in MAPS:
            for n, (key, fields) in enumerate(value.items(), 1):
                start = f"{before}{MAPS[name]}.{n}."
                yield start + "Name", key
                for field, content in fields.items():
                    yield start + "Value." + field, content
        else:
            yield before + name, str(value)


def _structure(element):
    """An element of an answer as JSON would have it."""
    result = {}
    for child in element:
        tag = child.tag.removeprefix(NAMESPACE)
        if tag == "Message" and len(child):
            result.setdefault("Messages", []).append(_structure(child))
        elif tag == "Attribute":
            result.setdefault("Attributes", {})[
                child.findtext(NAMESPACE + "Name")] = child.findtext(
                    NAMESPACE + "Value")
        elif tag == "MessageAttribute":
            result.setdefault("MessageAttributes", {})[
                child.findtext(NAMESPACE + "Name")] = _structure(
                    child.find(NAMESPACE + "Value"))
        elif tag == "BatchResultErrorEntry":
            entry = _structure(child)
            entry["SenderFault"] = entry["SenderFault"] == "true"
            result.setdefault("Failed", []).append(entry)
        elif tag.endswith("ResultEntry"):
            result.setdefault("Successful", []).append(_structure(child))
        else:
            result[tag] = child.text or ""
    return result


class JsonProtocol:
    """AWS JSON 1.0."""

    @staticmethod
    def send(connection, action, params):
        connection.send_request("POST", "/", json.dumps(params).encode(), {
            "Content-Type": JSON_TYPE,
            "X-Amz-Target": f"AmazonSQS.{action}"})

    @staticmethod
    def read(response, action):
        if not UUID.fullmatch(response.header("x-amzn-RequestId") or ""):
            raise AssertionError(f"{action}: no request id in {response!r}")
        result = json.loads(response.body) if response.body else {}
        if response.header("Content-Type") != JSON_TYPE and response.body:
            raise AssertionError(f"{action}: {response!r}")
        if response.status == 200:
            return result
        if set(result) != {"__type", "message"}:
            raise AssertionError(f"{action}: {response!r}")
        code, _, fault = response.header("x-amzn-query-error").partition(";")
        raise SqsError(response, code, result["message"], fault == "Sender")


class QueryProtocol:
    """A form, and XML."""

    @staticmethod
    def send(connection, action, params):
        fields = {"Action": action, "Version": "2012-11-05"}
        fields.update(_flatten(action, params))
        connection.send_request(
            "POST", "/", urllib.parse.urlencode(fields).encode(),
            {"Content-Type": FORM_TYPE})

    @staticmethod
    def read(response, action):
        if response.header("Content-Type") != "text/xml":
            raise AssertionError(f"{action}: {response!r}")
        root = ElementTree.fromstring(response.body)
        if response.status == 200:
            metadata = root.find(NAMESPACE + "ResponseMetadata")
            request_id = metadata.findtext(NAMESPACE + "RequestId")
        else:
            request_id = root.findtext(NAMESPACE + "RequestId")
        if not UUID.fullmatch(request_id) or response.header(
                "x-amzn-RequestId") != request_id:
            raise AssertionError(f"{action}: no request id in {response!r}")
        if response.status != 200:
            error = root.find(NAMESPACE + "Error")
            raise SqsError(
                response, error.findtext(NAMESPACE + "Code"),
                error.findtext(NAMESPACE + "Message"),
                error.findtext(NAMESPACE + "Type") == "Sender")
        if root.tag != f"{NAMESPACE}{action}Response":
            raise AssertionError(f"{action}: {response!r}")
        result = root.find(f"{NAMESPACE}{action}Result")
        return {} if result is None else _structure(result)


class SqsQueue:
    """A queue that is spoken to over SQS, and natively where that tells
    more."""

    def __init__(self, test, name, settings):
        self.test = test
        self.name = name
        self.url = f"http://wq.example/{ACCOUNT}/{name}"
        self.settings = {"lockTimeout": 30000, **settings}
        self.native("PUT", "", self.settings)

    def native(self, method, rest="", body=None):
        response = self.test.server.request(
            method, f"/queues/{self.name}{rest}",
            None if body is None else json.dumps(body).encode())
        if response.status >= 300:
            raise AssertionError(f"{method} {self.name}{rest}: {response!r}")
        return response

    def call(self, action, **params):
        return self.test.call(action, QueueUrl=self.url, **params)

    def send(self, body="hello", **params):
        return self.call("SendMessage", MessageBody=body, **params)

    def receive(self, **params):
        """The messages that were received."""
        return self.call("ReceiveMessage", **params).get("Messages", [])

    def receive_one(self, **params):
        messages = self.receive(**params)
        self.test.assertEqual(len(messages), 1)
        return messages[0]

    def handle(self, **params):
        return self.receive_one(**params)["ReceiptHandle"]

    def delete(self, handle):
        return self.call("DeleteMessage", ReceiptHandle=handle)

    def change(self, handle, seconds):
        return self.call("ChangeMessageVisibility", ReceiptHandle=handle,
                         VisibilityTimeout=seconds)

    def counts(self):
        return self.native("GET", "/info").json()["counts"]


class SqsTestCase(SharedServerTestCase):
    """Tests in one of the protocols; a queue of its own for each."""

    protocol = JsonProtocol
    _numbers = itertools.count(1)

    def queue(self, fifo=False, **settings):
        name = f"q{next(self._numbers)}" + (".fifo" if fifo else "")
        queue = SqsQueue(self, name, settings)
        self.addCleanup(queue.native, "DELETE")
        return queue

    def begin(self, action, **params):
        """Send a request; what reads its answer."""
        connection = self.connection(self.server)
        self.protocol.send(connection, action, params)

        def end():
            return self.protocol.read(
                connection.read_response("POST"), action)
        end.connection = connection
        return end

    def call(self, action, **params):
        end = self.begin(action, **params)
        try:
            return end()
        finally:
            end.connection.close()

    def assert_error(self, code, pattern, function, *args, status=400,
                     **params):
        """The call fails with that code, and its message matches."""
        with self.assertRaises(SqsError) as caught:
            function(*args, **params)
        error = caught.exception
        self.assertEqual(error.code, code, error.message)
        self.assertEqual(error.status, status)
        self.assertEqual(error.is_sender, status < 500)
        self.assertRegex(error.message, pattern)
        return error

    def assert_failed(self, result, number, code, pattern):
        """That entry of a batch failed so."""
        entry = result["Failed"][number]
        self.assertEqual(entry["Code"], code, entry["Message"])
        self.assertIs(entry["SenderFault"], True)
        self.assertRegex(entry["Message"], pattern)
        return entry["Id"]
