"""Requests of SQS byte by byte: which they are, on which pages they come, how
they are written and what is wrong with them; and that those of the native API
stay what they were."""

import json
import re
import unittest
import urllib.parse

from harness import MIB, SharedServerTestCase, chunked
from sqs_client import FORM_TYPE, JSON_TYPE, NAMESPACE

FORM = {"Content-Type": FORM_TYPE}
ERROR = re.compile(
    rb'<\?xml version="1.0"\?><ErrorResponse xmlns="'
    + NAMESPACE.strip("{}").encode() +
    rb'"><Error><Type>(\w+)</Type><Code>([\w.]+)</Code>'
    rb"<Message>(.*)</Message><Detail/></Error>"
    rb"<RequestId>([0-9a-f-]{36})</RequestId></ErrorResponse>", re.S)


class RequestTestCase(SharedServerTestCase):

    def json(self, action, body, target="/", headers=()):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.server.request("POST", target, body, {
            "X-Amz-Target": f"AmazonSQS.{action}",
            "Content-Type": JSON_TYPE, **dict(headers)})

    def form(self, body, target="/"):
        return self.server.request("POST", target, body, FORM)

    def create(self, name):
        self.addCleanup(self.server.request, "DELETE", f"/queues/{name}")
        self.assert_status(self.json("CreateQueue", {"QueueName": name}), 200)

    def assert_json_error(self, response, status, shape, code,
                          pattern=".", fault="Sender"):
        self.assert_status(response, status)
        self.assertEqual(response.header("Content-Type"), JSON_TYPE)
        self.assertEqual(response.header("x-amzn-query-error"),
                         f"{code};{fault}")
        self.assertRegex(response.header("x-amzn-RequestId"), r"^[0-9a-f-]+$")
        body = response.json()
        self.assertEqual(set(body), {"__type", "message"})
        self.assertEqual(body["__type"].rpartition("#")[2], shape)
        self.assertRegex(body["message"], pattern)

    def assert_xml_error(self, response, status, code, pattern=b"."):
        self.assert_status(response, status)
        self.assertEqual(response.header("Content-Type"), "text/xml")
        found = ERROR.fullmatch(response.body)
        self.assertIsNotNone(found, repr(response))
        self.assertEqual(found[1], b"Sender")
        self.assertEqual(found[2].decode(), code)
        self.assertRegex(found[3], pattern)
        self.assertEqual(found[4].decode(),
                         response.header("x-amzn-RequestId"))


class NativeTest(RequestTestCase):
    """Requests that only look like some of SQS."""

    def assert_pushed(self, body, headers=(), target="/"):
        response = self.server.request("POST", target, body, headers)
        self.assert_status(response, 201)
        message = response.json()["messageID"]
        looked = self.server.look(message)
        self.assertEqual(looked["body"], json.loads(body))
        self.server.receive("amount=100")
        self.assert_status(self.server.patch(message), 204)

    def test_json_sent_as_a_form_is_pushed(self):
        for body in (b'{"a":1}', b'{"a":"&Action=SendMessage"}',
                     b' ["Action=x","&Action=x"]', b'"&Action=x"', b"12"):
            self.assert_pushed(body, FORM)

    def test_other_content_types_are_pushed(self):
        for kind in ("application/json", "text/plain", JSON_TYPE):
            self.assert_pushed(b'{"Action": 1}', {"Content-Type": kind})

    def test_form_without_action_is_no_json(self):
        for body in (b"a=b", b"action=ListQueues", b"Actions=ListQueues",
                     b"x=Action=1"):
            self.assert_problem(self.form(body), 400, "JSON")

    def test_form_is_a_push_on_other_pages(self):
        response = self.form(b"Action=ListQueues", "/queues/x")
        self.assert_problem(response, 400, "JSON")

    def test_receive_takes_no_action(self):
        response = self.server.request("GET", "/?amount=1")
        self.assertEqual(response.json(), {"messages": []})

    def test_large_push_is_refused_as_ever(self):
        body = b'"' + b"x" * MIB + b'"'
        for headers in ({}, FORM):
            self.assert_problem(
                self.server.request("POST", "/", body, headers), 413,
                r"over 1048576 bytes \(max-body\)")
        for piece in (body, b'"' + b"x" * (9 * MIB) + b'"'):
            response = self.server.request(
                "POST", "/", chunked(piece),
                {"Transfer-Encoding": "chunked", **FORM})
            self.assert_problem(response, 413)

    def test_no_header_makes_other_pages_take_more(self):
        body = b'"' + b"x" * MIB + b'"'
        for headers in (FORM, {"X-Amz-Target": "AmazonSQS.SendMessage"}):
            for page in ("/queues/large", "/queues/1/x", "/123"):
                self.assert_problem(
                    self.server.request("POST", page, body, headers), 413,
                    "the largest|max-body|over")
                response = self.server.request(
                    "POST", page, chunked(body),
                    {"Transfer-Encoding": "chunked", **headers})
                self.assert_problem(response, 413)

    def test_pages_of_queues_take_large_messages(self):
        self.create("large")
        for page in ("/", "/?x=y", "/123456789012/large", "/queue/large"):
            response = self.json("SendMessage", {
                "QueueUrl": "large", "MessageBody": '"' * MIB}, page)
            self.assert_status(response, 200)


