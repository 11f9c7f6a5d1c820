"""Queues, their attributes, tags and permissions over boto3, which in Debian's
version speaks the Query protocol."""

import json
import time
import unittest

import aws
from aws import ACCOUNT, PREFIX, AwsTestCase, on_both_stores
from harness import WqTestCase, free_port

NO_QUEUE = PREFIX + "NonExistentQueue"
RANGES = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86400),
    "MaximumMessageSize": (1024, 1048576),
    "MessageRetentionPeriod": (60, 1209600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43200),
}


@on_both_stores
class QueueTest(AwsTestCase):

    def create(self, name, **attributes):
        return self.client.create_queue(
            QueueName=name, Attributes=attributes)["QueueUrl"]

    def test_create_gives_a_url_that_get_queue_url_gives_too(self):
        name = self.new_name()
        answer = self.client.create_queue(QueueName=name)
        self.assertEqual(answer["QueueUrl"],
                         f"{self.endpoint}/{ACCOUNT}/{name}")
        self.assertTrue(answer["ResponseMetadata"]["RequestId"])
        self.assertEqual(
            self.client.get_queue_url(QueueName=name)["QueueUrl"],
            answer["QueueUrl"])

    def test_create_again_with_equal_attributes_gives_the_url(self):
        queue = self.new_queue(DelaySeconds="1", VisibilityTimeout="3")
        for attributes in ({}, {"DelaySeconds": "1"},
                           {"DelaySeconds": "1", "VisibilityTimeout": "3"}):
            self.assertEqual(self.create(queue.name, **attributes),
                             queue.url)

    def test_create_with_other_attributes_is_refused(self):
        queue = self.new_queue(DelaySeconds="1")
        error = self.assert_fails(
            "QueueAlreadyExists", 400, "DelaySeconds", self.create,
            queue.name, DelaySeconds="2")
        self.assertIsInstance(error, self.client.exceptions.QueueNameExists)

    def test_names_have_their_rules(self):
        self.create("B" * 80)
        for bad in ("B" * 81, "a b", "a.b", "a.fifo", "\xe4", "a&b=c"):
            self.assert_invalid("", self.create, bad)
        self.assert_invalid("", self.create, self.new_name(),
                            FifoQueue="true")

    def test_fifo_queue_is_made_with_its_suffix(self):
        queue = self.new_fifo(ContentBasedDeduplication="true")
        found = queue.get("FifoQueue", "ContentBasedDeduplication")
        self.assertEqual(found, {"FifoQueue": "true",
                                 "ContentBasedDeduplication": "true"})

    def test_list_queues_lists_by_prefix_and_in_pages(self):
        prefix = self.new_name("-list-")
        self.assertNotIn("QueueUrls", self.client.list_queues(
            QueueNamePrefix=prefix))
        urls = [self.create(f"{prefix}{i}") for i in range(5)]
        self.assertEqual(sorted(self.client.list_queues(
            QueueNamePrefix=prefix)["QueueUrls"]), urls)
        pages = [page.get("QueueUrls", []) for page in
                 self.client.get_paginator("list_queues").paginate(
                     QueueNamePrefix=prefix,
                     PaginationConfig={"PageSize": 2})]
        self.assertEqual([len(page) for page in pages][:3], [2, 2, 1])
        self.assertEqual(sorted(sum(pages, [])), urls)

    def test_list_queues_gives_1000_where_no_number_is_named(self):
        prefix = self.new_name("-many-")
        with self.server.connect() as connection:
            for i in range(1001):
                self.assert_status(connection.request(
                    "PUT", f"/queues/{prefix}{i}", b"{}"), 201)
        answer = self.client.list_queues(QueueNamePrefix=prefix)
        self.assertEqual(len(set(answer["QueueUrls"])), 1000)
        self.assertNotIn("NextToken", answer)
        answer = self.client.list_queues(QueueNamePrefix=prefix,
                                         MaxResults=1000)
        self.assertEqual(len(answer["QueueUrls"]), 1000)
        rest = self.client.list_queues(
            QueueNamePrefix=prefix, MaxResults=1000,
            NextToken=answer["NextToken"])
        self.assertEqual(len(rest["QueueUrls"]), 1)
        self.assertNotIn("NextToken", rest)

    def test_list_queues_wants_1_to_1000_results(self):
        for bad in (0, 1001):
            self.assert_invalid("", self.client.list_queues, MaxResults=bad)

    def test_absent_queue_is_non_existent_queue(self):
        error = self.assert_fails(
            NO_QUEUE, 400, "does not exist", self.client.get_queue_url,
            QueueName=self.new_name("-absent"))
        self.assertIsInstance(error, self.client.exceptions.QueueDoesNotExist)
        absent = self.new_queue()
        absent.send("a")
        handle = {"ReceiptHandle": absent.one()["ReceiptHandle"]}
        absent.call("delete_queue")
        entry = {"Id": "a", **handle}
        for verb, arguments in {
                "add_permission": {"Label": "a", "AWSAccountIds": ["1" * 12],
                                   "Actions": ["SendMessage"]},
                "change_message_visibility": {
                    **handle, "VisibilityTimeout": 1},
                "change_message_visibility_batch": {
                    "Entries": [{**entry, "VisibilityTimeout": 1}]},
                "delete_message": handle,
                "delete_message_batch": {"Entries": [entry]},
                "get_queue_attributes": {"AttributeNames": ["All"]},
                "list_dead_letter_source_queues": {},
                "list_queue_tags": {},
                "purge_queue": {},
                "receive_message": {},
                "remove_permission": {"Label": "a"},
                "send_message": {"MessageBody": "a"},
                "send_message_batch": {
                    "Entries": [{"Id": "a", "MessageBody": "a"}]},
                "set_queue_attributes": {"Attributes": {"Policy": ""}},
                "tag_queue": {"Tags": {"a": "b"}},
                "untag_queue": {"TagKeys": ["a"]}}.items():
            with self.subTest(verb):
                self.assert_fails(NO_QUEUE, 400, "does not exist",
                                  absent.call, verb, **arguments)

    def test_missing_parameters_are_named(self):
        url = self.new_queue().url
        for verb, needed, given in (
                ("create_queue", "QueueName", {}),
                ("get_queue_url", "QueueName", {}),
                ("send_message", "MessageBody", {"QueueUrl": url}),
                ("delete_message", "ReceiptHandle", {"QueueUrl": url}),
                ("change_message_visibility", "VisibilityTimeout",
                 {"QueueUrl": url, "ReceiptHandle": "AAAA"}),
                ("add_permission", "Label", {
                    "QueueUrl": url, "Actions": ["SendMessage"],
                    "AWSAccountIds": ["1" * 12]}),
                ("remove_permission", "Label", {"QueueUrl": url})):
            with self.subTest(verb):
                self.assert_fails("MissingParameter", 400, needed,
                                  getattr(self.loose, verb), **given)

    def test_deleted_queue_is_gone_and_its_name_is_free(self):
        queue = self.new_queue()
        queue.send("old")
        queue.call("delete_queue")
        self.assert_fails(NO_QUEUE, 400, "", queue.receive)
        self.create(queue.name, VisibilityTimeout="5")
        self.assertEqual(queue.receive(), [])

    def test_purge_takes_all_and_may_be_repeated(self):
        queue = self.new_queue()
        queue.send("locked")
        queue.one()
        queue.send("visible")
        queue.send("delayed", DelaySeconds=900)
        self.assertEqual(queue.counts(), (1, 1, 1))
        queue.call("purge_queue")
        queue.call("purge_queue")
        queue.wait_counts(0, 0, 0)

    # Tags and permissions

    def test_tags_come_change_and_go(self):
        queue = self.new_queue(tags={"one": "1", "two": "<&>"})
        queue.call("tag_queue", Tags={"two": "zwei \xfc", "three": ""})

        def tags():
            return queue.call("list_queue_tags").get("Tags", {})
        self.assertEqual(tags(),
                         {"one": "1", "two": "zwei \xfc", "three": ""})
        queue.call("untag_queue", TagKeys=["one", "three", "none"])
        self.assertEqual(tags(), {"two": "zwei \xfc"})
        queue.call("untag_queue", TagKeys=["two"])
        self.assertEqual(tags(), {})

    def permit(self, queue, label, *actions):
        return queue.call("add_permission", Label=label,
                          AWSAccountIds=["1" * 12], Actions=actions)

    def test_permissions_become_statements_of_the_policy(self):
        queue = self.new_queue()
        self.permit(queue, "one", "SendMessage")
        self.permit(queue, "two", "SendMessage", "ReceiveMessage")
        policy = json.loads(queue.get("Policy")["Policy"])
        self.assertEqual(policy["Version"], "2008-10-17")
        self.assertEqual(policy["Id"], queue.arn + "/SQSDefaultPolicy")
        one, two = policy["Statement"]
        self.assertEqual(one, {
            "Sid": "one", "Effect": "Allow", "Action": "SQS:SendMessage",
            "Principal": {"AWS": f"arn:aws:iam::{'1' * 12}:root"},
            "Resource": queue.arn})
        self.assertEqual(sorted(two["Action"]),
                         ["SQS:ReceiveMessage", "SQS:SendMessage"])
        queue.call("remove_permission", Label="one")
        policy = json.loads(queue.get("Policy")["Policy"])
        self.assertEqual([s["Sid"] for s in policy["Statement"]], ["two"])
        queue.call("remove_permission", Label="two")
        self.assertEqual(queue.get("Policy"), {})

    def test_bad_permissions_are_refused(self):
        queue = self.new_queue()
        self.permit(queue, "one", "SendMessage")
        self.assert_invalid("Label", self.permit, queue, "one", "SendMessage")
        self.assert_invalid("Label", queue.call, "remove_permission",
                            Label="none")
        self.assert_invalid("Dance", self.permit, queue, "two", "Dance")
        error = self.assert_fails(
            "OverLimit", 403, "", self.permit, queue, "many", "SendMessage",
            "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility",
            "GetQueueAttributes", "GetQueueUrl", "PurgeQueue",
            "ListDeadLetterSourceQueues")
        self.assertIsInstance(error, self.client.exceptions.OverLimit)


