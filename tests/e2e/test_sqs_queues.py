"""Queues over SQS, in both protocols: made, found, listed, emptied, deleted,
and their attributes."""

import json
import unittest

from harness import now_epoch_ms, wait_until
from sqs_manage import arn, in_both

PREFIX = "AWS.SimpleQueueService."
INVALID = "InvalidParameterValue"
MISSING = PREFIX + "NonExistentQueue"
NAME_ERROR = "1 to 80 in length"


def redrive(target, **more):
    return json.dumps({"deadLetterTargetArn": arn(target), **more})


class Create:
    """CreateQueue."""

    def test_new_queue_has_the_presets_of_sqs(self):
        name = self.create()
        before = now_epoch_ms() // 1000
        got = self.attributes(name)
        created = int(got.pop("CreatedTimestamp"))
        self.assertLessEqual(abs(created - before), 5)
        self.assertEqual(int(got.pop("LastModifiedTimestamp")), created)
        self.assertEqual(got, {
            "VisibilityTimeout": "30", "DelaySeconds": "0",
            "MaximumMessageSize": "1048576",
            "MessageRetentionPeriod": "345600",
            "ReceiveMessageWaitTimeSeconds": "0",
            "ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesNotVisible": "0",
            "ApproximateNumberOfMessagesDelayed": "0",
            "SqsManagedSseEnabled": "true", "QueueArn": arn(name)})

    def test_default_queue_was_made_at_the_start(self):
        got = self.attributes("default")
        since = now_epoch_ms() // 1000 - int(got["CreatedTimestamp"])
        self.assertTrue(0 <= since < 3600, since)
        self.assertGreaterEqual(int(got["LastModifiedTimestamp"]),
                                int(got["CreatedTimestamp"]))

    def test_new_fifo_queue_has_more_of_them(self):
        name = self.create(self.name(fifo=True))
        got = self.attributes(name)
        self.assertEqual(
            {key: got[key] for key in (
                "FifoQueue", "ContentBasedDeduplication",
                "DeduplicationScope", "FifoThroughputLimit")},
            {"FifoQueue": "true", "ContentBasedDeduplication": "false",
             "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"})

    def test_attributes_are_taken(self):
        given = {"VisibilityTimeout": "43200", "DelaySeconds": "900",
                 "MaximumMessageSize": "1024",
                 "MessageRetentionPeriod": "60",
                 "ReceiveMessageWaitTimeSeconds": "20"}
        name = self.create(Attributes=given)
        self.assertEqual(self.attributes(name, *given), given)

    def test_it_is_a_queue_of_the_native_view(self):
        name = self.create(Attributes={"VisibilityTimeout": "7"},
                           tags={"a": "b"})
        info = self.native(name)["settings"]
        self.assertEqual(info["lockTimeout"], 7000)
        self.assertEqual(info["tags"], {"a": "b"})

    def test_the_same_again_is_the_same_queue(self):
        name = self.create(Attributes={"DelaySeconds": "5"})
        self.push(name)
        for given in ({}, {"DelaySeconds": "5"},
                      {"VisibilityTimeout": "30", "DelaySeconds": "5",
                       "SqsManagedSseEnabled": "true", "Policy": ""}):
            self.create(name, Attributes=given)
        self.assertEqual(self.attributes(name, "DelaySeconds"),
                         {"DelaySeconds": "5"})

    def test_another_attribute_is_refused(self):
        target = self.create()
        name = self.create()
        for key, value in (("DelaySeconds", "1"), ("VisibilityTimeout", "31"),
                           ("Policy", '{"Id": "x"}'),
                           ("RedrivePolicy", redrive(target)),
                           ("RedriveAllowPolicy",
                            '{"redrivePermission": "denyAll"}'),
                           ("SqsManagedSseEnabled", "false"),
                           ("KmsMasterKeyId", "k")):
            with self.subTest(key):
                self.assert_error(
                    "QueueAlreadyExists",
                    f"same name and a different value for attribute {key}",
                    self.create, name, Attributes={key: value})
        fifo = self.create(self.name(fifo=True))
        self.assert_error(
            "QueueAlreadyExists", "ContentBasedDeduplication", self.create,
            fifo, Attributes={"ContentBasedDeduplication": "true"})

    def test_names(self):
        longest = "n" * 80
        self.create(longest)
        self.create("n" * 75 + ".fifo")
        for bad in ("", "n" * 81, "a b", "a.b", "a/b", "\u00e9", "a\0b",
                    ".fifo", "x.fifo"):
            with self.subTest(bad):
                self.assert_error(INVALID, NAME_ERROR, self.call,
                                  "CreateQueue", QueueName=bad)
        for bad in ("x", "n" * 76 + ".fifo", ".fifo", "a b.fifo"):
            with self.subTest(bad):
                self.assert_error(
                    INVALID, "80 in length", self.call, "CreateQueue",
                    QueueName=bad, Attributes={"FifoQueue": "true"})

    def test_name_is_needed(self):
        self.assert_error(
            "MissingParameter",
            r"^The request must contain the parameter QueueName\.$",
            self.call, "CreateQueue")

    def test_bad_tags(self):
        for tags in ({"": "x"}, {"k" * 129: "x"}, {"k": "v" * 257},
                     {f"k{n}": "v" for n in range(51)}):
            self.assert_error(INVALID, "(?i)tag", self.call, "CreateQueue",
                              QueueName="never", tags=tags)
        self.assert_error(MISSING, "not exist", self.call, "GetQueueUrl",
                          QueueName="never")


