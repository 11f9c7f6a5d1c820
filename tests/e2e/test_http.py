"""The protocol: what is well formed is served, however it comes; what is
not is refused, with a problem that can be read, and the connection closed."""

import email.utils
import unittest

from harness import (MIB, Closed, FreshServerTestCase, SharedServerTestCase,
                     build_request, chunked)

BODY_MAX = 1024 * 1024          # max_body by default
HEAD_MAX = 65536                # max_header by default
HOST = b"Host: wq.example\r\n"
HEALTH = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"


def string_of(size):
    """A JSON string of size bytes in all."""
    return b'"' + b"x" * (size - 2) + b'"'


def post(*fields, target=b"/"):
    """The head of a POST with these header lines."""
    return (b"POST " + target + b" HTTP/1.1\r\n" + HOST
            + b"".join(field + b"\r\n" for field in fields) + b"\r\n")


class HttpTestCase(SharedServerTestCase):

    def refused(self, raw, statuses=400, *patterns):
        """raw gets a problem, and the server closes; nothing is pushed."""
        with self.server.connect() as connection:
            connection.send(raw)
            response = connection.read_response()
            self.assert_problem(response, statuses, *patterns)
            connection.expect_closed()
        self.assertEqual(self.server.counts()["available"], 0)
        return response

    def all_refused(self, raws, statuses=400):
        for raw in raws:
            with self.subTest(raw=raw[:100]):
                self.refused(raw, statuses)

    def look_body(self, response):
        """The body of the message that was pushed; confirms it."""
        self.assert_status(response, 201)
        [message] = self.server.receive("timeout=60000")
        self.assertEqual(message["id"], response.json()["messageID"])
        self.assert_status(self.server.patch(message["id"]), 204)
        return message["body"]


class RequestLineTest(HttpTestCase):

    def test_bad_request_line_is_400_and_closed(self):
        self.all_refused([
            b"GARBAGE\r\n" + HOST + b"\r\n",
            b"GET\r\n" + HOST + b"\r\n",
            b" GET / HTTP/1.1\r\n" + HOST + b"\r\n",
            b"GET / HTTP/1.1 extra\r\n" + HOST + b"\r\n",
            b"GET / x HTTP/1.1\r\n" + HOST + b"\r\n",
            b"\x00\x01\x02 / HTTP/1.1\r\n" + HOST + b"\r\n",
            b"G\x00T / HTTP/1.1\r\n" + HOST + b"\r\n",
            b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        ])

    def test_bad_or_other_version_is_400_or_505_and_closed(self):
        self.all_refused([
            b"GET / " + version + b"\r\n" + HOST + b"\r\n"
            for version in (b"HTTP/2.0", b"HTTP/0.9", b"HTTP/9.9",
                            b"HTTP/1.x", b"HTTP/x.1", b"HTTP/", b"HTTP/1",
                            b"FTP/1.1", b"HTTP/1.1.1", b"HTTP/-1.1",
                            b"HTTP/99999999999.1")
        ] + [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], (400, 505))

    def test_request_line_without_version_is_refused(self):
        self.refused(b"GET /\r\n\r\n", (400, 505))

    def test_bad_escape_in_the_path_is_400(self):
        for path in ("/%zz", "/%", "/%4", "/a%2", "/%-1", "/%%%"):
            with self.subTest(path=path):
                self.assert_problem(self.server.request("GET", path), 400)

    def test_nul_in_the_path_is_400(self):
        for path in ("/%00", "/info%00", "/info%00x", "/%00info"):
            with self.subTest(path=path):
                self.assert_problem(self.server.request("GET", path), 400)

    def test_escaped_path_is_the_path(self):
        self.assert_status(self.server.request("GET", "/%69nf%6F"), 200)

    def test_absolute_target_is_accepted(self):
        self.assert_status(
            self.server.request("GET", "http://wq.example/info"), 200)

    def test_odd_targets_are_answered(self):
        for target in ("*", "//", "/../../etc/passwd", "/./", "http://",
                       "/\xff\xfe", "/\x1b[2J", "/a?b?c", "?", "x",
                       "http://[::1", "http://a:b/", "//evil/%2e%2e",
                       "/" + "a/" * 2000, "/?" + "&" * 2000,
                       "/?" + "a=b&" * 2000):
            with self.subTest(target=target[:40]):
                response = self.server.request("GET", target)
                self.assertGreaterEqual(response.status, 200)
                self.assertLess(response.status, 500)

    def test_long_target_of_no_page_is_404(self):
        response = self.server.request("GET", "/" + "a" * 30000)
        self.assert_problem(response, 404)

    def test_options_of_the_server_is_answered(self):
        response = self.server.request("OPTIONS", "*")
        self.assertLess(response.status, 500)


