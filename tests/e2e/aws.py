"""What the tests with boto3 and the aws CLI stand on."""

import functools
import hashlib
import itertools
import json
import struct
import sys
import unittest

from harness import DEADLINE, WqTestCase, wait_until

try:
    import boto3
    import botocore.config
    import botocore.exceptions
except ImportError:
    boto3 = None

ACCOUNT = "000000000000"
REGION = "us-east-1"
PREFIX = "AWS.SimpleQueueService."

# Nothing but the arguments says where to go and as whom.
AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": REGION, "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
    "AWS_PAGER": "", "NO_PROXY": "*"}


def on_both_stores(case):
    """The class of tests once more, on disk."""
    on_disk = type(case.__name__ + "OnDisk", (case,), {
        "ON_DISK": True, "__module__": case.__module__,
        "__doc__": case.__doc__})
    setattr(sys.modules[case.__module__], on_disk.__name__, on_disk)
    return case


@functools.lru_cache
def session():
    """One for all, for it takes a while to read what it knows of SQS."""
    return boto3.session.Session(
        aws_access_key_id="key", aws_secret_access_key="secret",
        region_name=REGION)


def md5(data):
    if isinstance(data, str):
        data = data.encode()
    return hashlib.md5(data).hexdigest()


def md5_attributes(attributes):
    """The digest of message attributes as the developer guide has it."""
    def packed(value):
        data = value.encode() if isinstance(value, str) else value
        return struct.pack(">I", len(data)) + data
    whole = b""
    for name in sorted(attributes):
        kind = attributes[name]["DataType"]
        binary = kind.split(".")[0] == "Binary"
        whole += packed(name) + packed(kind) + (b"\2" if binary else b"\1")
        whole += packed(attributes[name][
            "BinaryValue" if binary else "StringValue"])
    return md5(whole)


def text(value, kind="String"):
    return {"DataType": kind, "StringValue": value}


def bodies(messages):
    return [message["Body"] for message in messages]


class Queue:
    """A queue as boto3 sees it."""

    def __init__(self, test, name, url):
        self.test = test
        self.name = name
        self.url = url
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def call(self, verb, **arguments):
        return getattr(self.test.client, verb)(
            QueueUrl=self.url, **arguments)

    def send(self, body, **more):
        return self.call("send_message", MessageBody=body, **more)

    def receive(self, **more):
        return self.call("receive_message", **more).get("Messages", [])

    def one(self, **more):
        """The next message, also where it takes a while."""
        messages = self.receive(**{"WaitTimeSeconds": 20, **more})
        self.test.assertEqual(len(messages), 1)
        return messages[0]

    def delete(self, message):
        return self.call("delete_message",
                         ReceiptHandle=message["ReceiptHandle"])

    def change(self, message, seconds):
        return self.call("change_message_visibility",
                         ReceiptHandle=message["ReceiptHandle"],
                         VisibilityTimeout=seconds)

    def get(self, *names):
        return self.call("get_queue_attributes",
                         AttributeNames=names or ["All"]
                         ).get("Attributes", {})

    def set(self, **attributes):
        return self.call("set_queue_attributes", Attributes=attributes)

    def counts(self):
        """Visible messages, in flight, delayed."""
        found = self.get()
        return tuple(int(found["ApproximateNumberOfMessages" + state])
                     for state in ("", "NotVisible", "Delayed"))

    def wait_counts(self, *wanted):
        wait_until(lambda: self.counts() == wanted,
                   what=f"counts {wanted} of {self.name}")

    def redrive(self, count=1):
        """The policy with which dead letters of others come here."""
        return json.dumps({"deadLetterTargetArn": self.arn,
                           "maxReceiveCount": count})


class AwsTestCase(WqTestCase):
    """A server for each class, in memory or on disk."""

    ON_DISK = False
    OPTIONS = ()
    server = client = None
    numbers = itertools.count(1)

    @classmethod
    def setUpClass(cls):
        if boto3 is None:
            raise unittest.SkipTest(f"{sys.executable} has no boto3")
        cls.server = cls.start_for_all(*cls.OPTIONS, on_disk=cls.ON_DISK)
        cls.endpoint = f"http://127.0.0.1:{cls.server.port}"
        cls.client = cls.new_client(cls.endpoint)
        # One that sends whatever it is given.
        cls.loose = cls.new_client(cls.endpoint, parameter_validation=False)

    @staticmethod
    def new_client(endpoint, **config):
        return session().client(
            "sqs", endpoint_url=endpoint, config=botocore.config.Config(
                retries={"max_attempts": 0}, read_timeout=DEADLINE,
                proxies={}, **config))

    def new_name(self, end=""):
        return f"queue-{next(self.numbers)}{end}"

    def new_queue(self, tags=None, **attributes):
        name = self.new_name(".fifo" if "FifoQueue" in attributes else "")
        url = self.client.create_queue(
            QueueName=name, Attributes=attributes,
            **({"tags": tags} if tags else {}))["QueueUrl"]
        return Queue(self, name, url)

    def new_fifo(self, **attributes):
        return self.new_queue(FifoQueue="true", **attributes)

    def new_pair(self, count=1, **attributes):
        """A queue whose dead letters go to another: both."""
        kind = {"FifoQueue": "true"} if "FifoQueue" in attributes else {}
        letters = self.new_queue(**kind)
        return self.new_queue(RedrivePolicy=letters.redrive(count),
                              **attributes), letters

    def assert_fails(self, codes, status, pattern, call, *args, **kwargs):
        """The call fails with one of the codes, that status, and a message
        in which the pattern is."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(*args, **kwargs)
        answer = caught.exception.response
        codes = (codes,) if isinstance(codes, str) else codes
        self.assertIn(answer["Error"]["Code"], codes, answer)
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"],
                         status, answer)
        self.assertRegex(answer["Error"]["Message"], pattern or ".")
        self.assertTrue(answer["ResponseMetadata"]["RequestId"])
        self.assertEqual(answer["Error"].get("Type"), "Sender", answer)
        return caught.exception

    def assert_invalid(self, pattern, call, *args, **kwargs):
        return self.assert_fails("InvalidParameterValue", 400, pattern,
                                 call, *args, **kwargs)
