"""Messages over SQS, in both protocols: sent, received, deleted, their
visibility changed, alone and in batches; digests, limits and errors."""

import base64
import hashlib
import json
import time
import unittest

from harness import CLOCK_GRAIN, MIB, let_pass, wait_until
from sqs_client import (ACCOUNT, FORM_TYPE, JsonProtocol, QueryProtocol,
                        SqsTestCase, binary, text)

PREFIX = "AWS.SimpleQueueService."
INVALID = "InvalidParameterValue"
SYSTEM = {"AttributeNames": ["All"]}
USER = {"MessageAttributeNames": ["All"]}
# Characters that JSON, XML or a form escape, or that are long in UTF-8.
ODD = "\t\n <>&\"'\\/ %+=;\u007f\u0085\u00e9\u20ac\ud7ff\ue000\ufffd\U0001f600"


def md5(value):
    return hashlib.md5(value.encode()).hexdigest()


def md5_of(attributes):
    """MD5OfMessageAttributes, as the developer guide tells to compute it."""
    digest = hashlib.md5()

    def add(data):
        digest.update(len(data).to_bytes(4, "big") + data)
    for name in sorted(attributes):
        value = attributes[name]
        add(name.encode())
        add(value["DataType"].encode())
        if "BinaryValue" in value:
            digest.update(b"\x02")
            add(base64.b64decode(value["BinaryValue"]))
        else:
            digest.update(b"\x01")
            add(value["StringValue"].encode())
    return digest.hexdigest()


def ids(entries):
    return [entry["Id"] for entry in entries]