@on_both_stores
class AttributeTest(AwsTestCase):

    def test_standard_queue_has_the_defaults_of_sqs(self):
        before = int(time.time()) - 1
        queue = self.new_queue()
        found = queue.get()
        for name in ("CreatedTimestamp", "LastModifiedTimestamp"):
            self.assertTrue(before <= int(found.pop(name))
                            <= time.time() + 1)
        self.assertEqual(found, {
            "ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesDelayed": "0",
            "ApproximateNumberOfMessagesNotVisible": "0",
            "DelaySeconds": "0",
            "MaximumMessageSize": "1048576",
            "MessageRetentionPeriod": "345600",
            "QueueArn": queue.arn,
            "ReceiveMessageWaitTimeSeconds": "0",
            "SqsManagedSseEnabled": "true",
            "VisibilityTimeout": "30"})

    def test_numbers_have_their_ranges(self):
        for name, (least, most) in RANGES.items():
            with self.subTest(name):
                queue = self.new_queue(**{name: str(least)})
                self.assertEqual(queue.get(name), {name: str(least)})
                queue.set(**{name: str(most)})
                self.assertEqual(queue.get(name), {name: str(most)})
                for bad in (str(least - 1), str(most + 1), "x"):
                    self.assert_fails("InvalidAttributeValue", 400, name,
                                      queue.set, **{name: bad})

    def test_fifo_attributes_are_given_back(self):
        queue = self.new_fifo()
        wanted = {"ContentBasedDeduplication": "true",
                  "DeduplicationScope": "messageGroup",
                  "FifoThroughputLimit": "perMessageGroupId"}
        queue.set(**wanted)
        self.assertEqual(queue.get(*wanted), wanted)

    def test_unknown_attributes_are_refused(self):
        queue = self.new_queue()
        self.assert_fails("InvalidAttributeName", 400, "", queue.get,
                          "Colour")
        self.assert_fails("InvalidAttributeName", 400, "Colour", queue.set,
                          Colour="red")
        self.assert_fails("InvalidAttributeName", 400, "QueueArn", queue.set,
                          QueueArn="a")
        self.assert_fails("InvalidAttributeName", 400, "FifoQueue",
                          queue.set, FifoQueue="true")

    def test_policies_and_kms_are_given_back(self):
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{
            "Sid": "<a> & \"b\"", "Effect": "Deny", "Principal": "*",
            "Action": "sqs:*", "Resource": "*"}]})
        wanted = {"Policy": policy, "KmsMasterKeyId": "alias/aws/sqs",
                  "KmsDataKeyReusePeriodSeconds": "600"}
        queue = self.new_queue(**wanted)
        self.assertEqual(queue.get(*wanted), wanted)
        queue.set(Policy="", KmsMasterKeyId="")
        found = queue.get()
        self.assertNotIn("Policy", found)
        self.assertNotIn("KmsMasterKeyId", found)

    def test_redrive_policies_are_given_back_and_checked(self):
        queue, letters = self.new_pair(7)
        self.assertEqual(
            json.loads(queue.get("RedrivePolicy")["RedrivePolicy"]),
            {"deadLetterTargetArn": letters.arn, "maxReceiveCount": 7})
        for bad in (letters.redrive(0), letters.redrive(1001), "{", "{}",
                    self.new_fifo().redrive()):
            self.assert_invalid("", queue.set, RedrivePolicy=bad)
        queue.set(RedrivePolicy="")
        self.assertNotIn("RedrivePolicy", queue.get())

    def test_redrive_allow_policy_says_whose_dead_letters_come(self):
        letters, source = self.new_queue(), self.new_queue()

        def allow(permission, **more):
            letters.set(RedriveAllowPolicy=json.dumps(
                {"redrivePermission": permission, **more}))
        allow("denyAll")
        self.assert_invalid("", source.set, RedrivePolicy=letters.redrive())
        allow("byQueue", sourceQueueArns=[source.arn])
        source.set(RedrivePolicy=letters.redrive())
        self.assertEqual(
            json.loads(letters.get()["RedriveAllowPolicy"]),
            {"redrivePermission": "byQueue", "sourceQueueArns": [source.arn]})


