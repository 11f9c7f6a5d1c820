"""The parts of a client of SQS that only actions on queues need: their lists
and maps in the Query protocol."""

import urllib.parse
import xml.etree.ElementTree as ElementTree

from sqs_client import (FORM_TYPE, NAMESPACE, JsonProtocol, QueryProtocol,
                        SqsTestCase)

REGION = "us-east-1"
ACCOUNT = "000000000000"

# How Query calls the items of a list; and the entries of a map and their keys.
ITEMS = {
    "AttributeNames": "AttributeName",
    "AWSAccountIds": "AWSAccountId",
    "Actions": "ActionName",
    "TagKeys": "TagKey",
}
MAPS = {
    "Attributes": ("Attribute", "Name"),
    "Tags": ("Tag", "Key"),
    "tags": ("Tag", "Key"),
}
# Results that are lists, by the element of each item.
LISTS = {
    "QueueUrl": {"ListQueues": "QueueUrls",
                 "ListDeadLetterSourceQueues": "queueUrls"},
    "ListMessageMoveTasksResultEntry": {"ListMessageMoveTasks": "Results"},
}
INTEGERS = {
    "ApproximateNumberOfMessagesMoved", "ApproximateNumberOfMessagesToMove",
    "MaxNumberOfMessagesPerSecond", "StartedTimestamp"}


def arn(name):
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def flatten(params):
    """The parameters as fields of a form."""
    for name, value in params.items():
        if name in ITEMS:
            for n, item in enumerate(value, 1):
                yield f"{ITEMS[name]}.{n}", item
        elif name in MAPS:
            entry, key_name = MAPS[name]
            for n, (key, content) in enumerate(value.items(), 1):
                yield f"{entry}.{n}.{key_name}", key
                yield f"{entry}.{n}.Value", content
        else:
            yield name, str(value)


def structure(element, action):
    """A result as JSON would have it."""
    result = {}
    for child in element:
        tag = child.tag.removeprefix(NAMESPACE)
        if action in LISTS.get(tag, ()):
            result.setdefault(LISTS[tag][action], []).append(
                structure(child, action) if len(child) else child.text)
        elif tag in ("Attribute", "Tag"):
            key = {"Attribute": "Name", "Tag": "Key"}[tag]
            result.setdefault(tag + "s", {})[
                child.findtext(NAMESPACE + key)] = child.findtext(
                    NAMESPACE + "Value")
        elif tag in INTEGERS:
            result[tag] = int(child.text)
        else:
            result[tag] = child.text or ""
    return result


class ManageJson(JsonProtocol):
    """AWS JSON 1.0."""


class ManageQuery(QueryProtocol):
    """A form, and XML."""

    @staticmethod
    def send(connection, action, params):
        fields = [("Action", action), ("Version", "2012-11-05"),
                  *flatten(params)]
        connection.send_request(
            "POST", "/", urllib.parse.urlencode(fields).encode(),
            {"Content-Type": FORM_TYPE})

    @staticmethod
    def read(response, action):
        QueryProtocol.read(response, action)    # raises what it is to raise
        result = ElementTree.fromstring(response.body).find(
            f"{NAMESPACE}{action}Result")
        return {} if result is None else structure(result, action)


class ManageTestCase(SqsTestCase):
    """Queues that go with the test that made them."""

    protocol = ManageJson

    def name(self, fifo=False):
        return f"m{next(self._numbers)}" + (".fifo" if fifo else "")

    def url(self, name):
        return f"http://wq.example/{ACCOUNT}/{name}"

    def create(self, name=None, **params):
        """Make a queue; its name."""
        name = name or self.name()
        if name.endswith(".fifo"):
            params["Attributes"] = {"FifoQueue": "true",
                                    **params.get("Attributes", {})}
        self.addCleanup(self.server.request, "DELETE", f"/queues/{name}")
        made = self.call("CreateQueue", QueueName=name, **params)
        self.assertEqual(made, {"QueueUrl": self.url(name)})
        return name

    def attributes(self, name, *names):
        return self.call(
            "GetQueueAttributes", QueueUrl=self.url(name),
            AttributeNames=list(names) or ["All"]).get("Attributes", {})

    def set(self, name, **attributes):
        return self.call("SetQueueAttributes", QueueUrl=self.url(name),
                         Attributes=attributes)

    def native(self, name):
        response = self.server.request("GET", f"/queues/{name}/info")
        self.assert_status(response, 200)
        return response.json()

    def push(self, name, body=b'"x"', query=""):
        response = self.server.request("POST", f"/queues/{name}{query}", body)
        self.assert_status(response, 201)
        return response.json()["messageID"]


def in_both(module, *groups):
    """A class of tests for each group, in each of the protocols."""
    for group in groups:
        for protocol in (ManageJson, ManageQuery):
            name = protocol.__name__.removeprefix("Manage") + group.__name__
            module[name] = type(name, (group, ManageTestCase), {
                "protocol": protocol, "__module__": module["__name__"],
                "__doc__": f"{group.__doc__}  {protocol.__doc__}"})