class Send:
    """SendMessage."""

    def test_message_is_received_as_it_was_sent(self):
        queue = self.queue()
        sent = queue.send("hello")
        self.assertEqual(set(sent), {"MessageId", "MD5OfMessageBody"})
        self.assertEqual(sent["MD5OfMessageBody"], md5("hello"))
        got = queue.receive_one()
        self.assertEqual(set(got), {"MessageId", "ReceiptHandle",
                                    "MD5OfBody", "Body"})
        self.assertEqual(got["MessageId"], sent["MessageId"])
        self.assertEqual(got["MD5OfBody"], md5("hello"))
        self.assertEqual(got["Body"], "hello")

    def test_any_characters_arrive(self):
        queue = self.queue()
        for body in (ODD, " ", "{}", "]]>", "&amp;", "\r", "a\r\nb"):
            sent = queue.send(body)
            self.assertEqual(sent["MD5OfMessageBody"], md5(body))
            got = queue.receive_one()
            self.assertEqual(got["Body"], body)
            self.assertEqual(got["MD5OfBody"], md5(body))
            queue.delete(got["ReceiptHandle"])

    def test_characters_that_xml_has_not_are_refused(self):
        queue = self.queue()
        for body in ("\0", "\x1f", "\x0b", "\ufffe", "a\uffff"):
            self.assert_error("InvalidMessageContents", "characters",
                              queue.send, body)

    def test_empty_body_is_missing(self):
        self.assert_error("MissingParameter", "MessageBody",
                          self.queue().send, "")

    def test_attributes_come_back_with_digests(self):
        attributes = {
            "text": text(ODD), "number": text("-1.5e3", "Number.float"),
            "bytes": binary(base64.b64encode(bytes(range(256))).decode()),
            "A.b-c_9": text("x", "String.label")}
        queue = self.queue()
        sent = queue.send("x", MessageAttributes=attributes)
        self.assertEqual(sent["MD5OfMessageAttributes"], md5_of(attributes))
        got = queue.receive_one(**USER)
        self.assertEqual(got["MessageAttributes"], attributes)
        self.assertEqual(got["MD5OfMessageAttributes"], md5_of(attributes))

    def test_trace_header_is_a_system_attribute(self):
        header = {"AWSTraceHeader": text('Root=1-5759e988;"\\')}
        queue = self.queue()
        sent = queue.send("x", MessageSystemAttributes=header)
        self.assertEqual(sent["MD5OfMessageSystemAttributes"],
                         md5_of(header))
        self.assertNotIn("MD5OfMessageAttributes", sent)
        got = queue.receive_one(
            MessageSystemAttributeNames=["AWSTraceHeader"])
        self.assertEqual(got["Attributes"], {
            "AWSTraceHeader": 'Root=1-5759e988;"\\'})

    def test_trace_header_of_the_request(self):
        queue = self.queue()
        for fields in ("Action=SendMessage&MessageBody=x",
                       "Action=SendMessageBatch&SendMessageBatchRequestEntry"
                       ".1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=x"):
            response = self.server.request(
                "POST", f"/{ACCOUNT}/{queue.name}", fields.encode(), {
                    "Content-Type": FORM_TYPE,
                    "X-Amzn-Trace-Id": "Root=1-2;Sampled=1"})
            self.assert_status(response, 200)
            self.assertNotIn(b"MD5OfMessageSystemAttributes", response.body)
            got = queue.receive_one(AttributeNames=["AWSTraceHeader"])
            self.assertEqual(got["Attributes"], {
                "AWSTraceHeader": "Root=1-2;Sampled=1"})

    def test_wrong_attributes_are_refused(self):
        queue = self.queue()
        for attributes, pattern in (
                ({"a..b": text("x")}, "period"),
                ({"AWS.a": text("x")}, "reserved"),
                ({"a": text("x", "Text")}, "String, Number and Binary"),
                ({"a": text("x", "Number")}, "number"),
                ({"a": {"DataType": "String"}}, "non-empty"),
                ({"a": binary("*")}, "base64"),
                ({f"a{n}": text("x") for n in range(11)}, r"\[11\]")):
            self.assert_error(INVALID, pattern, queue.send, "x",
                              MessageAttributes=attributes)
        self.assert_error(
            INVALID, "AWSTraceHeader", queue.send, "x",
            MessageSystemAttributes={"Other": text("x")})
        self.assert_error(
            INVALID, "at most 8192 bytes", queue.send, "x",
            MessageSystemAttributes={"AWSTraceHeader": text("x" * 8193)})
        self.assertEqual(queue.receive(), [])

    def test_a_message_of_a_mebibyte_is_the_largest(self):
        queue = self.queue()
        body = '"' * (MIB - 10)
        fits = {"ab": text("yz")}       # 2 + 6 + 2 bytes
        queue.send(body, MessageAttributes=fits)
        self.assertEqual(queue.receive_one()["Body"], body)
        self.assert_error(INVALID, "shorter than 1048576 bytes", queue.send,
                          body + "x", MessageAttributes=fits)

    def test_queue_has_a_size_of_its_own(self):
        queue = self.queue(maxMessageBytes=1024)
        queue.send("x" * 1024)
        self.assert_error(INVALID, "shorter", queue.send, "x" * 1025)
        self.assert_error(INVALID, "shorter", queue.send, "x" * 1015,
                          MessageAttributes={"ab": text("yz")})

    def test_delay(self):
        queue = self.queue()
        queue.send("later", DelaySeconds=1)
        queue.send("now", DelaySeconds=0)
        sent_at = time.monotonic()
        self.assertEqual(queue.receive_one()["Body"], "now")
        got = queue.receive_one(WaitTimeSeconds=20)
        self.assertEqual(got["Body"], "later")
        self.assertGreater(time.monotonic() - sent_at, 1 - 0.1 - CLOCK_GRAIN)
        self.assert_error(INVALID, "Value 901 for parameter DelaySeconds",
                          queue.send, "x", DelaySeconds=901)
        self.assert_error(INVALID, "Value -1 for parameter DelaySeconds",
                          queue.send, "x", DelaySeconds=-1)

    def test_no_queue(self):
        queue = self.queue()
        queue.url += "x"
        self.assert_error(PREFIX + "NonExistentQueue", "does not exist",
                          queue.send)

    def test_group_is_allowed_and_dedup_is_not(self):
        queue = self.queue()
        queue.send("x", MessageGroupId="g")
        self.assertEqual(
            queue.receive_one(**SYSTEM)["Attributes"]["MessageGroupId"], "g")
        self.assert_error(INVALID, "not valid for this queue type",
                          queue.send, "x", MessageDeduplicationId="d")


