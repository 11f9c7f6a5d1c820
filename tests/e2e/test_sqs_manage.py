"""Tags, permissions and move tasks over SQS, in both protocols."""

import json
import threading
import unittest

from harness import now_epoch_ms, wait_until
from sqs_manage import arn, in_both

INVALID = "InvalidParameterValue"
MISSING = "AWS.SimpleQueueService.NonExistentQueue"
NOT_FOUND = "ResourceNotFoundException"
ODD = "<&>\"' \u00e9\U0001f600"


class Tags:
    """TagQueue, UntagQueue and ListQueueTags."""

    def tags(self, name):
        return self.call("ListQueueTags", QueueUrl=self.url(name)).get(
            "Tags", {})

    def tag(self, name, **tags):
        self.assertEqual(self.call("TagQueue", QueueUrl=self.url(name),
                                   Tags=tags), {})

    def test_tags_are_added_replaced_and_removed(self):
        name = self.create(tags={"a": "1", "b": "2"})
        self.tag(name, b="3", c="", **{ODD: ODD})
        self.assertEqual(self.tags(name),
                         {"a": "1", "b": "3", "c": "", ODD: ODD})
        self.call("UntagQueue", QueueUrl=self.url(name),
                  TagKeys=["a", ODD, "nobody"])
        self.assertEqual(self.tags(name), {"b": "3", "c": ""})
        self.call("UntagQueue", QueueUrl=self.url(name), TagKeys=["b", "c"])
        self.assertEqual(self.tags(name), {})

    def test_they_are_those_of_the_native_view(self):
        name = self.create()
        self.tag(name, a="b")
        self.assertEqual(self.native(name)["settings"]["tags"], {"a": "b"})
        self.server.request("PUT", f"/queues/{name}",
                            b'{"tags": {"c": "d"}}')
        self.assertEqual(self.tags(name), {"c": "d"})

    def test_limits(self):
        name = self.create()
        self.tag(name, **{"k" * 128: "v" * 256, "\u00e9" * 128: "\u20ac" * 256})
        for bad in ({"": "x"}, {"k" * 129: ""}, {"k": "v" * 257}):
            self.assert_error(INVALID, "characters in length", self.tag, name,
                              **bad)
        self.tag(name, **{f"t{n}": "" for n in range(48)})
        self.assert_error(INVALID, "at most 50", self.tag, name, more="")
        self.assertEqual(len(self.tags(name)), 50)

    def test_what_is_missing(self):
        url = self.url(self.create())
        for action, parameter in (("TagQueue", "Tags"),
                                  ("UntagQueue", "TagKeys")):
            self.assert_error("MissingParameter", parameter, self.call,
                              action, QueueUrl=url)
        for action, more in (("TagQueue", {"Tags": {"a": "b"}}),
                             ("UntagQueue", {"TagKeys": ["a"]}),
                             ("ListQueueTags", {})):
            self.assert_error(MISSING, "not exist", self.call, action,
                              QueueUrl=self.url("nobody"), **more)

    def test_many_at_once_are_all_kept(self):
        name = self.create()
        threads = [threading.Thread(target=self.tag, args=(name,),
                                    kwargs={f"t{n}": str(n)})
                   for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.tags(name),
                         {f"t{n}": str(n) for n in range(16)})


