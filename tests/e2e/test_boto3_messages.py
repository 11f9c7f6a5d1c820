"""Messages over boto3, which in Debian's version speaks the Query protocol."""

import hashlib
import time
import unittest

from aws import (ACCOUNT, PREFIX, AwsTestCase, bodies, md5, md5_attributes,
                 on_both_stores, session, text)
from harness import MIB, Server, wait_until

TRACE = {"AWSTraceHeader": text("Root=1-5759e988-bd862e3fe1be46a994272793")}
ATTRIBUTES = {
    "city": text("Z\xfcrich <&>\"' \U0001f600 a+b%20c"),
    "id.String": text("a-b", "String.uuid"),
    "count": text("-12.50", "Number"),
    "price": text("1e3", "Number.eur"),
    "blob": {"DataType": "Binary", "BinaryValue": b"\0\1\377\r\n"},
    "image": {"DataType": "Binary.png", "BinaryValue": b"\x89PNG"},
}


def entries(count, **more):
    return [{"Id": f"id-{i}", "MessageBody": f"body {i}", **more}
            for i in range(count)]


def ids(answer, kind):
    return sorted(entry["Id"] for entry in answer.get(kind, []))


@on_both_stores
class SendTest(AwsTestCase):

    def test_send_answers_with_id_and_md5(self):
        queue = self.new_queue()
        sent = queue.send("hello")
        self.assertEqual(sent["MD5OfMessageBody"], md5("hello"))
        for absent in ("MD5OfMessageAttributes", "SequenceNumber",
                       "MD5OfMessageSystemAttributes"):
            self.assertNotIn(absent, sent)
        message = queue.one()
        self.assertEqual(
            (message["Body"], message["MD5OfBody"], message["MessageId"]),
            ("hello", md5("hello"), sent["MessageId"]))

    def test_bodies_come_back_as_they_were_sent(self):
        queue = self.new_queue()
        for body in ('{"b": 1,  "a": "\\u0000"}', '"text"', "plain <&>'\"",
                     "a\tb\nc\rd\r\ne", " ", "\u20ac\U0001f600\ud7ff\ufffd",
                     "a=b&c=%41+d", "]]>", "<a/>", "&amp;&#13;", "x" * MIB):
            with self.subTest(body[:20]):
                queue.send(body)
                message = queue.one()
                self.assertEqual(message["Body"], body)
                queue.delete(message)

    def test_characters_that_xml_has_not_are_refused(self):
        queue = self.new_queue()
        for bad in ("\0", "\x0b", "\x1f", "\ufffe", "\uffff"):
            self.assert_fails("InvalidMessageContents", 400, "", queue.send,
                              f"a{bad}b")
        self.assertEqual(queue.counts(), (0, 0, 0))

    def test_attributes_come_back_with_their_md5(self):
        queue = self.new_queue()
        sent = queue.send("a", MessageAttributes=ATTRIBUTES,
                          MessageSystemAttributes=TRACE)
        self.assertEqual(sent["MD5OfMessageAttributes"],
                         md5_attributes(ATTRIBUTES))
        self.assertEqual(sent["MD5OfMessageSystemAttributes"],
                         md5_attributes(TRACE))
        message = queue.one(MessageAttributeNames=["All"],
                            AttributeNames=["AWSTraceHeader"])
        self.assertEqual(message["MessageAttributes"], ATTRIBUTES)
        self.assertEqual(message["MD5OfMessageAttributes"],
                         md5_attributes(ATTRIBUTES))
        self.assertEqual(message["Attributes"], {
            "AWSTraceHeader": TRACE["AWSTraceHeader"]["StringValue"]})

    def test_bad_attributes_are_refused(self):
        queue = self.new_queue()
        for bad in ({"AWS.a": text("v")}, {"a..b": text("v")},
                    {"a b": text("v")}, {"a": text("")},
                    {"a": text("v", "Colour")}, {"a": text("x", "Number")},
                    {f"n{i}": text("v") for i in range(11)}):
            with self.subTest(str(bad)[:30]):
                self.assert_invalid("", queue.send, "a",
                                    MessageAttributes=bad)

    def test_size_has_its_limits(self):
        queue = self.new_queue(MaximumMessageSize="1024")
        queue.send("x" * 1024)
        self.assert_invalid("shorter", queue.send, "x" * 1025)
        self.assert_invalid("shorter", queue.send, "x" * 1010,
                            MessageAttributes={"name": text("value")})
        self.assert_invalid("1048576", self.new_queue().send,
                            "x" * (MIB + 1))

    def test_delays_have_their_range_and_pass(self):
        queue = self.new_queue()
        for bad in (-1, 901):
            self.assert_invalid("DelaySeconds", queue.send, "a",
                                DelaySeconds=bad)
        began = time.monotonic()
        queue.send("a", DelaySeconds=1)
        self.assertEqual(queue.receive(), [])
        queue.one()
        self.assert_not_before(began, 1)

    def test_batch_is_sent_and_what_is_wrong_fails_alone(self):
        queue = self.new_queue()
        answer = queue.call("send_message_batch", Entries=[
            {"Id": "good", "MessageBody": "a", "MessageAttributes":
             ATTRIBUTES, "MessageSystemAttributes": TRACE},
            {"Id": "bad", "MessageBody": "\0"},
            {"Id": "late", "MessageBody": "b", "DelaySeconds": 901},
            {"Id": "well", "MessageBody": "c", "DelaySeconds": 900}])
        self.assertEqual(ids(answer, "Successful"), ["good", "well"])
        good = answer["Successful"][0]
        self.assertEqual(good["MD5OfMessageAttributes"],
                         md5_attributes(ATTRIBUTES))
        self.assertEqual(good["MD5OfMessageSystemAttributes"],
                         md5_attributes(TRACE))
        self.assertEqual(
            {e["Id"]: (e["Code"], e["SenderFault"])
             for e in answer["Failed"]},
            {"bad": ("InvalidMessageContents", True),
             "late": ("InvalidParameterValue", True)})
        self.assertEqual(queue.counts(), (1, 0, 1))

    def test_batches_have_their_rules(self):
        queue = self.new_queue()
        for verb, fields in (
                ("send_message_batch", {"MessageBody": "a"}),
                ("delete_message_batch", {"ReceiptHandle": "AAAA"}),
                ("change_message_visibility_batch",
                 {"ReceiptHandle": "AAAA", "VisibilityTimeout": 1})):
            for code, names in (
                    ("EmptyBatchRequest", ()),
                    ("TooManyEntriesInBatchRequest",
                     [f"i{i}" for i in range(11)]),
                    ("BatchEntryIdsNotDistinct", ("a", "b", "a")),
                    ("InvalidBatchEntryId", ("a b",)),
                    ("InvalidBatchEntryId", ("a" * 81,))):
                with self.subTest(verb=verb, code=code):
                    error = self.assert_fails(
                        PREFIX + code, 400, "", queue.call, verb,
                        Entries=[{"Id": i, **fields} for i in names])
                    self.assertIsInstance(
                        error, getattr(self.client.exceptions, code))

    def test_batch_has_1_mib_in_all(self):
        queue = self.new_queue()
        batch = entries(2, MessageBody="x" * (MIB // 2))
        answer = queue.call("send_message_batch", Entries=batch)
        self.assertEqual(len(answer["Successful"]), 2)
        batch[0]["MessageBody"] += "x"
        self.assert_fails(PREFIX + "BatchRequestTooLong", 400, "1048576",
                          queue.call, "send_message_batch", Entries=batch)


@on_both_stores
class ReceiveTest(AwsTestCase):

    def test_receive_gives_as_many_as_are_asked_for(self):
        queue = self.new_queue()
        queue.call("send_message_batch", Entries=entries(10))
        queue.send("last")
        self.assertEqual(len(queue.receive()), 1)
        self.assertEqual(len(queue.receive(MaxNumberOfMessages=10)), 10)
        self.assertEqual(queue.receive(), [])
        self.assertNotIn("Messages", queue.call("receive_message"))

    def test_numbers_have_their_ranges(self):
        queue = self.new_queue()
        for name, values in (("MaxNumberOfMessages", (0, 11)),
                             ("WaitTimeSeconds", (-1, 21)),
                             ("VisibilityTimeout", (-1, 43201))):
            for bad in values:
                self.assert_invalid(name, queue.receive, **{name: bad})

    def test_system_attributes_are_given_by_name(self):
        queue = self.new_queue(VisibilityTimeout="0")
        before = time.time() * 1000 - 1
        queue.send("a")

        def attributes(*names):
            return queue.one(AttributeNames=names).get("Attributes")
        first = attributes("All")
        self.assertEqual(sorted(first), [
            "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount",
            "SenderId", "SentTimestamp"])
        self.assertTrue(before <= int(first["SentTimestamp"])
                        <= int(first["ApproximateFirstReceiveTimestamp"])
                        <= time.time() * 1000 + 1)
        self.assertEqual(attributes("SenderId"), {"SenderId": ACCOUNT})
        self.assertIsNone(attributes())
        last = attributes("All")
        self.assertEqual(last, {**first, "ApproximateReceiveCount": "4"})

    def test_message_attributes_are_filtered(self):
        queue = self.new_queue(VisibilityTimeout="0")
        named = {"Hello": text("a"), "Help.Me": text("b"), "Sun": text("c")}
        queue.send("a", MessageAttributes=named)
        for names, wanted in ((["All"], list(named)),
                              ([".*"], list(named)),
                              (["Hel.*"], ["Hello", "Help.Me"]),
                              (["Help.*", "Sun"], ["Help.Me", "Sun"]),
                              (["Hello", "Foo"], ["Hello"]),
                              (["Foo"], []), ([], [])):
            with self.subTest(names):
                message = queue.one(MessageAttributeNames=names)
                self.assertEqual(
                    sorted(message.get("MessageAttributes", {})), wanted)
                self.assertEqual(
                    message.get("MD5OfMessageAttributes"),
                    md5_attributes({n: named[n] for n in wanted})
                    if wanted else None)

    def test_message_comes_again_and_old_handles_delete_nothing(self):
        queue = self.new_queue(VisibilityTimeout="1")
        queue.send("a")
        began = time.monotonic()
        old = queue.one()
        self.assertEqual(queue.receive(), [])
        new = queue.one(VisibilityTimeout=60)
        self.assert_not_before(began, 1)
        self.assertNotEqual(old["ReceiptHandle"], new["ReceiptHandle"])
        queue.delete(old)
        self.assertEqual(queue.counts(), (0, 1, 0))
        queue.delete(new)
        queue.delete(new)
        self.assertEqual(queue.counts(), (0, 0, 0))

    def test_bad_handles_are_refused(self):
        queue = self.new_queue()
        for bad in ("garbage", "AAAA", "<&>"):
            handle = {"ReceiptHandle": bad}
            error = self.assert_fails("ReceiptHandleIsInvalid", 400, "",
                                      queue.delete, handle)
            self.assertIsInstance(
                error, self.client.exceptions.ReceiptHandleIsInvalid)
            self.assert_fails("ReceiptHandleIsInvalid", 400, "",
                              queue.change, handle, 1)

    def test_visibility_is_changed(self):
        queue = self.new_queue()
        queue.send("a")
        message = queue.one()
        for bad in (-1, 43201):
            self.assert_invalid("VisibilityTimeout", queue.change, message,
                                bad)
        queue.change(message, 0)
        error = self.assert_fails(PREFIX + "MessageNotInflight", 400, "",
                                  queue.change, message, 1)
        self.assertIsInstance(error,
                              self.client.exceptions.MessageNotInflight)
        message = queue.one()
        queue.change(message, 1)
        message = queue.one()
        queue.delete(message)
        self.assert_invalid("ReceiptHandle", queue.change, message, 1)

    def test_batches_of_deletes_and_visibilities_fail_by_entry(self):
        queue = self.new_queue()
        queue.call("send_message_batch", Entries=entries(3))
        handles = [m["ReceiptHandle"] for m in
                   queue.receive(MaxNumberOfMessages=10)]
        answer = queue.call("change_message_visibility_batch", Entries=[
            {"Id": "a", "ReceiptHandle": handles[0], "VisibilityTimeout": 0},
            {"Id": "b", "ReceiptHandle": handles[1],
             "VisibilityTimeout": 43201},
            {"Id": "c", "ReceiptHandle": "garbage",
             "VisibilityTimeout": 1}])
        self.assertEqual(ids(answer, "Successful"), ["a"])
        self.assertEqual({e["Id"]: e["Code"] for e in answer["Failed"]},
                         {"b": "InvalidParameterValue",
                          "c": "ReceiptHandleIsInvalid"})
        self.assertEqual(queue.counts(), (1, 2, 0))
        answer = queue.call("delete_message_batch", Entries=[
            {"Id": "a", "ReceiptHandle": handles[1]},
            {"Id": "b", "ReceiptHandle": "garbage"},
            {"Id": "c", "ReceiptHandle": handles[2]}])
        self.assertEqual(ids(answer, "Successful"), ["a", "c"])
        self.assertEqual({e["Id"]: e["Code"] for e in answer["Failed"]},
                         {"b": "ReceiptHandleIsInvalid"})
        self.assertEqual(queue.counts(), (1, 0, 0))

    def test_over_limit_is_403_for_a_short_poll_alone(self):
        queue = self.new_queue()
        self.assert_status(self.server.request(
            "PUT", f"/queues/{queue.name}", b'{"maxLocked": 1}'), 200)
        queue.call("send_message_batch", Entries=entries(2))
        queue.one()
        error = self.assert_fails("OverLimit", 403, "", queue.receive)
        self.assertIsInstance(error, self.client.exceptions.OverLimit)
        self.assertEqual(queue.receive(WaitTimeSeconds=1), [])


@on_both_stores
class FifoTest(AwsTestCase):

    def send(self, queue, body, group="g", **more):
        return queue.send(body, MessageGroupId=group, **{
            "MessageDeduplicationId": f"key-{next(self.numbers)}", **more})

    def test_fifo_message_has_its_system_attributes(self):
        queue = self.new_fifo(ContentBasedDeduplication="true")
        sent = queue.send("a", MessageGroupId="g")
        found = queue.one(AttributeNames=["All"])["Attributes"]
        self.assertEqual(
            (found["MessageGroupId"], found["SequenceNumber"],
             found["MessageDeduplicationId"]),
            ("g", sent["SequenceNumber"],
             hashlib.sha256(b"a").hexdigest()))

    def test_group_keeps_its_order_and_blocks(self):
        queue = self.new_fifo()
        for body in ("1", "2", "3"):
            self.send(queue, body)
        self.send(queue, "other", "h")
        first = queue.receive(MaxNumberOfMessages=2)
        self.assertEqual(bodies(first), ["1", "2"])
        other = queue.receive(MaxNumberOfMessages=10)
        self.assertEqual(bodies(other), ["other"])
        self.assertEqual(queue.receive(), [])
        for message in first:
            queue.delete(message)
        self.assertEqual(bodies(queue.receive()), ["3"])

    def test_repeat_is_not_sent_again(self):
        queue = self.new_fifo()
        sent = [self.send(queue, "a", MessageDeduplicationId="d")
                for _ in range(2)]
        self.assertEqual(sent[0]["MessageId"], sent[1]["MessageId"])
        self.assertEqual(len(queue.receive(MaxNumberOfMessages=10)), 1)

    def test_what_a_fifo_queue_needs_is_named(self):
        queue = self.new_fifo()
        self.assert_fails("MissingParameter", 400, "MessageGroupId",
                          queue.send, "a", MessageDeduplicationId="d")
        self.assert_invalid("ContentBasedDeduplication", queue.send, "a",
                            MessageGroupId="g")
        self.assert_invalid("DelaySeconds", self.send, queue, "a",
                            DelaySeconds=1)
        self.assert_invalid("MessageDeduplicationId", self.new_queue().send,
                            "a", MessageDeduplicationId="d")

    def test_attempt_that_is_repeated_gets_the_same(self):
        queue = self.new_fifo()
        for body in ("1", "2"):
            self.send(queue, body)
        attempts = [queue.receive(MaxNumberOfMessages=10,
                                  ReceiveRequestAttemptId="try")
                    for _ in range(2)]
        self.assertEqual(bodies(attempts[0]), ["1", "2"])
        self.assertEqual(*([m["ReceiptHandle"] for m in attempt]
                           for attempt in attempts))

    def test_expired_handle_deletes_nothing(self):
        queue = self.new_fifo()
        self.send(queue, "a")
        message = queue.one(VisibilityTimeout=1)
        queue.wait_counts(1, 0, 0)
        self.assert_invalid("expired", queue.delete, message)
        queue.one()


@on_both_stores
class DeadLetterTest(AwsTestCase):

    def test_failing_message_becomes_a_dead_letter(self):
        queue, letters = self.new_pair(2)
        sent = queue.send("poison", MessageAttributes=ATTRIBUTES)
        for _ in range(2):
            message = queue.one(VisibilityTimeout=0, AttributeNames=["All"])
        self.assertEqual(queue.receive(), [])
        letter = letters.one(AttributeNames=["All"],
                             MessageAttributeNames=["All"])
        self.assertEqual(letter["MessageId"], sent["MessageId"])
        self.assertEqual(letter["MessageAttributes"], ATTRIBUTES)
        self.assertEqual(letter["Attributes"]["DeadLetterQueueSourceArn"],
                         queue.arn)
        self.assertEqual(letter["Attributes"]["SentTimestamp"],
                         message["Attributes"]["SentTimestamp"])

    def test_sources_of_dead_letters_are_listed(self):
        letters = self.new_queue()
        urls = sorted(self.new_queue(RedrivePolicy=letters.redrive()).url
                      for _ in range(3))
        self.assertEqual(sorted(letters.call(
            "list_dead_letter_source_queues")["queueUrls"]), urls)
        pages = [page["queueUrls"] for page in self.client.get_paginator(
            "list_dead_letter_source_queues").paginate(
                QueueUrl=letters.url, PaginationConfig={"PageSize": 2})]
        self.assertEqual([len(page) for page in pages], [2, 1])
        self.assertEqual(sorted(sum(pages, [])), urls)


@on_both_stores
class ViewTest(AwsTestCase):

    def native(self, method, path, body=None):
        return self.server.request(method, path, body)

    def test_native_push_is_received_over_boto3(self):
        queue = self.new_queue()
        for body in (b'{"a":  [1e400, "<&>"]}', b'"text"', b"null"):
            pushed = self.native("POST", f"/queues/{queue.name}", body)
            message = queue.one()
            self.assertEqual(message["Body"], body.decode())
            self.assertEqual(message["MessageId"],
                             pushed.json()["messageID"])
            queue.delete(message)

    def test_message_of_boto3_is_received_natively(self):
        queue = self.new_queue()
        for body, wanted in (('{"a": [1, "b"]}', {"a": [1, "b"]}),
                             ("plain <&> \"text\"\n", None), ("{", None)):
            sent = queue.send(body)
            [message] = self.native(
                "GET", f"/queues/{queue.name}").json()["messages"]
            self.assertEqual(message, {
                "id": sent["MessageId"],
                "body": body if wanted is None else wanted})
            self.assert_status(self.native(
                "PATCH", f"/queues/{queue.name}/{message['id']}"), 204)
        self.assertEqual(queue.counts(), (0, 0, 0))


class ResourceTest(AwsTestCase):
    """The objects that boto3 makes of SQS."""

    def test_resource_sends_receives_holds_and_deletes(self):
        resource = session().resource("sqs", endpoint_url=self.endpoint)
        queue = resource.create_queue(
            QueueName="resource.fifo", Attributes={
                "FifoQueue": "true", "ContentBasedDeduplication": "true"})
        same = resource.get_queue_by_name(QueueName="resource.fifo")
        self.assertEqual(queue.url, same.url)
        self.assertEqual([q.url for q in resource.queues.filter(
            QueueNamePrefix="resource")], [queue.url])
        queue.send_messages(Entries=[
            {"Id": f"e{i}", "MessageBody": f"{i}", "MessageGroupId": "g",
             "MessageAttributes": {"i": text(str(i), "Number")}}
            for i in range(3)])
        messages = queue.receive_messages(
            MaxNumberOfMessages=10, AttributeNames=["All"],
            MessageAttributeNames=["All"])
        self.assertEqual([m.body for m in messages], ["0", "1", "2"])
        self.assertEqual(messages[2].message_attributes["i"]["StringValue"],
                         "2")
        self.assertEqual(messages[0].attributes["MessageGroupId"], "g")
        messages[0].delete()
        messages[1].change_visibility(VisibilityTimeout=0)
        queue.delete_messages(Entries=[
            {"Id": "a", "ReceiptHandle": messages[2].receipt_handle}])
        queue.load()
        self.assertEqual(queue.attributes["ApproximateNumberOfMessages"],
                         "1")
        queue.purge()
        queue.delete()
        with self.assertRaises(self.client.exceptions.QueueDoesNotExist):
            resource.get_queue_by_name(QueueName="resource.fifo")


class RestartTest(AwsTestCase):
    """What a durable server still knows after it was started again."""

    ON_DISK = True

    def restart(self):
        data = self.server.data
        self.server.stop()
        server = Server(data=data)
        type(self).server = server
        self.addClassCleanup(server.stop)
        endpoint = f"http://127.0.0.1:{server.port}"
        type(self).client = self.new_client(endpoint)
        return endpoint

    def moved(self, queue, endpoint):
        queue.url = f"{endpoint}/{ACCOUNT}/{queue.name}"

    def test_messages_handles_attributes_and_settings_survive(self):
        queue, letters = self.new_pair(9, VisibilityTimeout="600")
        queue.call("tag_queue", Tags={"a": "b"})
        queue.send("text", MessageAttributes=ATTRIBUTES,
                   MessageSystemAttributes=TRACE)
        locked = queue.one(AttributeNames=["All"])
        queue.send("more", MessageAttributes=ATTRIBUTES)
        before = queue.get()
        endpoint = self.restart()
        self.moved(queue, endpoint)
        after = queue.get()
        self.assertEqual(after, before)
        self.assertEqual(queue.call("list_queue_tags")["Tags"], {"a": "b"})
        self.assertEqual(queue.counts(), (1, 1, 0))
        message = queue.one(MessageAttributeNames=["All"])
        self.assertEqual(message["Body"], "more")
        self.assertEqual(message["MessageAttributes"], ATTRIBUTES)
        queue.change(locked, 0)
        again = queue.one(AttributeNames=["All"],
                          MessageAttributeNames=["All"])
        for name in ("SentTimestamp", "ApproximateFirstReceiveTimestamp",
                     "AWSTraceHeader"):
            self.assertEqual(again["Attributes"][name],
                             locked["Attributes"][name])
        self.assertEqual(again["Attributes"]["ApproximateReceiveCount"], "2")
        self.assertEqual(again["MessageAttributes"], ATTRIBUTES)
        queue.delete(again)
        wait_until(lambda: queue.counts() == (0, 1, 0), what="the delete")

    def test_deduplication_survives(self):
        queue = self.new_fifo()
        same = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
        sent = queue.send("a", **same)
        queue.delete(queue.one())
        endpoint = self.restart()
        self.moved(queue, endpoint)
        self.assertEqual(queue.send("a", **same)["MessageId"],
                         sent["MessageId"])
        self.assertEqual(queue.receive(), [])


if __name__ == "__main__":
    unittest.main()