class Fifo:
    """What FIFO queues ask for and give."""

    def test_group_is_required(self):
        queue = self.queue(fifo=True)
        self.assert_error("MissingParameter", "MessageGroupId", queue.send,
                          "x", MessageDeduplicationId="d")
        self.assert_error(INVALID, "1 to 128", queue.send, "x",
                          MessageGroupId="a b", MessageDeduplicationId="d")

    def test_dedup_id_or_contents_are_required(self):
        queue = self.queue(fifo=True)
        self.assert_error(INVALID, "ContentBasedDeduplication", queue.send,
                          "x", MessageGroupId="g")
        self.assert_error(INVALID, "1 to 128", queue.send, "x",
                          MessageGroupId="g", MessageDeduplicationId="d" * 129)

    def test_delay_of_a_message_is_refused(self):
        queue = self.queue(fifo=True)
        self.assert_error(
            INVALID, "Value 1 for parameter DelaySeconds", queue.send, "x",
            MessageGroupId="g", MessageDeduplicationId="d", DelaySeconds=1)
        queue.send("x", MessageGroupId="g", MessageDeduplicationId="d",
                   DelaySeconds=0)

    def test_repeat_is_answered_as_the_first(self):
        queue = self.queue(fifo=True)
        first, again = (queue.send(
            "x", MessageGroupId="g", MessageDeduplicationId="d")
            for _ in range(2))
        self.assertEqual(first["MessageId"], again["MessageId"])
        self.assertEqual(queue.counts()["available"], 1)

    def test_attributes(self):
        queue = self.queue(fifo=True, contentBasedDedup=True)
        sent = [queue.send("a", MessageGroupId="g",
                           MessageDeduplicationId='d"\\'),
                queue.send("b", MessageGroupId="g")]
        numbers = [one["SequenceNumber"] for one in sent]
        self.assertRegex(numbers[0], "^[1-9][0-9]{19}$")
        self.assertLess(numbers[0], numbers[1])
        got = queue.receive(MaxNumberOfMessages=10, **SYSTEM)
        self.assertEqual([one["Attributes"]["SequenceNumber"]
                          for one in got], numbers)
        self.assertEqual(
            [one["Attributes"]["MessageDeduplicationId"] for one in got],
            ['d"\\', hashlib.sha256(b"b").hexdigest()])
        self.assertEqual(got[0]["Attributes"]["MessageGroupId"], "g")

    def test_group_is_blocked_while_one_is_in_flight(self):
        queue = self.queue(fifo=True, contentBasedDedup=True)
        queue.send("1", MessageGroupId="g")
        queue.send("2", MessageGroupId="g")
        queue.send("3", MessageGroupId="h")
        first = queue.receive_one()
        self.assertEqual(first["Body"], "1")
        self.assertEqual(queue.receive_one()["Body"], "3")
        self.assertEqual(queue.receive(), [])
        queue.delete(first["ReceiptHandle"])
        self.assertEqual(queue.receive_one()["Body"], "2")

    def test_attempt_gives_the_same_again(self):
        queue = self.queue(fifo=True, contentBasedDedup=True)
        queue.send("x", MessageGroupId="g")
        first, again = (queue.receive_one(ReceiveRequestAttemptId="a")
                        for _ in range(2))
        self.assertEqual(first, again)
        self.assert_error(INVALID, "ReceiveRequestAttemptId", queue.receive,
                          ReceiveRequestAttemptId="a b")

    def test_handle_expires(self):
        queue = self.queue(fifo=True, contentBasedDedup=True)
        queue.send("x", MessageGroupId="g")
        old = queue.handle(VisibilityTimeout=0)
        self.assert_error(INVALID, "receipt handle has expired",
                          queue.delete, old)
        self.assert_error(INVALID, "receipt handle has expired",
                          queue.change, old, 10)
        new = queue.handle()
        self.assert_error(INVALID, "receipt handle has expired",
                          queue.delete, old)
        self.assert_error(INVALID, "receipt handle has expired",
                          queue.change, old, 10)
        queue.delete(new)
        queue.delete(new)
        queue.delete(old)

    def test_batch_without_a_group_is_refused_as_a_whole(self):
        queue = self.queue(fifo=True, contentBasedDedup=True)
        self.assert_error(
            INVALID, "MessageGroupId", queue.call, "SendMessageBatch",
            Entries=[{"Id": "a", "MessageBody": "x", "MessageGroupId": "g"},
                     {"Id": "b", "MessageBody": "y"}])
        self.assertEqual(queue.counts()["available"], 0)

    def test_batch_without_dedup_is_refused_as_a_whole(self):
        queue = self.queue(fifo=True)
        entries = [{"Id": "a", "MessageBody": "x", "MessageGroupId": "g",
                    "MessageDeduplicationId": "1"},
                   {"Id": "b", "MessageBody": "y", "MessageGroupId": "g"}]
        self.assert_error(INVALID, "ContentBasedDeduplication", queue.call,
                          "SendMessageBatch", Entries=entries)
        self.assertEqual(queue.counts()["available"], 0)
        queue.native("PUT", "", {"contentBasedDedup": True})
        sent = queue.call("SendMessageBatch", Entries=entries)
        self.assertEqual(ids(sent["Successful"]), ["a", "b"])
        self.assertEqual([one["Body"] for one in queue.receive(
            MaxNumberOfMessages=10)], ["x", "y"])