class Permissions:
    """AddPermission and RemovePermission."""

    ONE, OTHER = "123456789012", "210987654321"

    def add(self, name, label="a", accounts=(ONE,), actions=("SendMessage",)):
        return self.call("AddPermission", QueueUrl=self.url(name),
                         Label=label, AWSAccountIds=list(accounts),
                         Actions=list(actions))

    def remove(self, name, label="a"):
        return self.call("RemovePermission", QueueUrl=self.url(name),
                         Label=label)

    def policy(self, name):
        text = self.attributes(name, "Policy").get("Policy")
        return json.loads(text) if text else None

    def test_policy_is_made_and_goes_again(self):
        name = self.create()
        self.assertEqual(self.add(name), {})
        root = "arn:aws:iam::%s:root"
        first = {"Sid": "a", "Effect": "Allow",
                 "Principal": {"AWS": root % self.ONE},
                 "Action": "SQS:SendMessage", "Resource": arn(name)}
        self.assertEqual(self.policy(name), {
            "Version": "2008-10-17", "Id": arn(name) + "/SQSDefaultPolicy",
            "Statement": [first]})
        self.add(name, "b_-9", (self.ONE, self.OTHER), ("*", "PurgeQueue"))
        self.assertEqual(self.policy(name)["Statement"], [first, {
            "Sid": "b_-9", "Effect": "Allow",
            "Principal": {"AWS": [root % self.ONE, root % self.OTHER]},
            "Action": ["SQS:*", "SQS:PurgeQueue"], "Resource": arn(name)}])
        self.assertEqual(self.remove(name), {})
        self.assertEqual([one["Sid"] for one in
                          self.policy(name)["Statement"]], ["b_-9"])
        self.remove(name, "b_-9")
        self.assertIsNone(self.policy(name))

    def test_own_policy_is_added_to(self):
        name = self.create()
        mine = {"Sid": "mine", "Effect": "Deny"}
        self.set(name, Policy=json.dumps({
            "Version": "2012-10-17", "Statement": mine}))
        self.add(name)
        policy = self.policy(name)
        self.assertEqual(policy["Version"], "2012-10-17")
        self.assertEqual([one["Sid"] for one in policy["Statement"]],
                         ["mine", "a"])

    def test_labels(self):
        name = self.create()
        self.add(name, "l" * 80)
        self.assert_error(INVALID, "Label is invalid. Reason: Already exists",
                          self.add, name, "l" * 80)
        self.assert_error(INVALID, "can't find label", self.remove, name)
        for bad in ("", "l" * 81, "a b", "\u00e9"):
            for function in (self.add, self.remove):
                self.assert_error(INVALID, "1 to 80 in length", function,
                                  name, bad)

    def test_a_policy_has_20_statements_and_8192_bytes(self):
        name = self.create()
        for n in range(20):
            self.add(name, str(n))
        self.assert_error("OverLimit", "20 statements", self.add, name,
                          status=403)
        self.remove(name, "7")
        self.assert_error("OverLimit", "8192 bytes", self.add, name,
                          accounts=[self.ONE] * 200, status=403)
        self.assertEqual(len(self.policy(name)["Statement"]), 19)
        self.add(name)

    def test_actions_and_accounts(self):
        name = self.create()
        self.assert_error("OverLimit", "8 Actions were found", self.add, name,
                          actions=["SendMessage"] * 8, status=403)
        self.assert_error(INVALID, "Only the queue owner", self.add, name,
                          actions=["CreateQueue"])
        self.assert_error(INVALID, "Value Nope for parameter ActionName",
                          self.add, name, actions=["Nope"])
        for bad in ("12345678901", "1234567890123", "12345678901x", ""):
            self.assert_error(INVALID, "Unable to verify", self.add, name,
                              accounts=[bad])
        self.assert_error("MissingParameter", "Actions", self.add, name,
                          actions=())
        self.assert_error("MissingParameter", "AWSAccountIds", self.add, name,
                          accounts=())
        self.assert_error("MissingParameter", "Label", self.call,
                          "RemovePermission", QueueUrl=self.url(name))
        self.assertIsNone(self.policy(name))

    def test_queue_that_is_not_there(self):
        for function in (self.add, self.remove):
            self.assert_error(MISSING, "not exist", function, "nobody")