class Attributes:
    """GetQueueAttributes and SetQueueAttributes."""

    def test_names_choose(self):
        name = self.create()
        self.assertEqual(self.attributes(name, "DelaySeconds", "QueueArn"),
                         {"DelaySeconds": "0", "QueueArn": arn(name)})
        self.assertEqual(
            self.call("GetQueueAttributes", QueueUrl=self.url(name)), {})
        self.assertEqual(self.attributes(name, "Policy", "FifoQueue"), {})

    def test_unknown_names_are_refused(self):
        name = self.create()
        for bad in ("Nope", "visibilityTimeout", ""):
            self.assert_error("InvalidAttributeName",
                              rf"^Unknown Attribute {bad}\.$",
                              self.attributes, name, bad)

    def test_numbers_have_limits(self):
        name = self.create()
        for key, low, high in (
                ("VisibilityTimeout", 0, 43200), ("DelaySeconds", 0, 900),
                ("MaximumMessageSize", 1024, 1048576),
                ("MessageRetentionPeriod", 60, 1209600),
                ("ReceiveMessageWaitTimeSeconds", 0, 20),
                ("KmsDataKeyReusePeriodSeconds", 60, 86400)):
            for good in (low, high):
                self.set(name, **{key: str(good)})
                self.assertEqual(self.attributes(name, key),
                                 {key: str(good)})
            for bad in (low - 1, high + 1, "x", "1.5", "1 ", "0x10",
                        "99999999999999999999"):
                with self.subTest(key, value=bad):
                    self.assert_error(
                        "InvalidAttributeValue",
                        rf"^Invalid value for the parameter {key}\.",
                        self.set, name, **{key: str(bad)})
            self.assertEqual(self.attributes(name, key), {key: str(high)})

    def test_words_are_checked(self):
        name = self.create(self.name(fifo=True))
        for key, good in (
                ("ContentBasedDeduplication", ("true", "false")),
                ("DeduplicationScope", ("messageGroup", "queue")),
                ("FifoThroughputLimit", ("perQueue",)),
                ("SqsManagedSseEnabled", ("false", "true"))):
            for value in good:
                self.set(name, **{key: value})
                self.assertEqual(self.attributes(name, key), {key: value})
            self.assert_error("InvalidAttributeValue", key, self.set, name,
                              **{key: "Maybe"})

    def test_throughput_by_group_needs_repeats_by_group(self):
        name = self.create(self.name(fifo=True))
        self.assert_error(
            "InvalidAttributeValue", "DeduplicationScope is messageGroup",
            self.set, name, FifoThroughputLimit="perMessageGroupId")
        self.set(name, DeduplicationScope="messageGroup")
        self.set(name, FifoThroughputLimit="perMessageGroupId")
        self.assert_error("InvalidAttributeValue", "messageGroup", self.set,
                          name, DeduplicationScope="queue")
        self.assertEqual(
            self.attributes(name, "FifoThroughputLimit"),
            {"FifoThroughputLimit": "perMessageGroupId"})

    def test_what_cannot_be_set(self):
        name = self.create()
        for key in ("QueueArn", "CreatedTimestamp", "LastModifiedTimestamp",
                    "ApproximateNumberOfMessages", "FifoQueue",
                    "ContentBasedDeduplication", "DeduplicationScope",
                    "FifoThroughputLimit", "All", "Nope"):
            self.assert_error("InvalidAttributeName",
                              rf"^Unknown Attribute {key}\.$", self.set, name,
                              **{key: "true"})
        fifo = self.create(self.name(fifo=True))
        self.set(fifo, FifoQueue="true")
        self.assert_error("InvalidAttributeValue",
                          "Modifying queue type is not supported", self.set,
                          fifo, FifoQueue="false")

    def test_texts_are_given_back_as_they_came(self):
        name = self.create()
        policy = '{"Version": "2012-10-17",\n "Statement": [], "x": "<&\u00e9"}'
        allow = '{ "redrivePermission" : "allowAll" }'
        self.set(name, Policy=policy, RedriveAllowPolicy=allow)
        self.assertEqual(
            self.attributes(name, "Policy", "RedriveAllowPolicy"),
            {"Policy": policy, "RedriveAllowPolicy": allow})
        self.set(name, Policy="", RedriveAllowPolicy="")
        self.assertEqual(
            self.attributes(name, "Policy", "RedriveAllowPolicy"), {})

    def test_policy_must_be_json(self):
        name = self.create()
        for bad in ("x", "[]", '"x"', "{", json.dumps({"a": "x" * 8192})):
            self.assert_error("InvalidAttributeValue", "Policy", self.set,
                              name, Policy=bad)

    def test_one_kind_of_encryption(self):
        name = self.create()
        names = ("KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds",
                 "SqsManagedSseEnabled")
        self.set(name, KmsMasterKeyId="alias/k")
        self.assertEqual(self.attributes(name, *names), {
            "KmsMasterKeyId": "alias/k",
            "KmsDataKeyReusePeriodSeconds": "300",
            "SqsManagedSseEnabled": "false"})
        self.assert_error("InvalidAttributeName", "one type of server-side",
                          self.set, name, SqsManagedSseEnabled="true")
        self.set(name, KmsMasterKeyId="", SqsManagedSseEnabled="true")
        self.assertEqual(self.attributes(name, *names),
                         {"SqsManagedSseEnabled": "true"})

    def test_counts_are_those_of_the_queue(self):
        name = self.create(Attributes={"VisibilityTimeout": "600"})
        for query in ("", "", "", "?delay=600000"):
            self.push(name, query=query)
        self.server.request("GET", f"/queues/{name}?amount=1")
        got = self.attributes(name)
        self.assertEqual(
            [got["ApproximateNumberOfMessages" + suffix]
             for suffix in ("", "NotVisible", "Delayed")], ["2", "1", "1"])

    def test_times_shorter_than_a_second_are_one(self):
        name = self.create()
        self.server.request("PUT", f"/queues/{name}",
                            b'{"lockTimeout": 1500}')
        self.assertEqual(self.attributes(name, "VisibilityTimeout"),
                         {"VisibilityTimeout": "2"})

    def test_queue_that_is_not_there(self):
        for call in (lambda: self.attributes("nobody"),
                     lambda: self.set("nobody", DelaySeconds="1")):
            self.assert_error(MISSING, "specified queue does not exist", call)

    def test_attributes_are_needed(self):
        name = self.create()
        self.assert_error("MissingParameter", "Attributes", self.call,
                          "SetQueueAttributes", QueueUrl=self.url(name))