class Receive:
    """ReceiveMessage."""

    def test_empty_queue(self):
        self.assertEqual(self.queue().call("ReceiveMessage"), {})

    def test_number_of_messages(self):
        queue = self.queue()
        for n in range(12):
            queue.send(str(n))
        self.assertEqual(len(queue.receive()), 1)
        self.assertEqual(len(queue.receive(MaxNumberOfMessages=10)), 10)
        self.assertEqual(len(queue.receive(MaxNumberOfMessages=10)), 1)
        for n in (0, 11, -1):
            self.assert_error(
                INVALID, f"Value {n} for parameter MaxNumberOfMessages",
                queue.receive, MaxNumberOfMessages=n)

    def test_visibility_timeout(self):
        queue = self.queue()
        queue.send()
        queue.receive_one(VisibilityTimeout=0)
        queue.receive_one(VisibilityTimeout=1)
        self.assertEqual(queue.receive(), [])
        queue.receive_one(WaitTimeSeconds=20)
        for seconds in (-1, 43201):
            self.assert_error(
                INVALID, f"Value {seconds} for parameter VisibilityTimeout",
                queue.receive, VisibilityTimeout=seconds)

    def test_waiting(self):
        queue = self.queue()
        end = self.begin("ReceiveMessage", QueueUrl=queue.url,
                         WaitTimeSeconds=20)
        wait_until(lambda: queue.counts()["waiters"] == 1)
        queue.send("awaited")
        self.assertEqual(end()["Messages"][0]["Body"], "awaited")
        began = time.monotonic()
        self.assertEqual(queue.receive(WaitTimeSeconds=1), [])
        self.assert_not_before(began, 1)
        for seconds in (-1, 21):
            self.assert_error(
                INVALID, f"Value {seconds} for parameter WaitTimeSeconds",
                queue.receive, WaitTimeSeconds=seconds)

    def test_client_that_goes_takes_nothing_along(self):
        queue = self.queue()
        end = self.begin("ReceiveMessage", QueueUrl=queue.url,
                         WaitTimeSeconds=20)
        wait_until(lambda: queue.counts()["waiters"] == 1)
        end.connection.close()
        wait_until(lambda: queue.counts()["waiters"] == 0)
        queue.send()
        attributes = queue.receive_one(**SYSTEM)["Attributes"]
        self.assertEqual(attributes["ApproximateReceiveCount"], "1")

    def test_system_attributes(self):
        queue = self.queue()
        before = int(time.time() * 1000)
        queue.send("x")
        queue.receive_one(VisibilityTimeout=0)
        for names in ("AttributeNames", "MessageSystemAttributeNames"):
            got = queue.receive_one(VisibilityTimeout=0, **{names: ["All"]})
            self.assertEqual(set(got["Attributes"]), {
                "ApproximateReceiveCount", "SenderId", "SentTimestamp",
                "ApproximateFirstReceiveTimestamp"})
        attributes = got["Attributes"]
        self.assertEqual(attributes["SenderId"], ACCOUNT)
        self.assertEqual(attributes["ApproximateReceiveCount"], "3")
        sent_at = int(attributes["SentTimestamp"])
        first_at = int(attributes["ApproximateFirstReceiveTimestamp"])
        self.assertTrue(before - 1000 <= sent_at <= first_at
                        <= time.time() * 1000 + 1000)
        # Of those that are named it gives those that it has.
        got = queue.receive_one(
            AttributeNames=["SenderId", "SequenceNumber", "QueueArn"],
            MessageSystemAttributeNames=["MessageGroupId"],
            VisibilityTimeout=0)
        self.assertEqual(got["Attributes"], {"SenderId": ACCOUNT})
        got = queue.receive_one(AttributeNames=["SequenceNumber"],
                                VisibilityTimeout=0)
        self.assertNotIn("Attributes", got)
        self.assert_error("InvalidAttributeName", "Unknown Attribute Foo",
                          queue.receive, AttributeNames=["SenderId", "Foo"])

    def test_message_attribute_filters(self):
        queue = self.queue()
        every = {"Hello": text("There"), "General": text("Kenobi"),
                 "Help.Me": text("Me")}
        queue.send("msg", MessageAttributes=every)
        for names, expected in (
                ([], set()), (["All"], set(every)), ([".*"], set(every)),
                (["*"], set(every)), (["Foo", "Help"], set()),
                (["Hello", "General"], {"Hello", "General"}),
                (["Foo", "Hello"], {"Hello"}), ([""], set()),
                (["Hel.*"], {"Hello", "Help.Me"}), (["AWS."], set()),
                (["Foo", "All"], set(every)), (["hello"], set())):
            got = queue.receive_one(MessageAttributeNames=names,
                                    VisibilityTimeout=0)
            chosen = {name: every[name] for name in expected}
            self.assertEqual(got.get("MessageAttributes", {}), chosen, names)
            if chosen:
                self.assertEqual(got["MD5OfMessageAttributes"],
                                 md5_of(chosen))
            else:
                self.assertNotIn("MD5OfMessageAttributes", got)

    def test_native_message(self):
        queue = self.queue()
        queue.native("POST", "", {"a": [1, "\u00e9<"]})
        body = json.dumps({"a": [1, "\u00e9<"]})
        got = queue.receive_one(**SYSTEM, **USER)
        self.assertEqual(got["Body"], body)
        self.assertEqual(got["MD5OfBody"], md5(body))

    def test_native_view_of_a_message(self):
        queue = self.queue()
        attributes = {"a": text("v")}
        queue.send(ODD, MessageAttributes=attributes)
        queue.send('{"b": 1}', MessageSystemAttributes={
            "AWSTraceHeader": text("Root=1")})
        queue.send("2")
        got = queue.native("GET", "?details=true").json()["messages"]
        self.assertEqual([one["body"] for one in got], [ODD, {"b": 1}, 2])
        self.assertEqual(got[0]["attributes"], attributes)
        self.assertNotIn("attributes", got[1])
        self.assertNotIn("attributes", got[2])

    def test_dead_letter_tells_its_source(self):
        dead = self.queue()
        queue = self.queue(maxReceives=1, deadLetterQueue=dead.name)
        queue.send("x", MessageAttributes={"a": text("v")})
        queue.receive_one(VisibilityTimeout=0)
        self.assertEqual(queue.receive(), [])
        got = dead.receive_one(**SYSTEM, **USER)
        self.assertEqual(
            got["Attributes"]["DeadLetterQueueSourceArn"],
            f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue.name}")
        self.assertEqual(got["MessageAttributes"], {"a": text("v")})

    def test_over_limit(self):
        queue = self.queue(maxLocked=1)
        queue.send()
        queue.send()
        queue.receive_one(MaxNumberOfMessages=10)
        self.assert_error("OverLimit", "in flight", queue.receive,
                          status=403)
        self.assertEqual(queue.receive(WaitTimeSeconds=1), [])

    def test_no_queue(self):
        queue = self.queue()
        queue.url += "x"
        self.assert_error(PREFIX + "NonExistentQueue", "does not exist",
                          queue.receive)