class PageTest(RequestTestCase):
    """Where requests of SQS may come."""

    def test_pages_of_a_queue(self):
        self.create("paged")
        for page in ("/123456789012/paged", "/queue/paged",
                     "/000000000000/paged?x=y", "/%71ueue/pag%65d"):
            response = self.form(
                b"Action=GetQueueAttributes&AttributeName.1=QueueArn", page)
            self.assert_status(response, 200)
            self.assertIn(b":paged</Value>", response.body)
            response = self.json("ListQueueTags", {}, page)
            self.assert_status(response, 200)

    def test_queue_url_wins_over_the_page(self):
        self.create("one")
        response = self.form(
            b"Action=ListQueueTags&QueueUrl=http://x/1/one", "/queue/nobody")
        self.assert_status(response, 200)

    def test_get(self):
        self.create("got")
        for target in ("/?Action=GetQueueUrl&QueueName=got"
                       "&Version=2012-11-05",
                       "/1/got?Action=ListQueueTags",
                       "/queue/got?Action=ListQueueTags"):
            response = self.server.request("GET", target)
            self.assert_status(response, 200)
            self.assertEqual(response.header("Content-Type"), "text/xml")

    def test_get_with_many_parameters(self):
        self.create("many")
        tags = "".join(f"&Tag.{n}.Key=k{n}&Tag.{n}.Value=v"
                       for n in range(1, 51))
        response = self.server.request(
            "GET", "/queue/many?Action=TagQueue" + tags)
        self.assert_status(response, 200)
        self.assertEqual(len(self.json("ListQueueTags", {
            "QueueUrl": "many"}).json()["Tags"]), 50)
        self.assert_problem(self.server.request(
            "GET", "/?Action=ListQueues" + "&a=b" * 256), 400,
            "more than 256 parameters")

    def test_post_with_a_query(self):
        self.create("posted")
        for body, headers in ((b"", {}), (b"QueueName=posted", FORM)):
            response = self.server.request(
                "POST", "/?Action=GetQueueUrl&QueueName=posted", body,
                headers)
            self.assert_status(response, 200)

    def test_pages_without_a_request_of_sqs(self):
        for method in ("GET", "POST"):
            for page in ("/1/x", "/queue/x"):
                self.assert_problem(
                    self.server.request(method, page, b"1"
                                        if method == "POST" else None),
                    400, "/queues/NAME")
        for page in ("/1x/y", "/x/1", "/queue/", "/queue/a/b", "/1/2/3"):
            self.assert_problem(self.server.request("GET", page), 404)
        response = self.server.request("DELETE", "/1/x")
        self.assert_problem(response, 405)
        self.assertEqual(response.allowed(),
                         {"GET", "HEAD", "OPTIONS", "POST"})

    def test_urls_are_those_of_the_request(self):
        self.create("hosted")
        for host in ("queue.example.org", "[::1]:3000", "10.0.0.1:80"):
            response = self.json("GetQueueUrl", {"QueueName": "hosted"},
                                 headers={"Host": host})
            self.assertEqual(response.json(), {
                "QueueUrl": f"http://{host}/000000000000/hosted"})
        with self.connection(self.server) as connection:
            connection.send(b"GET /?Action=GetQueueUrl&QueueName=hosted "
                            b"HTTP/1.0\r\n\r\n")
            self.assertRegex(connection.read_response().body,
                             rb"<QueueUrl>http://localhost:\d+/0{12}/hosted<")

    def test_host_that_is_none_is_not_used(self):
        self.create("strange")
        for host in (b'a"b', b"a<&>", b"a/b?", b"u@h", b"\xff\xfe",
                     b"h" * 256):
            head = b" HTTP/1.1\r\nHost: %s\r\n" % host
            with self.connection(self.server) as connection:
                connection.send(b"GET /?Action=GetQueueUrl&QueueName=strange"
                                + head + b"\r\n")
                self.assertRegex(
                    connection.read_response().body,
                    rb"<QueueUrl>http://localhost:\d+/0{12}/strange<")
                connection.send(
                    b"POST /" + head + b"Content-Length: 23\r\n"
                    b"X-Amz-Target: AmazonSQS.GetQueueUrl\r\n\r\n"
                    b'{"QueueName":"strange"}')
                self.assertRegex(
                    connection.read_response().json()["QueueUrl"],
                    r"^http://localhost:\d+/0{12}/strange$")