class DeadLetters:
    """RedrivePolicy and RedriveAllowPolicy."""

    def test_redrive_policy(self):
        target, name = self.create(), self.create()
        self.set(name, RedrivePolicy=redrive(target, maxReceiveCount=7))
        self.assertEqual(
            json.loads(self.attributes(name)["RedrivePolicy"]),
            {"deadLetterTargetArn": arn(target), "maxReceiveCount": 7})
        settings = self.native(name)["settings"]
        self.assertEqual(settings["deadLetterQueue"], target)
        self.assertEqual(settings["maxReceives"], 7)
        self.set(name, RedrivePolicy="")
        self.assertNotIn("RedrivePolicy", self.attributes(name))

    def test_count_may_be_text_and_has_a_preset(self):
        target = self.create()
        for more, count in (({"maxReceiveCount": "1000"}, 1000), ({}, 10)):
            name = self.create(Attributes={
                "RedrivePolicy": redrive(target, **more)})
            self.assertEqual(
                json.loads(self.attributes(name)["RedrivePolicy"])[
                    "maxReceiveCount"], count)

    def test_bad_policies(self):
        target, name = self.create(), self.create()
        for bad, why in (
                ("x", "valid JSON map"), ("[]", "valid JSON map"),
                ("{}", "mandatory attribute: deadLetterTargetArn"),
                ('{"maxReceiveCount": 3}', "deadLetterTargetArn"),
                ('{"deadLetterTargetArn": "x"}', "deadLetterTargetArn"),
                (redrive(target, maxReceiveCount=0), "1 to 1000"),
                (redrive(target, maxReceiveCount=1001), "1 to 1000"),
                (redrive(target, maxReceiveCount="x"), "1 to 1000"),
                (redrive(target, maxReceiveCount=1.5), "1 to 1000"),
                (redrive("nobody"), "target does not exist")):
            with self.subTest(bad):
                self.assert_error(INVALID, f"RedrivePolicy is.*{why}",
                                  self.set, name, RedrivePolicy=bad)
        self.assert_error(INVALID, "target does not exist", self.call,
                          "CreateQueue", QueueName="never",
                          Attributes={"RedrivePolicy": redrive("nobody")})
        self.assert_error(MISSING, "not exist", self.attributes, "never")

    def test_kinds_must_be_the_same(self):
        target = self.create(self.name(fifo=True))
        name = self.create()
        self.assert_error(INVALID, "same type", self.set, name,
                          RedrivePolicy=redrive(target))

    def test_target_may_deny(self):
        target, name, other = (self.create() for _ in range(3))
        policy = redrive(target)
        self.set(target,
                 RedriveAllowPolicy='{"redrivePermission": "denyAll"}')
        self.assert_error(INVALID, "RedriveAllowPolicy", self.set, name,
                          RedrivePolicy=policy)
        by_queue = json.dumps({"redrivePermission": "byQueue",
                               "sourceQueueArns": [arn(name)]})
        self.set(target, RedriveAllowPolicy=by_queue)
        self.assertEqual(self.attributes(target)["RedriveAllowPolicy"],
                         by_queue)
        self.set(name, RedrivePolicy=policy)
        self.assert_error(INVALID, "RedriveAllowPolicy", self.set, other,
                          RedrivePolicy=policy)
        self.set(target, RedriveAllowPolicy="")
        self.set(other, RedrivePolicy=policy)

    def test_bad_allow_policies(self):
        name = self.create()
        arns = [arn(f"q{n}") for n in range(11)]
        for bad in ("x", "{}", '{"redrivePermission": "some"}',
                    '{"redrivePermission": "byQueue"}',
                    json.dumps({"redrivePermission": "byQueue",
                                "sourceQueueArns": arns}),
                    json.dumps({"redrivePermission": "byQueue",
                                "sourceQueueArns": ["x"]}),
                    json.dumps({"redrivePermission": "denyAll",
                                "sourceQueueArns": arns[:1]})):
            with self.subTest(bad):
                self.assert_error(INVALID, "RedriveAllowPolicy", self.set,
                                  name, RedriveAllowPolicy=bad)
        self.set(name, RedriveAllowPolicy=json.dumps({
            "redrivePermission": "byQueue", "sourceQueueArns": arns[:10]}))

    def test_sources_are_listed(self):
        target = self.create()
        sources = sorted(self.create(Attributes={
            "RedrivePolicy": redrive(target)}) for _ in range(3))
        self.create()
        urls = [self.url(name) for name in sources]
        listed = self.call("ListDeadLetterSourceQueues",
                           QueueUrl=self.url(target))
        self.assertEqual(listed, {"queueUrls": urls})
        page = self.call("ListDeadLetterSourceQueues", MaxResults=2,
                         QueueUrl=self.url(target))
        self.assertEqual(page["queueUrls"], urls[:2])
        rest = self.call("ListDeadLetterSourceQueues", MaxResults=2,
                         QueueUrl=self.url(target),
                         NextToken=page["NextToken"])
        self.assertEqual(rest, {"queueUrls": urls[2:]})

    def test_sources_of_no_queue(self):
        self.assert_error(MISSING, "not exist", self.call,
                          "ListDeadLetterSourceQueues",
                          QueueUrl=self.url("nobody"))

    def test_target_can_be_deleted(self):
        target = self.create()
        name = self.create(Attributes={"RedrivePolicy": redrive(target)})
        self.call("DeleteQueue", QueueUrl=self.url(target))
        self.assertNotIn("RedrivePolicy", self.attributes(name))