class Delete:
    """DeleteMessage."""

    def test_message_is_gone(self):
        queue = self.queue()
        queue.send()
        handle = queue.handle()
        self.assertEqual(queue.delete(handle), {})
        self.assertEqual(queue.counts()["locked"], 0)
        self.assertEqual(queue.delete(handle), {})

    def test_handle_deletes_after_its_lock_ran_out(self):
        queue = self.queue()
        queue.send()
        queue.delete(queue.handle(VisibilityTimeout=0))
        self.assertEqual(queue.receive(), [])

    def test_old_handle_deletes_nothing(self):
        queue = self.queue()
        queue.send()
        old = queue.handle(VisibilityTimeout=0)
        new = queue.handle()
        self.assertNotEqual(old, new)
        self.assertEqual(queue.delete(old), {})
        self.assertEqual(queue.counts()["locked"], 1)
        queue.delete(new)
        self.assertEqual(queue.counts()["locked"], 0)

    def test_wrong_handles(self):
        queue, other = self.queue(), self.queue()
        queue.send()
        handle = queue.handle()
        for wrong in ("x", handle[:-1], handle + "A", "A" * len(handle),
                      "\u00e9" * 5000):
            self.assert_error("ReceiptHandleIsInvalid",
                              "not a valid receipt handle", queue.delete,
                              wrong)
        self.assert_error("ReceiptHandleIsInvalid", "for this queue",
                          other.delete, handle)
        self.assert_error("MissingParameter", "ReceiptHandle", queue.delete,
                          "")
        self.assert_error("MissingParameter", "ReceiptHandle", queue.call,
                          "DeleteMessage")
        queue.url += "x"
        self.assert_error("ReceiptHandleIsInvalid", "for this queue",
                          queue.delete, handle)