class OptionTest(RequestTestCase):
    """What is in URLs and ARNs can be set."""

    OPTIONS = ("--public-url", "https://queue.example.org/sqs/",
               "--sqs-account", "123456789012", "--sqs-region", "eu-west-9")

    def test_urls_and_arns(self):
        self.create("set")
        url = "https://queue.example.org/sqs/123456789012/set"
        self.assertEqual(self.json("GetQueueUrl", {
            "QueueName": "set"}).json(), {"QueueUrl": url})
        response = self.json("GetQueueAttributes", {
            "QueueUrl": url, "AttributeNames": ["QueueArn"]})
        self.assertEqual(response.json(), {"Attributes": {
            "QueueArn": "arn:aws:sqs:eu-west-9:123456789012:set"}})


class JsonTest(RequestTestCase):
    """AWS JSON 1.0."""

    def test_answers(self):
        self.create("j")
        response = self.json("GetQueueUrl", {"QueueName": "j"},
                             headers={"Host": "h"})
        self.assertEqual(response.body,
                         b'{"QueueUrl":"http://h/000000000000/j"}')
        self.assertEqual(response.header("Content-Type"), JSON_TYPE)
        response = self.json("PurgeQueue", {"QueueUrl": "j"})
        self.assertEqual(response.body, b"")
        self.assert_status(response, 200)

    def test_not_json(self):
        for body in (b"{", b"x", b"[]", b"1", b'"x"', b"null", b"{}x",
                     b'{"QueueName":"\xff"}', b'{"QueueName":1e999}',
                     b'{"QueueName":"a","QueueName"}', b"{\"a\":\"\n\"}",
                     b"[" * 3000):
            with self.subTest(body[:40]):
                self.assert_json_error(
                    self.json("GetQueueUrl", body), 400,
                    "SerializationException", "SerializationException")

    def test_no_body_is_an_empty_one(self):
        self.assert_status(self.json("ListQueues", b""), 200)
        self.assert_json_error(
            self.json("GetQueueUrl", b""), 400,
            "MissingRequiredParameterException", "MissingParameter",
            r"^The request must contain the parameter QueueName\.$")

    def test_wrong_types(self):
        for action, body in (
                ("GetQueueUrl", {"QueueName": 1}),
                ("GetQueueUrl", {"QueueName": ["x"]}),
                ("ListQueues", {"MaxResults": "1"}),
                ("ListQueues", {"MaxResults": 1.5}),
                ("ListQueues", {"MaxResults": True}),
                ("ListQueues", {"MaxResults": {}}),
                ("CreateQueue", {"QueueName": "x", "Attributes": []}),
                ("CreateQueue", {"QueueName": "x",
                                 "Attributes": {"DelaySeconds": 1}}),
                ("CreateQueue", {"QueueName": "x", "tags": {"a": None}}),
                ("GetQueueAttributes", {"QueueUrl": "x",
                                        "AttributeNames": "All"}),
                ("GetQueueAttributes", {"QueueUrl": "x",
                                        "AttributeNames": [1]}),
                ("UntagQueue", {"QueueUrl": "x", "TagKeys": {}})):
            with self.subTest(action, body=body):
                self.assert_json_error(
                    self.json(action, body), 400, "SerializationException",
                    "SerializationException", "can not be converted to")

    def test_null_and_strangers_are_as_if_not_there(self):
        self.create("n")
        response = self.json("ListQueueTags", {
            "QueueUrl": "n", "Stranger": [1], "NextToken": None})
        self.assert_status(response, 200)
        self.assert_status(self.json("ListQueues", {
            "MaxResults": None, "QueueNamePrefix": None}), 200)
        self.assert_status(self.json("ListQueues", {"MaxResults": 7.0}), 200)
        self.assert_json_error(
            self.json("GetQueueUrl", {"QueueName": None}), 400,
            "MissingRequiredParameterException", "MissingParameter")

    def test_lists_are_not_endless(self):
        for count, status in ((256, 200), (257, 400)):
            response = self.json("ReceiveMessage", {
                "QueueUrl": "default", "MessageAttributeNames": ["a"] * count})
            self.assert_status(response, status)
        self.assert_json_error(response, 400, "InvalidParameterValueException",
                               "InvalidParameterValue", "at most 256")

    def test_group_that_is_no_text(self):
        # It would spoil the answer of a receive over SQS.
        for name in ("group", "dedup"):
            response = self.server.request(
                "POST", f"/queues/default?{name}=%ff%c3%a9%80", b"1")
            self.assert_status(response, 400)
            self.assertIn(f"{name} must be UTF-8", response.body.decode())

    def test_values_are_not_endless(self):
        body = b'{"x": [' + b",".join([b"[]"] * 10000) + b"]}"
        response = self.server.request(
            "POST", "/", body, {"X-Amz-Target": "AmazonSQS.ListQueues"})
        self.assert_json_error(response, 400, "SerializationException",
                               "SerializationException")

    def test_unknown_actions(self):
        for target in ("AmazonSQS.Nope", "AmazonSQS.", "AmazonSQS", "x",
                       "AmazonSQS.listQueues", "AmazonSQS.ListQueuesX",
                       "DynamoDB_20120810.ListTables", 'a"\\\u00e9'):
            response = self.server.request(
                "POST", "/", b"{}", {"X-Amz-Target": target})
            self.assert_json_error(response, 400, "UnknownOperationException",
                                   "InvalidAction")

    def test_escapes(self):
        name = '"\\/\b\f\n\r\t\x01\x1f\x7f\u00e9\u20ac\U0001f600<&>'
        response = self.json("TagQueue", {"QueueUrl": "default",
                                          "Tags": {name: name}})
        self.assert_status(response, 200)
        response = self.json("ListQueueTags", {"QueueUrl": "default"})
        text = ('"\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\u00e9\u20ac'
                '\U0001f600<&>"')
        self.assertEqual(response.body.decode(),
                         f'{{"Tags":{{{text}:{text}}}}}')
        self.json("UntagQueue", {"QueueUrl": "default", "TagKeys": [name]})