class Find:
    """GetQueueUrl, ListQueues, DeleteQueue and PurgeQueue."""

    def test_url(self):
        name = self.create()
        for more in ({}, {"QueueOwnerAWSAccountId": "123456789012"}):
            self.assertEqual(
                self.call("GetQueueUrl", QueueName=name, **more),
                {"QueueUrl": self.url(name)})

    def test_url_of_no_queue(self):
        for bad in ("nobody", "", "a/b", "n" * 300, "\u00e9"):
            with self.subTest(bad):
                self.assert_error(MISSING, "specified queue does not exist",
                                  self.call, "GetQueueUrl", QueueName=bad)
        self.assert_error("MissingParameter", "QueueName", self.call,
                          "GetQueueUrl")

    def test_queue_of_the_native_view_is_found(self):
        name = self.name()
        self.addCleanup(self.server.request, "DELETE", f"/queues/{name}")
        self.push(name)
        self.assertEqual(self.call("GetQueueUrl", QueueName=name),
                         {"QueueUrl": self.url(name)})

    def test_queue_urls_in_requests(self):
        name = self.create()
        for url in (f"https://sqs.us-east-1.amazonaws.com/123/{name}",
                    f"/000000000000/{name}", f"queue/{name}", name):
            self.assertEqual(
                self.call("GetQueueAttributes", QueueUrl=url,
                          AttributeNames=["QueueArn"]),
                {"Attributes": {"QueueArn": arn(name)}})
        for bad in ("", "/", "http://localhost/1/", "n" * 200):
            self.assert_error("InvalidAddress", "not valid", self.call,
                              "GetQueueAttributes", QueueUrl=bad)
        self.assert_error("MissingParameter", "QueueUrl", self.call,
                          "PurgeQueue")

    def test_list(self):
        names = sorted(self.create(f"list-{n}") for n in (1, 2, 3))
        urls = [self.url(name) for name in names]
        self.assertEqual(self.call("ListQueues", QueueNamePrefix="list-"),
                         {"QueueUrls": urls})
        self.assertIn(urls[1], self.call("ListQueues")["QueueUrls"])
        self.assertEqual(self.call("ListQueues", QueueNamePrefix="no-"), {})

    def test_pages(self):
        names = sorted(self.create(f"page-{n}") for n in range(5))
        got, more = [], {}
        for size in (2, 2, 1):
            page = self.call("ListQueues", QueueNamePrefix="page-",
                             MaxResults=2, **more)
            self.assertEqual(len(page["QueueUrls"]), size)
            got += page["QueueUrls"]
            more = {"NextToken": page.get("NextToken")}
        self.assertIsNone(more["NextToken"])
        self.assertEqual(got, [self.url(name) for name in names])
        self.assertNotIn("NextToken", self.call(
            "ListQueues", QueueNamePrefix="page-", MaxResults=5))

    def test_bad_pages(self):
        for bad in (0, -1, 1001, 10 ** 15):
            self.assert_error(INVALID, "MaxResults.*1 and 1000", self.call,
                              "ListQueues", MaxResults=bad)
        for bad in ("", "n" * 100):
            self.assert_error(INVALID, "token", self.call, "ListQueues",
                              NextToken=bad, MaxResults=2)

    def test_purge(self):
        name = self.create()
        for _ in range(3):
            self.push(name)
        for _ in range(2):
            self.assertEqual(
                self.call("PurgeQueue", QueueUrl=self.url(name)), {})
        self.assertEqual(
            self.attributes(name, "ApproximateNumberOfMessages"),
            {"ApproximateNumberOfMessages": "0"})

    def test_delete(self):
        name = self.create()
        self.push(name)
        url = self.url(name)
        self.assertEqual(self.call("DeleteQueue", QueueUrl=url), {})
        for action in ("DeleteQueue", "PurgeQueue", "ListQueueTags",
                       "GetQueueAttributes"):
            self.assert_error(MISSING, "specified queue does not exist",
                              self.call, action, QueueUrl=url)
        self.create(name)               # the name is free at once
        self.assertEqual(
            self.attributes(name, "ApproximateNumberOfMessages"),
            {"ApproximateNumberOfMessages": "0"})

    def test_default_queue_stays(self):
        self.assert_error(PREFIX + "UnsupportedOperation", "always exists",
                          self.call, "DeleteQueue",
                          QueueUrl=self.url("default"))


class Waits:
    """The 60 seconds of SQS, with their switch on."""

    OPTIONS = ("--sqs-waits", "true")

    def test_purge_and_delete(self):
        name = self.create()
        url = self.url(name)
        self.call("PurgeQueue", QueueUrl=url)
        self.assert_error(PREFIX + "PurgeQueueInProgress",
                          f"{name} is allowed every 60 seconds", self.call,
                          "PurgeQueue", QueueUrl=url, status=403)
        self.call("DeleteQueue", QueueUrl=url)
        wait_until(lambda: self.server.request(
            "GET", f"/queues/{name}/info").status == 404)
        self.assert_error(PREFIX + "QueueDeletedRecently", "60 seconds",
                          self.create, name)


in_both(globals(), Create, Attributes, DeadLetters, Find, Waits)

if __name__ == "__main__":
    unittest.main()