class Visibility:
    """ChangeMessageVisibility."""

    def test_zero_gives_back(self):
        queue = self.queue()
        queue.send()
        self.assertEqual(queue.change(queue.handle(), 0), {})
        queue.receive_one()

    def test_longer(self):
        queue = self.queue()
        queue.send()
        queue.change(queue.handle(VisibilityTimeout=1), 600)
        let_pass(1.1)
        self.assertEqual(queue.receive(), [])

    def test_limits(self):
        queue = self.queue()
        queue.send()
        handle = queue.handle()
        for seconds in (-1, 43201):
            self.assert_error(
                INVALID, f"Value {seconds} for parameter VisibilityTimeout",
                queue.change, handle, seconds)
        let_pass(0.005)
        self.assert_error(INVALID, "Total VisibilityTimeout", queue.change,
                          handle, 43200)
        queue.change(handle, 43100)
        self.assert_error(
            "MissingParameter", "VisibilityTimeout", queue.call,
            "ChangeMessageVisibility", ReceiptHandle=handle)

    def test_not_in_flight(self):
        queue = self.queue()
        queue.send()
        handle = queue.handle(VisibilityTimeout=0)
        self.assert_error(PREFIX + "MessageNotInflight", "in ?flight",
                          queue.change, handle, 10)
        new = queue.handle()
        self.assert_error(INVALID, "not available for visibility",
                          queue.change, handle, 10)
        queue.delete(new)
        self.assert_error(INVALID, "not available for visibility",
                          queue.change, new, 10)

    def test_wrong_handle(self):
        queue = self.queue()
        self.assert_error("ReceiptHandleIsInvalid", "valid receipt handle",
                          queue.change, "x", 10)