class QueryTest(RequestTestCase):
    """Forms, query strings and XML."""

    def test_answers(self):
        self.create("x")
        response = self.server.request(
            "POST", "/", b"Action=GetQueueUrl&QueueName=x&Version=2012-11-05",
            {**FORM, "Host": "h"})
        self.assertEqual(response.header("Content-Type"), "text/xml")
        request_id = response.header("x-amzn-RequestId").encode()
        start = (b'<?xml version="1.0"?><%sResponse xmlns='
                 b'"http://queue.amazonaws.com/doc/2012-11-05/">')
        end = (b"<ResponseMetadata><RequestId>%s</RequestId>"
               b"</ResponseMetadata></%sResponse>")
        self.assertEqual(
            response.body, start % b"GetQueueUrl"
            + b"<GetQueueUrlResult><QueueUrl>http://h/000000000000/x"
            + b"</QueueUrl></GetQueueUrlResult>"
            + end % (request_id, b"GetQueueUrl"))
        response = self.form(b"Action=PurgeQueue&QueueUrl=x")
        request_id = response.header("x-amzn-RequestId").encode()
        self.assertEqual(response.body, start % b"PurgeQueue"
                         + end % (request_id, b"PurgeQueue"))

    def test_escapes(self):
        name = "<&>\"'\r\n\t \u00e9\x01\ufffe\U0001f600"
        shown = ("&lt;&amp;&gt;&quot;'&#xD;\n\t \u00e9\ufffd\ufffd"
                 "\U0001f600").encode()
        self.assert_status(self.form(urllib.parse.urlencode({
            "Action": "TagQueue", "QueueUrl": "default", "Tag.1.Key": name,
            "Tag.1.Value": name}).encode()), 200)
        response = self.form(b"Action=ListQueueTags&QueueUrl=default")
        self.assertIn(b"<Tag><Key>" + shown + b"</Key><Value>" + shown
                      + b"</Value></Tag>", response.body)
        self.json("UntagQueue", {"QueueUrl": "default", "TagKeys": [name]})

    def test_errors_are_escaped(self):
        response = self.form(b"Action=%3Cx%26y%3E")
        self.assert_xml_error(response, 400, "InvalidAction",
                              b"&lt;x&amp;y&gt;")
        self.assert_xml_error(self.form(b"Action=\xff%fe"), 400,
                              "InvalidAction", "\ufffd".encode())

    def test_unknown_actions(self):
        for body in (b"Action=Nope", b"Action=", b"Action=listQueues",
                     b"x=y&Action=ListQueuesX", b"Action=List%00Queues"):
            self.assert_xml_error(self.form(body), 400, "InvalidAction")
        self.assert_xml_error(self.server.request("GET", "/?Action=Nope"),
                              400, "InvalidAction")

    def test_malformed_forms(self):
        for body, pattern in (
                (b"Action=ListQueues&MaxResults=%", b"percent"),
                (b"Action=ListQueues&MaxResults=%1", b"percent"),
                (b"Action=ListQueues&%zz=1", b"percent"),
                (b"Action=ListQueues&MaxResults=", b"integer"),
                (b"Action=ListQueues&MaxResults=x", b"integer"),
                (b"Action=ListQueues&MaxResults=1x", b"integer"),
                (b"Action=ListQueues&MaxResults=+1", b"integer"),
                (b"Action=ListQueues&MaxResults=1%00", b"integer"),
                (b"Action=ListQueues&MaxResults=" + b"9" * 30, b"integer"),
                (b"Action=ListQueues&QueueNamePrefix=%ff", b"UTF-8"),
                (b"Action=TagQueue&QueueUrl=x&Tag=a", b"numbered"),
                (b"Action=UntagQueue&QueueUrl=x&TagKey.256=a&TagKey=a",
                 b"numbered"),
                (b"Action=UntagQueue&QueueUrl=x&TagKey.0=a", b"numbered"),
                (b"Action=UntagQueue&QueueUrl=x&TagKey.x=a", b"numbered"),
                (b"Action=UntagQueue&QueueUrl=x&TagKey.1x=a", b"numbered"),
                (b"Action=UntagQueue&QueueUrl=x&TagKey.257=a", b"numbered"),
                (b"Action=UntagQueue&QueueUrl=x&TagKey." + b"9" * 40 + b"=a",
                 b"numbered"),
                (b"Action=ListQueues" + b"&a=b" * 3000, b"2048")):
            with self.subTest(body[:60]):
                self.assert_xml_error(self.form(body), 400,
                                      "MalformedQueryString", pattern)

    def test_odd_forms(self):
        """Empty fields, fields of another action, gaps, any order."""
        self.create("odd")
        for body in (
                b"&&Action=ListQueueTags&&=x&QueueUrl=odd&",
                b"QueueUrl=odd&Action=ListQueueTags&Nope.1.x=1&x",
                b"Action=Nope&Action=ListQueueTags&QueueUrl=odd",
                b"Action=ListQueueTags&QueueUrl=%6f%64%64",
                b"Action=ListQueueTags&QueueUrl=odd&QueueUrl.1=x",
                b"Action=TagQueue&QueueUrl=odd&Tag.7.Key=a&Tag.3.Value=v"
                b"&Tag.3.Key=b&Tag.9.Key=c&Tag.9.Value=1%2B2+3",
                b"Action=UntagQueue&QueueUrl=odd&TagKey.200=a"):
            with self.subTest(body):
                self.assert_status(self.form(body), 200)
        self.assertEqual(
            self.json("ListQueueTags", {"QueueUrl": "odd"}).json(),
            {"Tags": {"b": "v", "c": "1+2 3"}})

    def test_lists_need_no_numbers(self):
        """As in what is written of it since 2006: AttributeName=All."""
        self.create("plain")
        response = self.form(
            b"Action=GetQueueAttributes&QueueUrl=plain&AttributeName="
            b"VisibilityTimeout&AttributeName=DelaySeconds")
        self.assertEqual(re.findall(rb"<Name>(\w+)<", response.body),
                         [b"VisibilityTimeout", b"DelaySeconds"])
        self.form(b"Action=SendMessage&QueueUrl=plain&MessageBody=x")
        response = self.form(
            b"Action=ReceiveMessage&QueueUrl=plain&AttributeName=All")
        self.assertIn(b"<Name>SentTimestamp<", response.body)

    def test_map_without_a_key(self):
        for body in (b"&Tag.1.Value=x", b"&Tag.1.Key=a%00b"):
            self.assert_xml_error(
                self.form(b"Action=TagQueue&QueueUrl=default" + body), 400,
                "MissingParameter", b"Tag")

    def test_missing_queue_differs_in_words(self):
        self.assert_xml_error(
            self.form(b"Action=PurgeQueue&QueueUrl=nobody"), 400,
            "AWS.SimpleQueueService.NonExistentQueue",
            b"^The specified queue does not exist for this wsdl version.$")
        self.assert_json_error(
            self.json("PurgeQueue", {"QueueUrl": "nobody"}), 400,
            "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue",
            "^The specified queue does not exist.$")


class LargeTest(RequestTestCase):
    """A request may be as long as a message of 1 MiB makes it."""

    def big(self, size):
        return json.dumps({"QueueUrl": "default", "x": "y" * size}).encode()

    def test_eight_mebibytes(self):
        body = self.big(8 * MIB)
        body = body[:8 * MIB - 2] + b'"}'
        self.assert_status(self.json("ListQueueTags", body), 200)
        response = self.server.request(
            "POST", "/", chunked(body[:5 * MIB], body[5 * MIB:]),
            {"X-Amz-Target": "AmazonSQS.ListQueueTags",
             "Transfer-Encoding": "chunked"})
        self.assert_status(response, 200)
        form = (b"Action=ListQueueTags&QueueUrl=default&x="
                + b"%41" * (2 * MIB))
        self.assert_status(self.form(form), 200)

    def test_more_is_refused(self):
        for body in (self.big(8 * MIB), self.big(20 * MIB)):
            with self.connection(self.server) as connection:
                try:
                    connection.send_request("POST", "/", body, {
                        "X-Amz-Target": "AmazonSQS.ListQueueTags"})
                except OSError:
                    pass
                self.assert_status(connection.read_response(), 413)


if __name__ == "__main__":
    unittest.main()