class Tasks:
    """StartMessageMoveTask, CancelMessageMoveTask, ListMessageMoveTasks."""

    def letters(self, count):
        """A dead-letter queue with so many letters, and their source."""
        target = self.create()
        source = self.create(Attributes={
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn(target),
                                         "maxReceiveCount": 1})})
        for _ in range(count):
            self.push(source)
        if count:
            self.server.request(
                "GET", f"/queues/{source}?timeout=0&amount={count}")
        self.wait_count(target, count)
        return target, source

    def wait_count(self, name, count):
        wait_until(lambda: self.native(name)["counts"]["available"] == count)

    def start(self, name, **more):
        return self.call("StartMessageMoveTask", SourceArn=arn(name),
                         **more)["TaskHandle"]

    def tasks(self, name, most=10):
        return self.call("ListMessageMoveTasks", SourceArn=arn(name),
                         MaxResults=most).get("Results", [])

    def wait_task(self, name, state):
        return wait_until(lambda: [
            task for task in self.tasks(name) if task["Status"] == state])[0]

    def test_letters_go_back(self):
        target, source = self.letters(3)
        before = now_epoch_ms()
        self.start(target)
        self.wait_count(source, 3)
        task = self.wait_task(target, "COMPLETED")
        self.assertLess(abs(task.pop("StartedTimestamp") - before), 60000)
        self.assertEqual(task, {
            "Status": "COMPLETED", "SourceArn": arn(target),
            "ApproximateNumberOfMessagesMoved": 3,
            "ApproximateNumberOfMessagesToMove": 3})

    def test_letters_go_elsewhere(self):
        target, _ = self.letters(2)
        other = self.create()
        self.start(target, DestinationArn=arn(other))
        self.wait_count(other, 2)
        self.assertEqual(
            self.wait_task(target, "COMPLETED")["DestinationArn"], arn(other))

    def test_running_task_is_listed_and_canceled(self):
        target, _ = self.letters(5)
        handle = self.start(target, MaxNumberOfMessagesPerSecond=1)
        task = self.tasks(target)[0]
        self.assertEqual(task["TaskHandle"], handle)
        self.assertEqual(task["Status"], "RUNNING")
        self.assertEqual(task["MaxNumberOfMessagesPerSecond"], 1)
        self.assertEqual(task["ApproximateNumberOfMessagesToMove"], 5)
        self.assert_error(INVALID, "already a task running", self.start,
                          target)
        moved = self.call("CancelMessageMoveTask", TaskHandle=handle)
        self.assertLess(moved["ApproximateNumberOfMessagesMoved"], 5)
        task = self.wait_task(target, "CANCELLED")
        self.assertNotIn("TaskHandle", task)
        self.assert_error(NOT_FOUND, "Task does not exist", self.call,
                          "CancelMessageMoveTask", TaskHandle=handle,
                          status=404)

    def test_destination_that_goes_ends_it(self):
        target, _ = self.letters(5)
        other = self.create()
        self.start(target, DestinationArn=arn(other),
                   MaxNumberOfMessagesPerSecond=2)
        self.call("DeleteQueue", QueueUrl=self.url(other))
        self.assertEqual(self.wait_task(target, "FAILED")["FailureReason"],
                         MISSING)

    def test_newest_are_listed_first(self):
        target, _ = self.letters(0)
        for _ in range(3):
            self.start(target)
            wait_until(lambda: not [task for task in self.tasks(target)
                                    if task["Status"] == "RUNNING"])
        started = [task["StartedTimestamp"] for task in self.tasks(target)]
        self.assertEqual(started, sorted(started, reverse=True))
        self.assertEqual(len(started), 3)
        self.assertEqual(
            [len(self.tasks(target, most)) for most in (1, 2)], [1, 2])
        self.assertEqual(
            len(self.call("ListMessageMoveTasks",
                          SourceArn=arn(target))["Results"]), 1)

    def test_queues_must_be_there(self):
        target, source = self.letters(0)
        self.assert_error(INVALID, "configured as a Dead Letter Queue",
                          self.start, source)
        for bad in ("nobody", "a b"):
            self.assert_error(NOT_FOUND, "SourceArn", self.start, bad,
                              status=404)
            self.assert_error(NOT_FOUND, "SourceArn", self.tasks, bad,
                              status=404)
            self.assert_error(NOT_FOUND, "DestinationArn", self.start, target,
                              DestinationArn=arn(bad), status=404)
        for bad in ("", "x", target, "arn:aws:sns:us-east-1:1:" + target):
            self.assert_error(NOT_FOUND, "SourceArn", self.call,
                              "StartMessageMoveTask", SourceArn=bad,
                              status=404)

    def test_bad_parameters(self):
        target, _ = self.letters(0)
        for bad in (0, 501, -1):
            self.assert_error(INVALID, "between 1 and 500", self.start,
                              target, MaxNumberOfMessagesPerSecond=bad)
        for bad in (0, 11):
            self.assert_error(INVALID, "between 1 and 10", self.tasks, target,
                              bad)
        handle = self.start(target)
        for bad in ("", "x", handle[:36], handle[1:], handle[:36] + "."):
            self.assert_error(INVALID, "TaskHandle is invalid", self.call,
                              "CancelMessageMoveTask", TaskHandle=bad)
        self.assert_error(NOT_FOUND, "SourceArn", self.call,
                          "CancelMessageMoveTask",
                          TaskHandle=handle[:37] + "nobody", status=404)
        for action, name in (("StartMessageMoveTask", "SourceArn"),
                             ("ListMessageMoveTasks", "SourceArn"),
                             ("CancelMessageMoveTask", "TaskHandle")):
            self.assert_error("MissingParameter", name, self.call, action)


in_both(globals(), Tags, Permissions, Tasks)

if __name__ == "__main__":
    unittest.main()