class Batches:
    """Up to ten at once."""

    ENTRIES = {
        "SendMessageBatch": {"MessageBody": "x"},
        "DeleteMessageBatch": {"ReceiptHandle": "x"},
        "ChangeMessageVisibilityBatch": {"ReceiptHandle": "x",
                                         "VisibilityTimeout": 1},
    }

    def test_all_actions_check_their_entries(self):
        queue = self.queue()
        for action, entry in self.ENTRIES.items():
            def call(entry_ids):
                return queue.call(action, Entries=[
                    {"Id": one, **entry} for one in entry_ids])
            self.assert_error(
                PREFIX + "EmptyBatchRequest",
                f"at least one {action}RequestEntry", call, [])
            self.assert_error(
                PREFIX + "TooManyEntriesInBatchRequest", "are 10.*sent 11",
                call, [str(n) for n in range(11)])
            self.assert_error(PREFIX + "BatchEntryIdsNotDistinct",
                              "Id a repeated", call, ["a", "b", "a"])
            for wrong in ("", "a b", "a.b", "\u00e9", "x" * 81):
                self.assert_error(PREFIX + "InvalidBatchEntryId",
                                  "hyphens and underscores", call,
                                  ["a", wrong])
            self.assert_error(
                "MissingParameter", "RequestEntry.1.Id", queue.call, action,
                Entries=[entry])
            call(["x" * 80, "A-z_09"])
            self.assert_error(PREFIX + "EmptyBatchRequest", "at least one",
                              queue.call, action)
        self.assertEqual(queue.counts()["available"], 2)

    def test_send(self):
        queue = self.queue()
        attributes = {"a": text("1"), "b": binary("AAEC")}
        trace = {"AWSTraceHeader": text("Root=1")}
        sent = queue.call("SendMessageBatch", Entries=[
            {"Id": "one", "MessageBody": "first"},
            {"Id": "two", "MessageBody": ODD, "MessageAttributes": attributes,
             "MessageSystemAttributes": trace},
            {"Id": "late", "MessageBody": "late", "DelaySeconds": 900}])
        self.assertEqual(set(sent), {"Successful"})
        self.assertEqual(ids(sent["Successful"]), ["one", "two", "late"])
        one, two, _ = sent["Successful"]
        self.assertEqual(set(one), {"Id", "MessageId", "MD5OfMessageBody"})
        self.assertEqual(two["MD5OfMessageBody"], md5(ODD))
        self.assertEqual(two["MD5OfMessageAttributes"], md5_of(attributes))
        self.assertEqual(two["MD5OfMessageSystemAttributes"], md5_of(trace))
        got = queue.receive(MaxNumberOfMessages=10, **SYSTEM, **USER)
        self.assertEqual([each["Body"] for each in got], ["first", ODD])
        self.assertEqual([each["MessageId"] for each in got],
                         [one["MessageId"], two["MessageId"]])
        self.assertEqual(got[1]["MessageAttributes"], attributes)
        self.assertNotIn("MessageAttributes", got[0])
        self.assertEqual(got[1]["Attributes"]["AWSTraceHeader"], "Root=1")

    def test_send_fails_in_part(self):
        queue = self.queue(maxMessageBytes=1024)
        sent = queue.call("SendMessageBatch", Entries=[
            {"Id": "a", "MessageBody": "x", "DelaySeconds": 901},
            {"Id": "b", "MessageBody": "good"},
            {"Id": "c", "MessageBody": "\x01"},
            {"Id": "d", "MessageBody": "x" * 1025},
            {"Id": "e", "MessageBody": ""}])
        self.assertEqual(ids(sent["Successful"]), ["b"])
        self.assertEqual([self.assert_failed(sent, n, code, pattern)
                          for n, (code, pattern) in enumerate((
                              (INVALID, "DelaySeconds"),
                              ("InvalidMessageContents", "characters"),
                              (INVALID, "shorter"),
                              ("MissingParameter", "MessageBody")))],
                         ["a", "c", "d", "e"])
        self.assertEqual(queue.receive_one(MaxNumberOfMessages=10)["Body"],
                         "good")

    def test_send_is_limited_in_all(self):
        queue = self.queue()
        half = "x" * (MIB // 2)
        self.assert_error(
            PREFIX + "BatchRequestTooLong", "1048576.*sent 1048577",
            queue.call, "SendMessageBatch", Entries=[
                {"Id": "a", "MessageBody": half},
                {"Id": "b", "MessageBody": half + "y"}])
        self.assertEqual(queue.counts()["available"], 0)
        sent = queue.call("SendMessageBatch", Entries=[
            {"Id": "a", "MessageBody": half},
            {"Id": "b", "MessageBody": half}])
        self.assertEqual(ids(sent["Successful"]), ["a", "b"])

    def test_delete(self):
        queue = self.queue()
        for n in range(3):
            queue.send(str(n))
        got = queue.receive(MaxNumberOfMessages=10)
        result = queue.call("DeleteMessageBatch", Entries=[
            {"Id": "a", "ReceiptHandle": got[0]["ReceiptHandle"]},
            {"Id": "bad", "ReceiptHandle": "x"},
            {"Id": "b", "ReceiptHandle": got[1]["ReceiptHandle"]},
            {"Id": "none"},
            {"Id": "again", "ReceiptHandle": got[1]["ReceiptHandle"]}])
        self.assertEqual(result["Successful"],
                         [{"Id": "a"}, {"Id": "b"}, {"Id": "again"}])
        self.assertEqual(self.assert_failed(
            result, 0, "ReceiptHandleIsInvalid", "valid"), "bad")
        self.assertEqual(self.assert_failed(
            result, 1, "MissingParameter", "ReceiptHandle"), "none")
        self.assertEqual(queue.counts()["locked"], 1)

    def test_change_visibility(self):
        queue = self.queue()
        for n in range(2):
            queue.send(str(n))
        got = queue.receive(MaxNumberOfMessages=10)
        handles = [one["ReceiptHandle"] for one in got]
        result = queue.call("ChangeMessageVisibilityBatch", Entries=[
            {"Id": "a", "ReceiptHandle": handles[0],
             "VisibilityTimeout": 0},
            {"Id": "b", "ReceiptHandle": handles[1],
             "VisibilityTimeout": 43201},
            {"Id": "c", "ReceiptHandle": handles[1]},
            {"Id": "d", "ReceiptHandle": handles[0],
             "VisibilityTimeout": 5}])
        self.assertEqual(result["Successful"], [{"Id": "a"}])
        self.assertEqual([self.assert_failed(result, n, code, pattern)
                          for n, (code, pattern) in enumerate((
                              (INVALID, "43201"),
                              ("MissingParameter", "VisibilityTimeout"),
                              (PREFIX + "MessageNotInflight", "flight")))],
                         ["b", "c", "d"])
        self.assertEqual(queue.receive_one()["Body"], "0")

    def test_no_queue(self):
        queue = self.queue()
        queue.url += "x"
        self.assert_error(
            PREFIX + "NonExistentQueue", "does not exist", queue.call,
            "SendMessageBatch", Entries=[{"Id": "a", "MessageBody": "x"},
                                         {"Id": "b", "MessageBody": "x"}])


class BytesTest(SqsTestCase):
    """What stands in an answer, byte for byte."""

    def ask(self, queue, fields):
        response = self.server.request(
            "POST", f"/{ACCOUNT}/{queue.name}", fields,
            {"Content-Type": FORM_TYPE})
        request_id = response.header("x-amzn-RequestId").encode()
        return response.body.replace(request_id, b"R")

    def test_xml(self):
        queue = self.queue()
        start = (b'<?xml version="1.0"?><%sResponse xmlns='
                 b'"http://queue.amazonaws.com/doc/2012-11-05/">')
        end = (b"<ResponseMetadata><RequestId>R</RequestId>"
               b"</ResponseMetadata></%sResponse>")
        body = self.ask(queue, b"Action=SendMessage&MessageBody="
                        b"%3C%26+%22%0D%0A%C3%A9%3E")
        message_id = body.partition(b"<MessageId>")[2][:36]
        digest = md5('<& "\r\n\u00e9>').encode()
        self.assertEqual(
            body, start % b"SendMessage" + b"<SendMessageResult><MessageId>"
            + message_id + b"</MessageId><MD5OfMessageBody>" + digest
            + b"</MD5OfMessageBody></SendMessageResult>"
            + end % b"SendMessage")
        body = self.ask(queue, b"Action=ReceiveMessage")
        handle = body.partition(b"<ReceiptHandle>")[2].partition(b"<")[0]
        self.assertEqual(
            body, start % b"ReceiveMessage"
            + b"<ReceiveMessageResult><Message><MessageId>" + message_id
            + b"</MessageId><ReceiptHandle>" + handle
            + b"</ReceiptHandle><MD5OfBody>" + digest + b"</MD5OfBody><Body>"
            b"&lt;&amp; &quot;&#xD;\n\xc3\xa9&gt;</Body></Message>"
            b"</ReceiveMessageResult>" + end % b"ReceiveMessage")
        self.assertEqual(
            self.ask(queue, b"Action=DeleteMessage&ReceiptHandle=" + handle),
            start % b"DeleteMessage" + end % b"DeleteMessage")

    def test_json(self):
        queue = self.queue()
        sent = queue.send('<& "\r\n\u00e9>\x7f')
        response = self.server.request(
            "POST", "/", json.dumps({
                "QueueUrl": queue.url, "MaxNumberOfMessages": 1}).encode(),
            {"X-Amz-Target": "AmazonSQS.ReceiveMessage"})
        handle = response.body.partition(b'"ReceiptHandle":"')[2][:52]
        self.assertEqual(
            response.body, b'{"Messages":[{"MessageId":"'
            + sent["MessageId"].encode() + b'","ReceiptHandle":"' + handle
            + b'","MD5OfBody":"' + sent["MD5OfMessageBody"].encode()
            + b'","Body":"<& \\"\\r\\n\xc3\xa9>\x7f"}]}')


for _group in (Send, Fifo, Receive, Delete, Visibility, Batches):
    for _protocol in (JsonProtocol, QueryProtocol):
        _name = _protocol.__name__.removesuffix("Protocol") + _group.__name__
        globals()[_name] = type(_name, (_group, SqsTestCase), {
            "protocol": _protocol, "__module__": __name__,
            "__doc__": f"{_group.__doc__}  {_protocol.__doc__}"})
        del _name

if __name__ == "__main__":
    unittest.main()
