"""The aws CLI, which in Debian's version speaks the Query protocol."""

import importlib.util
import json
import os
import subprocess
import sys
import unittest

from aws import ACCOUNT, AWS_ENVIRONMENT, REGION, md5, md5_attributes
from harness import DEADLINE, WqTestCase, environment, wait_until

DRIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                      "clients", "cli.py")


class CliTest(WqTestCase):
    """One server and one CLI for each class."""

    ON_DISK = False
    server = cli = None
    count = 0

    @classmethod
    def setUpClass(cls):
        if importlib.util.find_spec("awscli") is None:
            raise unittest.SkipTest(f"{sys.executable} has no awscli")
        cls.server = cls.start_for_all(on_disk=cls.ON_DISK)
        cls.endpoint = f"http://127.0.0.1:{cls.server.port}"
        cls.cli = subprocess.Popen(
            [sys.executable, DRIVER], env=environment(AWS_ENVIRONMENT),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            encoding="utf-8")
        cls.addClassCleanup(cls.end_cli)

    @classmethod
    def end_cli(cls):
        cls.cli.stdin.close()
        try:
            cls.cli.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            cls.cli.kill()
            cls.cli.wait()
        cls.cli.stdout.close()

    def run_cli(self, verb, *arguments):
        command = ["sqs", verb, "--endpoint-url", self.endpoint,
                   "--region", REGION, "--output", "json"]
        for argument in arguments:
            command.append(argument if isinstance(argument, str)
                           else json.dumps(argument))
        self.cli.stdin.write(json.dumps(command) + "\n")
        self.cli.stdin.flush()
        line = self.cli.stdout.readline()
        self.assertTrue(line, "the CLI has ended")
        return json.loads(line)

    def sqs(self, verb, *arguments):
        """What the call prints; it must succeed."""
        result = self.run_cli(verb, *arguments)
        self.assertEqual(result["status"], 0, result)
        return json.loads(result["out"]) if result["out"].strip() else {}

    def fails(self, code, verb, *arguments):
        result = self.run_cli(verb, *arguments)
        self.assertNotEqual(result["status"], 0, result)
        self.assertIn(f"An error occurred ({code}) when calling",
                      result["err"])

    def queue(self, *more, end=""):
        """A new queue: as arguments that name it, and its ARN."""
        CliTest.count += 1
        name = f"queue-{CliTest.count}{end}"
        url = self.sqs("create-queue", "--queue-name", name,
                       *more)["QueueUrl"]
        self.assertEqual(url, f"{self.endpoint}/{ACCOUNT}/{name}")
        return ("--queue-url", url), f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def receive(self, queue, *more):
        return self.sqs("receive-message", *queue, "--wait-time-seconds",
                        "5", *more).get("Messages", [])

    def test_command_lists_queues_by_itself(self):
        queue, _ = self.queue()
        answer = subprocess.run(
            ["/usr/bin/aws", "sqs", "list-queues", "--endpoint-url",
             self.endpoint], env=environment(AWS_ENVIRONMENT), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            timeout=DEADLINE, check=True)
        self.assertIn(queue[1], json.loads(answer.stdout)["QueueUrls"])

    def test_queue_is_made_found_listed_and_deleted(self):
        queue, arn = self.queue("--attributes", {"DelaySeconds": "1"},
                                "--tags", {"a": "b"})
        name = arn.rpartition(":")[2]
        self.assertEqual(self.sqs("get-queue-url", "--queue-name", name),
                         {"QueueUrl": queue[1]})
        self.assertEqual(
            self.sqs("list-queues", "--queue-name-prefix", name),
            {"QueueUrls": [queue[1]]})
        self.assertEqual(self.sqs("delete-queue", *queue), {})
        self.fails("AWS.SimpleQueueService.NonExistentQueue",
                   "get-queue-url", "--queue-name", name)

    def test_create_with_other_attributes_fails(self):
        _, arn = self.queue()
        self.fails("QueueAlreadyExists", "create-queue", "--queue-name",
                   arn.rpartition(":")[2], "--attributes", "DelaySeconds=9")

    def test_attributes_are_set_and_given(self):
        queue, arn = self.queue()
        self.sqs("set-queue-attributes", *queue, "--attributes",
                 {"VisibilityTimeout": "5", "Policy": '{"Version": "1"}'})
        self.assertEqual(
            self.sqs("get-queue-attributes", *queue, "--attribute-names",
                     "VisibilityTimeout", "QueueArn", "Policy"),
            {"Attributes": {"VisibilityTimeout": "5", "QueueArn": arn,
                            "Policy": '{"Version": "1"}'}})
        self.fails("InvalidAttributeValue", "set-queue-attributes", *queue,
                   "--attributes", "DelaySeconds=901")

    def test_tags_come_and_go(self):
        queue, _ = self.queue()
        self.sqs("tag-queue", *queue, "--tags", "one=1,two=2")
        self.sqs("untag-queue", *queue, "--tag-keys", "one")
        self.assertEqual(self.sqs("list-queue-tags", *queue),
                         {"Tags": {"two": "2"}})

    def test_permissions_come_and_go(self):
        queue, _ = self.queue()
        self.sqs("add-permission", *queue, "--label", "l",
                 "--aws-account-ids", "123456789012", "210987654321",
                 "--actions", "SendMessage", "ReceiveMessage")
        policy = self.sqs("get-queue-attributes", *queue,
                          "--attribute-names", "Policy")
        statement = json.loads(policy["Attributes"]["Policy"])["Statement"][0]
        self.assertEqual((statement["Sid"], len(statement["Action"]),
                          len(statement["Principal"]["AWS"])), ("l", 2, 2))
        self.sqs("remove-permission", *queue, "--label", "l")
        self.fails("InvalidParameterValue", "remove-permission", *queue,
                   "--label", "l")

    def test_message_is_sent_received_held_and_deleted(self):
        queue, _ = self.queue()
        attributes = {
            "n": {"DataType": "Number", "StringValue": "1"},
            "s.t": {"DataType": "String", "StringValue": "<&>"}}
        sent = self.sqs("send-message", *queue, "--message-body",
                        "body <&> \"\u20ac\"", "--message-attributes",
                        attributes)
        self.assertEqual(sent["MD5OfMessageBody"],
                         md5("body <&> \"\u20ac\""))
        self.assertEqual(sent["MD5OfMessageAttributes"],
                         md5_attributes(attributes))
        [message] = self.receive(queue, "--attribute-names", "All",
                                 "--message-attribute-names", "All")
        self.assertEqual(message["Body"], "body <&> \"\u20ac\"")
        self.assertEqual(message["MessageAttributes"], attributes)
        handle = ("--receipt-handle", message["ReceiptHandle"])
        self.sqs("change-message-visibility", *queue, *handle,
                 "--visibility-timeout", "0")
        self.fails("AWS.SimpleQueueService.MessageNotInflight",
                   "change-message-visibility", *queue, *handle,
                   "--visibility-timeout", "10")
        [message] = self.receive(queue)
        self.sqs("delete-message", *queue, "--receipt-handle",
                 message["ReceiptHandle"])
        self.fails("ReceiptHandleIsInvalid", "delete-message", *queue,
                   "--receipt-handle", "garbage")
        self.assertEqual(self.sqs("receive-message", *queue), {})

    def test_batches_are_sent_held_and_deleted(self):
        queue, _ = self.queue()
        answer = self.sqs("send-message-batch", *queue, "--entries", [
            {"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "2"},
            {"Id": "c", "MessageBody": "3", "DelaySeconds": 901}])
        self.assertEqual([e["Id"] for e in answer["Successful"]], ["a", "b"])
        self.assertEqual([(e["Id"], e["Code"], e["SenderFault"])
                          for e in answer["Failed"]],
                         [("c", "InvalidParameterValue", True)])
        messages = self.receive(queue, "--max-number-of-messages", "10")
        entries = [{"Id": f"m{i}", "ReceiptHandle": m["ReceiptHandle"]}
                   for i, m in enumerate(messages)]
        answer = self.sqs(
            "change-message-visibility-batch", *queue, "--entries",
            [{**entry, "VisibilityTimeout": 100} for entry in entries])
        self.assertEqual(len(answer["Successful"]), 2)
        answer = self.sqs("delete-message-batch", *queue, "--entries",
                          entries)
        self.assertEqual(len(answer["Successful"]), 2)
        self.fails("AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
                   "delete-message-batch", *queue, "--entries",
                   [entries[0], entries[0]])

    def test_queue_is_purged(self):
        queue, _ = self.queue()
        self.sqs("send-message", *queue, "--message-body", "a")
        self.sqs("purge-queue", *queue)
        wait_until(lambda: self.sqs(
            "get-queue-attributes", *queue, "--attribute-names",
            "ApproximateNumberOfMessages") == {"Attributes": {
                "ApproximateNumberOfMessages": "0"}}, what="the purge")

    def test_dead_letters_have_their_sources(self):
        _, arn = letters = self.queue()
        policy = json.dumps({"deadLetterTargetArn": arn,
                             "maxReceiveCount": "1"})
        source, _ = self.queue("--attributes", {"RedrivePolicy": policy})
        self.assertEqual(
            self.sqs("list-dead-letter-source-queues", *letters[0]),
            {"queueUrls": [source[1]]})
        self.sqs("send-message", *source, "--message-body", "poison")
        self.receive(source, "--visibility-timeout", "0")
        self.assertEqual(self.sqs("receive-message", *source), {})
        [letter] = self.receive(letters[0])
        self.assertEqual(letter["Body"], "poison")

    def test_fifo_queue_keeps_order_and_takes_no_repeat(self):
        queue, _ = self.queue("--attributes", {"FifoQueue": "true"},
                              end=".fifo")
        for body in ("1", "1", "2"):
            self.sqs("send-message", *queue, "--message-body", body,
                     "--message-group-id", "g",
                     "--message-deduplication-id", f"d{body}")
        messages = self.receive(queue, "--max-number-of-messages", "10",
                                "--receive-request-attempt-id", "try")
        self.assertEqual([m["Body"] for m in messages], ["1", "2"])
        self.fails("MissingParameter", "send-message", *queue,
                   "--message-body", "a")


class CliOnDiskTest(CliTest):
    ON_DISK = True


if __name__ == "__main__":
    unittest.main()