class HeadTest(HttpTestCase):

    def test_header_without_colon_is_400_and_closed(self):
        self.refused(b"GET / HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n")

    def test_header_without_name_is_400_and_closed(self):
        self.refused(b"GET / HTTP/1.1\r\n" + HOST + b": value\r\n\r\n")

    def test_space_before_the_colon_is_400_and_closed(self):
        self.all_refused([
            b"GET / HTTP/1.1\r\n" + HOST + b"X-A : b\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + HOST + b"X-A\t: b\r\n\r\n",
            post(b"Content-Length : 1") + b"1",
            post(b"Transfer-Encoding : chunked") + chunked(b"1"),
        ])

    def test_odd_bytes_in_a_name_are_400_and_closed(self):
        self.all_refused([
            b"GET / HTTP/1.1\r\n" + HOST + name + b": b\r\n\r\n"
            for name in (b"X A", b"X\x01A", b"X\x00A", b"X(A")])

    def test_obsolete_folding_is_400_and_closed(self):
        self.all_refused([
            b"GET / HTTP/1.1\r\n" + HOST + b"X-A: b\r\n c\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + HOST + b"X-A: b\r\n\tc\r\n\r\n",
            b"GET / HTTP/1.1\r\n X-A: b\r\n" + HOST + b"\r\n",
            post(b"Content-Length:", b" 1") + b"1",
        ])

    def test_nul_in_the_head_is_400_and_closed(self):
        self.all_refused([
            b"GET / HTTP/1.1\r\n" + HOST + b"X-A: b\0c\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + HOST + b"\0\r\n\r\n",
            post(b"Content-Length: 1\0") + b"1",
        ])

    def test_what_follows_a_refused_head_is_not_served(self):
        self.refused(b"GET / HTTP/1.1\r\nbad header\r\n\r\n" + HEALTH)

    def test_head_of_60_kib_is_fine(self):
        response = self.server.request(
            "GET", "/health", headers={"X-A": "a" * 60 * 1024})
        self.assert_status(response, 200)

    def test_many_headers_are_fine(self):
        response = self.server.request("GET", "/health", headers=[
            (f"X-{i}", "b") for i in range(1000)])
        self.assert_status(response, 200)

    def test_long_header_is_431(self):
        self.refused(b"GET / HTTP/1.1\r\n" + HOST + b"X-A: "
                     + b"a" * (HEAD_MAX + 1000) + b"\r\n\r\n", 431)

    def test_many_short_headers_over_the_limit_are_431(self):
        self.refused(b"GET / HTTP/1.1\r\n" + HOST
                     + b"X-A: b\r\n" * (HEAD_MAX // 8 + 100) + b"\r\n", 431)

    def test_long_request_line_is_431(self):
        self.refused(b"GET /" + b"a" * (HEAD_MAX + 1000)
                     + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431)

    def test_431_can_be_read_while_still_sending(self):
        connection = self.connection(self.server)
        connection.send_in_background(
            b"GET / HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 8 * MIB)
        self.assert_problem(connection.read_response(), 431)

    def test_request_in_single_bytes_is_served(self):
        connection = self.connection(self.server)
        for byte in build_request("POST", "/", b'"slowly"'):
            connection.send(bytes([byte]))
        self.assertEqual(self.look_body(connection.read_response()),
                         "slowly")

    def test_names_are_read_in_any_case(self):
        connection = self.connection(self.server)
        connection.send(b"POST / HTTP/1.1\r\nhOST: x\r\n"
                        b"cONTENT-lENGTH: 1\r\n\r\n7")
        self.assertEqual(self.look_body(connection.read_response()), 7)

    def test_space_around_a_value_does_not_matter(self):
        connection = self.connection(self.server)
        connection.send(b"POST / HTTP/1.1\r\nHost:x\r\n"
                        b"Content-Length: \t 1 \t\r\n\r\n7")
        self.assertEqual(self.look_body(connection.read_response()), 7)

    def test_answer_has_a_date(self):
        response = self.server.request("GET", "/health")
        self.assertTrue(email.utils.parsedate(response.header("Date")))

    def test_header_of_a_request_is_not_echoed(self):
        response = self.server.request(
            "GET", "/nothing-here", headers={"X-Token": "hidden"})
        self.assertNotIn(b"hidden", response.body)
        self.assertNotIn("hidden", repr(response.headers))


class SmallHeadTest(SharedServerTestCase):

    OPTIONS = ("--max-header", "1000")

    def test_max_header_allows_a_smaller_head(self):
        response = self.server.request(
            "GET", "/health", headers={"X-A": "a" * 700})
        self.assert_status(response, 200)

    def test_max_header_refuses_a_bigger_head(self):
        response = self.server.request(
            "GET", "/health", headers={"X-A": "a" * 1100})
        self.assert_problem(response, 431)

    def test_max_header_counts_the_request_line(self):
        response = self.server.request(
            "GET", "/" + "a" * 600, headers={"X-A": "a" * 600})
        self.assert_problem(response, 431)

    def test_max_header_does_not_count_the_body(self):
        response = self.server.request("POST", "/", string_of(5000))
        self.assert_status(response, 201)

    def test_max_header_holds_for_each_request_alone(self):
        connection = self.connection(self.server)
        for _ in range(5):
            response = connection.request(
                "GET", "/health", headers={"X-A": "a" * 700})
            self.assert_status(response, 200)


class FramingTest(HttpTestCase):

    def test_length_and_encoding_together_are_400_and_closed(self):
        self.all_refused([
            post(b"Content-Length: 1", b"Transfer-Encoding: chunked")
            + chunked(b"1"),
            post(b"Transfer-Encoding: chunked", b"Content-Length: 11")
            + chunked(b"1"),
        ])

    def test_smuggled_request_is_not_served(self):
        self.refused(
            post(b"Content-Length: 5", b"Transfer-Encoding: chunked")
            + b"0\r\n\r\n" + build_request("POST", "/", b'"smuggled"'))

    def test_two_lengths_are_400_and_closed(self):
        self.all_refused([
            post(b"Content-Length: 1", b"Content-Length: 2") + b"12",
            post(b"Content-Length: 1", b"Content-Length: 1") + b"1",
            post(b"Content-Length: 1, 1") + b"1",
            post(b"Content-Length: 1, 2") + b"12",
        ])

    def test_length_that_is_no_number_is_400_and_closed(self):
        self.all_refused([
            post(b"Content-Length: " + value) + b"12345"
            for value in (b"abc", b"-1", b"+5", b"", b"0x5", b"5 5", b"5a",
                          b"5;", b"1e0", b"5.0", b"\xb2")])

    def test_huge_length_is_refused(self):
        self.all_refused([
            post(b"Content-Length: " + value)
            for value in (b"9" * 18, b"9223372036854775808",
                          b"18446744073709551617", b"1" + b"0" * 30)],
            (400, 413))

    def test_unknown_transfer_encoding_is_501(self):
        for value in ("gzip", "xchunked", "gzip, chunked", "chunked, gzip",
                      "identity", "chunkedx"):
            with self.subTest(value=value):
                with self.server.connect() as connection:
                    connection.send_request(
                        "POST", "/", chunked(b"1"),
                        {"Transfer-Encoding": value})
                    self.assert_problem(
                        connection.read_response(),
                        (400, 501) if value in (
                            "chunked, gzip", "identity") else 501)
                    connection.expect_closed()

    def test_repeated_transfer_encoding_is_refused(self):
        self.all_refused([
            post(b"Transfer-Encoding: chunked, chunked") + chunked(b"1"),
            post(b"Transfer-Encoding: chunked",
                 b"Transfer-Encoding: chunked") + chunked(b"1"),
            post(b"Transfer-Encoding: chunked",
                 b"Transfer-Encoding: identity") + chunked(b"1"),
        ], (400, 501))

    def test_transfer_encoding_is_read_in_any_case(self):
        response = self.server.request(
            "POST", "/", chunked(b"1"), {"Transfer-Encoding": "CHUNKED"})
        self.assertEqual(self.look_body(response), 1)

    def test_body_of_a_get_keeps_the_connection_in_step(self):
        connection = self.connection(self.server)
        connection.send(build_request("GET", "/health",
                                      build_request("BREW", "/x"))
                        + HEALTH)
        first = connection.read_response()
        if first.status == 200:
            self.assert_status(connection.read_response(), 200)
        else:                   # refused, then it must not go on
            self.assert_problem(first, (400, 413))
            connection.expect_closed()

    def test_length_0_is_an_empty_body(self):
        connection = self.connection(self.server)
        self.assert_problem(connection.request("POST", "/", b""), 400)
        self.assert_status(connection.request("GET", "/health"), 200)

    def test_body_after_the_head_in_pieces_is_served(self):
        connection = self.connection(self.server)
        raw = string_of(300000)
        connection.send(post(b"Content-Length: 300000"))
        for at in range(0, len(raw), 7001):
            connection.send(raw[at:at + 7001])
        self.assertEqual(len(self.look_body(connection.read_response())),
                         299998)


class ChunkTest(HttpTestCase):

    HEAD = post(b"Transfer-Encoding: chunked")

    def pushed(self, body):
        connection = self.connection(self.server)
        connection.send(self.HEAD + body)
        value = self.look_body(connection.read_response())
        # The connection is still in step.
        self.assert_status(connection.request("GET", "/health"), 200)
        return value

    def test_chunked_body_is_accepted(self):
        self.assertEqual(self.pushed(chunked(b'{"a":', b"[1,2]", b"}")),
                         {"a": [1, 2]})

    def test_chunks_of_one_byte_are_accepted(self):
        raw = b'"' + b"abc" * 300 + b'"'
        self.assertEqual(
            self.pushed(chunked(*(bytes([c]) for c in raw))), "abc" * 300)

    def test_chunked_body_in_single_bytes_is_accepted(self):
        connection = self.connection(self.server)
        for byte in self.HEAD + chunked(b"[1,", b"2]"):
            connection.send(bytes([byte]))
        self.assertEqual(self.look_body(connection.read_response()), [1, 2])

    def test_trailers_are_accepted(self):
        self.assertEqual(
            self.pushed(chunked(b"1", trailers=b"X-A: b\r\nX-C: d\r\n")), 1)

    def test_chunk_extensions_are_accepted(self):
        self.assertEqual(
            self.pushed(chunked(b"[", b"]", extension=b";a=b;c=\"d\"")), [])

    def test_size_in_upper_case_and_with_zeros_is_accepted(self):
        self.assertEqual(
            self.pushed(b"0000A\r\n" + string_of(10) + b"\r\n00\r\n\r\n"),
            "x" * 8)

    def test_size_in_any_case_is_accepted(self):
        for size in (b"1a", b"1A"):
            self.assertEqual(
                self.pushed(size + b"\r\n" + string_of(26)
                            + b"\r\n0\r\n\r\n"), "x" * 24)

    def test_empty_chunked_body_is_400(self):
        connection = self.connection(self.server)
        connection.send(self.HEAD + b"0\r\n\r\n")
        self.assert_problem(connection.read_response(), 400)
        self.assert_status(connection.request("GET", "/health"), 200)

    def test_bad_chunk_is_400_and_closed(self):
        self.all_refused([
            self.HEAD + chunk for chunk in (
                b"xyz\r\n1\r\n0\r\n\r\n",
                b"\r\n1\r\n0\r\n\r\n",
                b"-1\r\n1\r\n0\r\n\r\n",
                b"+1\r\n1\r\n0\r\n\r\n",
                b" 1\r\n1\r\n0\r\n\r\n",
                b"0x1\r\n1\r\n0\r\n\r\n",
                b"1g\r\n1\r\n0\r\n\r\n",
                b"1 2\r\n1\r\n0\r\n\r\n",
                b"1\r\n12\r\n0\r\n\r\n",
                b"2\r\n1\r\n0\r\n\r\n",
                b"1\r\n1xx0\r\n\r\n",
                b";a=b\r\n1\r\n0\r\n\r\n",
                b"1\0\r\n1\r\n0\r\n\r\n")])

    def test_huge_chunk_size_is_refused(self):
        self.all_refused([
            self.HEAD + size + b"\r\n" + b"x" * 100
            for size in (b"7fffffff", b"80000000", b"ffffffff",
                         b"7fffffffffffffff", b"ffffffffffffffff",
                         b"fffffffffffffffff", b"1" + b"0" * 40,
                         b"fffffffffffffffe")], (400, 413))

    def test_chunk_sizes_that_wrap_around_are_refused(self):
        self.refused(self.HEAD + b"5\r\n\"abc\"\r\nfffffffffffffffb\r\n"
                     + b"x" * 100, (400, 413))

    def test_bad_trailer_is_not_taken_for_a_request(self):
        with self.server.connect() as connection:
            connection.send(self.HEAD + b"1\r\n1\r\n0\r\nno trailer\r\n\r\n"
                            + HEALTH)
            response = connection.read_response()
            if response.status != 201:
                self.assert_problem(response, 400)
                connection.expect_closed()
            else:
                self.assert_status(connection.read_response(), 200)


class BodySizeTest(HttpTestCase):

    def test_body_of_exactly_max_body_is_accepted(self):
        response = self.server.request("POST", "/", string_of(BODY_MAX))
        self.assertEqual(len(self.look_body(response)), BODY_MAX - 2)

    def test_body_of_one_byte_more_is_413(self):
        response = self.server.request("POST", "/", string_of(BODY_MAX + 1))
        self.assert_problem(response, 413, r"\d")

    def test_announced_body_is_refused_before_it_is_sent(self):
        connection = self.connection(self.server)
        connection.send(post(b"Content-Length: %d" % (BODY_MAX + 1)))
        self.assert_problem(connection.read_response(), 413)

    def test_announced_body_is_refused_in_place_of_100(self):
        connection = self.connection(self.server)
        connection.send(post(b"Content-Length: %d" % (BODY_MAX + 1),
                             b"Expect: 100-continue"))
        response = connection.read_response()
        self.assert_problem(response, 413)
        self.assertEqual(response.interim, [])

    def test_413_can_be_read_while_still_sending(self):
        connection = self.connection(self.server)
        connection.send(post(b"Content-Length: %d" % (64 * MIB)))
        connection.send_in_background(b"x" * (64 * MIB))
        self.assert_problem(connection.read_response(), 413)

    def test_413_can_be_read_by_a_client_that_first_sends_all(self):
        connection = self.connection(self.server)
        try:
            connection.send(build_request("POST", "/",
                                          string_of(BODY_MAX + 300000)))
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assert_problem(connection.read_response(), 413)

    def test_chunked_body_of_exactly_max_body_is_accepted(self):
        raw = string_of(BODY_MAX)
        response = self.server.request(
            "POST", "/", chunked(*(raw[at:at + 65536] for at in
                                   range(0, len(raw), 65536))),
            {"Transfer-Encoding": "chunked"})
        self.assertEqual(len(self.look_body(response)), BODY_MAX - 2)

    def test_chunked_body_of_one_byte_more_is_413(self):
        raw = string_of(BODY_MAX + 1)
        connection = self.connection(self.server)
        connection.send(post(b"Transfer-Encoding: chunked"))
        connection.send_in_background(chunked(
            *(raw[at:at + 65536] for at in range(0, len(raw), 65536))))
        self.assert_problem(connection.read_response(), 413)

    def test_chunked_413_can_be_read_while_still_sending(self):
        connection = self.connection(self.server)
        connection.send(post(b"Transfer-Encoding: chunked"))
        connection.send_in_background(
            b"10000\r\n%s\r\n" % (b"x" * 65536) * 500)
        self.assert_problem(connection.read_response(), 413)

    def test_one_chunk_that_announces_too_much_is_413(self):
        connection = self.connection(self.server)
        connection.send(post(b"Transfer-Encoding: chunked")
                        + b"%x\r\n" % (BODY_MAX + 1))
        self.assert_problem(connection.read_response(), 413)

    def test_other_methods_have_the_same_limit(self):
        for method in ("GET", "PATCH", "PUT", "BREW"):
            with self.subTest(method=method):
                connection = self.connection(self.server)
                connection.send(build_request(method, "/", None, {
                    "Content-Length": str(BODY_MAX + 1)}))
                self.assert_problem(connection.read_response(), (405, 413))


class SmallBodyTest(SharedServerTestCase):

    OPTIONS = ("--max-body", "100")

    def test_max_body_of_the_server_holds(self):
        self.assert_status(
            self.server.request("POST", "/", string_of(100)), 201)
        self.assert_problem(
            self.server.request("POST", "/", string_of(101)), 413, "100")


class ExpectTest(HttpTestCase):

    def test_expect_100_continue_gets_100_before_the_body(self):
        connection = self.connection(self.server)
        connection.send(post(b"Content-Length: 3", b"Expect: 100-continue"))
        self.assertEqual(connection.read_interim(), 100)
        connection.send(b"123")
        self.assertEqual(self.look_body(connection.read_response()), 123)

    def test_expect_100_continue_with_a_chunked_body(self):
        connection = self.connection(self.server)
        connection.send(post(b"Transfer-Encoding: chunked",
                             b"Expect: 100-continue"))
        self.assertEqual(connection.read_interim(), 100)
        connection.send(chunked(b"1", b"2"))
        self.assertEqual(self.look_body(connection.read_response()), 12)

    def test_body_that_does_not_wait_for_100_is_served(self):
        connection = self.connection(self.server)
        response = connection.request(
            "POST", "/", b"1", {"Expect": "100-continue"})
        self.assertEqual(self.look_body(response), 1)
        self.assert_status(connection.request("GET", "/health"), 200)

    def test_expect_is_read_in_any_case(self):
        response = self.server.request(
            "POST", "/", b"1", {"Expect": "100-Continue"})
        self.assertEqual(self.look_body(response), 1)

    def test_unknown_expectation_is_417(self):
        self.assert_problem(
            self.server.request("POST", "/", b"1", {"Expect": "something"}),
            417)
        self.assertEqual(self.server.counts()["available"], 0)

    def test_http_1_0_gets_no_100(self):
        connection = self.connection(self.server)
        connection.send_request("POST", "/", b"1",
                                {"Expect": "100-continue"}, "HTTP/1.0")
        response = connection.read_response()
        self.assertEqual(response.interim, [])
        self.assertEqual(self.look_body(response), 1)


class ConnectionTest(HttpTestCase):

    def test_connection_stays_open(self):
        connection = self.connection(self.server)
        for _ in range(100):
            self.assert_status(connection.request("GET", "/health"), 200)

    def test_connection_stays_open_after_errors_of_a_call(self):
        connection = self.connection(self.server)
        for method, target, body, status in (
                ("GET", "/nothing-here", None, 404),
                ("DELETE", "/", None, 405),
                ("GET", "/?amount=abc", None, 400),
                ("POST", "/", b"{", 400),
                ("OPTIONS", "/", None, 204)):
            self.assert_status(
                connection.request(method, target, body), status)
            self.assert_status(connection.request("GET", "/health"), 200)

    def test_connection_close_is_done(self):
        for value in ("close", "Close"):
            with self.subTest(value=value):
                self.closes(value)

    def test_connection_close_among_other_options_is_done(self):
        self.closes("x, close")

    def closes(self, value):
        connection = self.connection(self.server)
        response = connection.request(
            "GET", "/health", headers={"Connection": value})
        self.assert_status(response, 200)
        connection.expect_closed()

    def test_nothing_is_served_after_connection_close(self):
        connection = self.connection(self.server)
        connection.send(build_request(
            "GET", "/health", headers={"Connection": "close"}) + HEALTH)
        self.assert_status(connection.read_response(), 200)
        connection.expect_closed()

    def test_http_1_0_is_served_and_closed(self):
        connection = self.connection(self.server)
        connection.send(b"POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n7")
        response = connection.read_response()
        self.assertIsNone(response.header("Transfer-Encoding"))
        connection.expect_closed()
        self.assertEqual(self.look_body(response), 7)

    def test_http_1_0_without_any_header_is_served(self):
        connection = self.connection(self.server)
        connection.send(b"GET /health HTTP/1.0\r\n\r\n")
        self.assert_status(connection.read_response(), 200)
        connection.expect_closed()

    def test_http_1_0_with_keep_alive_is_in_step(self):
        connection = self.connection(self.server)
        for _ in range(3):
            try:
                connection.send_request(
                    "GET", "/health", headers={"Connection": "keep-alive"},
                    version="HTTP/1.0")
            except (BrokenPipeError, ConnectionResetError):
                break
            try:
                response = connection.read_response()
            except Closed:
                break
            self.assert_status(response, 200)
            # It stays open only where it says so.
            if (response.header("Connection") or "").lower() \
                    != "keep-alive":
                connection.expect_closed()
                break

    def test_client_that_ends_its_side_gets_its_answer(self):
        connection = self.connection(self.server)
        connection.send_request("POST", "/", b"7")
        connection.finish_sending()
        self.assertEqual(self.look_body(connection.read_response()), 7)
        connection.expect_closed()

    def test_body_cut_off_midway_is_not_pushed(self):
        for raw in (post(b"Content-Length: 100") + b"1",
                    post(b"Content-Length: 3") + b"12",
                    ChunkTest.HEAD + b"1\r\n1\r\n",
                    ChunkTest.HEAD + b"1\r\n1\r\n0\r\n",
                    ChunkTest.HEAD + b"5\r\n1"):
            with self.subTest(raw=raw):
                connection = self.connection(self.server)
                connection.send(raw)
                connection.finish_sending()
                try:
                    self.assert_problem(connection.read_response(), 400)
                except Closed:
                    pass
                connection.expect_closed()
                self.assertEqual(self.server.counts()["available"], 0)

    def test_upgrade_is_ignored(self):
        response = self.server.request("GET", "/health", headers={
            "Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c",
            "HTTP2-Settings": "AAMAAABkAAQAAP__"})
        self.assert_status(response, 200)


class PipelineTest(FreshServerTestCase):

    def test_a_thousand_requests_in_one_write_are_answered_in_order(self):
        connection = self.connection(self.server)
        connection.send_in_background(b"".join(
            build_request("POST", "/", b"%d" % i) for i in range(1000)))
        pushed = []
        for _ in range(1000):
            response = connection.read_response()
            self.assert_status(response, 201)
            pushed.append(response.json()["messageID"])
        connection.send_in_background(b"".join(
            build_request("GET", f"/{message}") for message in pushed))
        self.assertEqual(
            [connection.read_response().json()["body"]
             for _ in range(1000)], list(range(1000)))

    def test_different_answers_come_in_order(self):
        connection = self.connection(self.server)
        cycle = ((build_request("GET", "/health"), "GET", 200),
                 (build_request("GET", "/nothing"), "GET", 404),
                 (build_request("HEAD", "/info"), "HEAD", 200),
                 (build_request("POST", "/", b"{"), "POST", 400),
                 (build_request("DELETE", "/"), "DELETE", 405),
                 (build_request("OPTIONS", "/"), "OPTIONS", 204),
                 (build_request("POST", "/", chunked(b"1", b"2"),
                                {"Transfer-Encoding": "chunked"}),
                  "POST", 201),
                 (build_request("POST", "/", b"1",
                                {"Expect": "100-continue"}), "POST", 201))
        connection.send_in_background(
            b"".join(raw for raw, _, _ in cycle) * 50)
        for _ in range(50):
            for _, method, status in cycle:
                self.assert_status(connection.read_response(method), status)

    def test_answers_before_a_bad_request_still_come(self):
        connection = self.connection(self.server)
        connection.send(HEALTH * 3 + b"NONSENSE\r\n\r\n" + HEALTH)
        for _ in range(3):
            self.assert_status(connection.read_response(), 200)
        self.assert_problem(connection.read_response(), 400)
        connection.expect_closed()

    def test_answers_before_a_too_big_body_still_come(self):
        connection = self.connection(self.server)
        connection.send(HEALTH * 3 + post(b"Content-Length: 99999999"))
        for _ in range(3):
            self.assert_status(connection.read_response(), 200)
        self.assert_problem(connection.read_response(), 413)

    def test_pipelining_client_that_ends_its_side_gets_all_answers(self):
        connection = self.connection(self.server)
        connection.send(HEALTH * 50)
        connection.finish_sending()
        for _ in range(50):
            self.assert_status(connection.read_response(), 200)
        connection.expect_closed()

    def test_a_cycle_in_one_write(self):
        message = self.server.push(b'"x"')
        connection = self.connection(self.server)
        connection.send(
            build_request("GET", "/?timeout=60000")
            + build_request("PATCH", f"/{message}")
            + build_request("GET", f"/{message}"))
        self.assertEqual(connection.read_response().json()["messages"],
                         [{"id": message, "body": "x"}])
        self.assert_status(connection.read_response("PATCH"), 204)
        self.assert_problem(connection.read_response(), 404)

    def test_requests_split_anywhere_are_served(self):
        raw = build_request("POST", "/", b'"a"') + HEALTH
        connection = self.connection(self.server)
        for at in range(1, len(raw)):
            connection.send(raw[:at])
            connection.send(raw[at:])
            self.assert_status(connection.read_response(), 201)
            self.assert_status(connection.read_response(), 200)
        self.assertEqual(self.server.counts()["available"], len(raw) - 1)


if __name__ == "__main__":
    unittest.main()