@unittest.skipIf(aws.boto3 is None, "boto3 is needed")
class OptionTest(WqTestCase):
    """What the command line says of SQS."""

    def urls(self, server, host="127.0.0.1"):
        client = AwsTestCase.new_client(f"http://{host}:{server.port}")
        return (client.create_queue(QueueName="a")["QueueUrl"],
                client.get_queue_url(QueueName="a")["QueueUrl"],
                *client.list_queues()["QueueUrls"])

    def test_url_has_the_host_that_was_asked(self):
        server = self.start()
        for host in ("127.0.0.1", "localhost"):
            url = f"http://{host}:{server.port}/{ACCOUNT}/a"
            self.assertEqual(set(self.urls(server, host)) - {
                f"http://{host}:{server.port}/{ACCOUNT}/default"}, {url})

    def test_public_url_overrides_the_host(self):
        port = free_port()
        server = self.start("--public-url", f"https://queue.example:{port}")
        urls = self.urls(server)
        self.assertIn(f"https://queue.example:{port}/{ACCOUNT}/a", urls)
        for url in urls:
            self.assertTrue(url.startswith(
                f"https://queue.example:{port}/{ACCOUNT}/"), url)

    def test_account_and_region_are_settings(self):
        server = self.start("--sqs-account", "123456789012",
                            "--sqs-region", "eu-central-1")
        client = AwsTestCase.new_client(f"http://127.0.0.1:{server.port}")
        url = client.create_queue(QueueName="a")["QueueUrl"]
        self.assertTrue(url.endswith("/123456789012/a"), url)
        self.assertEqual(client.get_queue_attributes(
            QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"],
            {"QueueArn": "arn:aws:sqs:eu-central-1:123456789012:a"})

    def test_waits_of_sqs_are_switched_on(self):
        server = self.start("--sqs-waits", "true")
        client = AwsTestCase.new_client(f"http://127.0.0.1:{server.port}")
        url = client.create_queue(QueueName="a")["QueueUrl"]
        client.purge_queue(QueueUrl=url)
        for call, arguments, code, status in (
                (client.purge_queue, {"QueueUrl": url},
                 "PurgeQueueInProgress", 403),
                (client.create_queue, {"QueueName": "a"},
                 "QueueDeletedRecently", 400)):
            if status == 400:
                client.delete_queue(QueueUrl=url)
            with self.assertRaises(getattr(client.exceptions, code)) as error:
                call(**arguments)
            answer = error.exception.response
            self.assertEqual(
                (answer["Error"]["Code"],
                 answer["ResponseMetadata"]["HTTPStatusCode"]),
                (PREFIX + code, status))


if __name__ == "__main__":
    unittest.main()
