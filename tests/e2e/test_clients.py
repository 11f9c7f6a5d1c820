"""Bad clients: those that vanish, stall, never read, send without end, or
are too many.  The server goes on, and loses no message of anyone's."""

import random
import time
import unittest

from harness import (DEADLINE, MIB, Closed, FreshServerTestCase, WqTestCase,
                     build_request, let_pass, memory_allowance,
                     raise_descriptor_limit, small_quarantine, wait_until)

HOST = b"Host: wq.example\r\n"
HEALTH = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"
CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
LONG = "timeout=600000"


def string_of(size):
    """A JSON string of size bytes in all."""
    return b'"' + b"x" * (size - 2) + b'"'


def push_many(server, count, size):
    """Push count messages of size bytes each; their IDs."""
    with server.connect() as connection:
        return [connection.request("POST", "/", string_of(size))
                .json()["messageID"] for _ in range(count)]


class VanishTest(WqTestCase):
    """Each stage of a request, left with a FIN and with a RST."""

    ROUNDS = 10

    def setUp(self):
        self.server = self.start("--max-amount", "20")
        self.server.request("GET", "/health")
        # The one it just had may still be open, or one may be kept aside.
        self.descriptors = self.server.descriptor_count() + 2

    def vanish(self, raw, read=0, **options):
        for leave in ("close", "reset"):
            for _ in range(self.ROUNDS):
                connection = self.server.connect(**options)
                try:
                    connection.send(raw)
                except OSError:
                    pass                # refused, and closed, by now
                try:
                    if read:
                        connection.take(read)
                finally:
                    getattr(connection, leave)()
        self.wait_forgotten()

    def wait_forgotten(self):
        """All before was taken in, all who left are forgotten."""
        # Connections are accepted in order: this one comes last.
        self.assert_status(self.server.request("GET", "/health"), 200)
        wait_until(
            lambda: self.server.descriptor_count() <= self.descriptors,
            what="the connections to be closed")

    def assert_nothing_pushed(self):
        self.assertEqual(self.server.info()["totals"]["pushed"], 0)

    def test_after_connect(self):
        self.vanish(b"")

    def test_in_the_request_line(self):
        self.vanish(b"POST / HT")

    def test_after_the_request_line(self):
        self.vanish(b"POST / HTTP/1.1\r\n")

    def test_in_a_header(self):
        self.vanish(b"POST / HTTP/1.1\r\nHost: wq")

    def test_before_the_end_of_the_head(self):
        self.vanish(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n")
        self.assert_nothing_pushed()

    def test_before_the_body(self):
        self.vanish(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n")
        self.assert_nothing_pushed()

    def test_while_100_continue_is_due(self):
        self.vanish(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n"
                    b"Expect: 100-continue\r\n\r\n")
        self.assert_nothing_pushed()

    def test_in_the_body(self):
        self.vanish(b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"
                    + string_of(50000))
        self.assert_nothing_pushed()

    def test_in_a_chunk_size(self):
        self.vanish(CHUNKED + b"1")
        self.assert_nothing_pushed()

    def test_in_a_chunk(self):
        self.vanish(CHUNKED + b"1000\r\n1234")
        self.assert_nothing_pushed()

    def test_before_the_last_chunk(self):
        self.vanish(CHUNKED + b"1\r\n1\r\n")
        self.assert_nothing_pushed()

    def test_in_the_trailers(self):
        self.vanish(CHUNKED + b"1\r\n1\r\n0\r\nX-A: b\r\n")
        self.assert_nothing_pushed()

    def test_before_the_answer_to_a_push(self):
        self.vanish(build_request("POST", "/", b'"whole"'))
        # Each was pushed as a whole, or not at all.
        info = self.server.info()
        totals, counts = info["totals"], info["counts"]
        self.assertEqual(counts["available"], totals["pushed"])
        self.assertLessEqual(totals["pushed"], 2 * self.ROUNDS)
        for message in self.server.receive():
            self.assertEqual(message["body"], "whole")

    def test_before_the_answer_to_a_receive(self):
        push_many(self.server, 5, 100)
        self.vanish(build_request("GET", "/?amount=1&timeout=300"))
        self.server.wait_available(5)

    def test_before_a_big_answer(self):
        push_many(self.server, 10, MIB)
        self.vanish(build_request("GET", "/?amount=10&timeout=300"),
                    receive_buffer=4096)
        self.server.wait_available(10)

    def test_in_a_big_answer(self):
        push_many(self.server, 10, MIB)
        for leave in ("close", "reset"):
            connection = self.server.connect(receive_buffer=4096)
            connection.send_request("GET", "/?amount=10&timeout=300")
            connection.take(5000)
            getattr(connection, leave)()
            self.server.wait_available(10)
        self.assertEqual(len(self.server.receive("amount=10")), 10)

    def test_in_a_big_look(self):
        [message] = push_many(self.server, 1, MIB)
        self.vanish(build_request("GET", f"/{message}"), read=1000,
                    receive_buffer=4096)
        self.assertEqual(len(self.server.look(message)["body"]), MIB - 2)

    def test_while_it_pipelines(self):
        [message] = push_many(self.server, 1, 100000)
        self.vanish(build_request("GET", f"/{message}") * 200)
        self.vanish(build_request("GET", f"/{message}") * 200, read=500)
        self.server.wait_available(1)

    def test_before_the_answer_to_a_confirm(self):
        pushed = push_many(self.server, 20, 100)
        self.server.receive("amount=20&" + LONG)
        for index, message in enumerate(pushed):
            connection = self.server.connect()
            connection.send_request("PATCH", f"/{message}")
            connection.reset() if index % 2 else connection.close()
        self.wait_forgotten()
        # Each confirm was done or was not; nothing else happened.
        info = self.server.info()
        self.assertEqual(
            info["counts"]["locked"] + info["totals"]["confirmed"], 20)
        self.assertEqual(info["counts"]["available"], 0)

    def test_after_a_bad_request(self):
        self.vanish(b"NONSENSE\r\n\r\n")

    def test_after_a_refused_body(self):
        self.vanish(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"
                    + b"x" * 100000)

    def test_at_random_places(self):
        seed = random.randrange(2 ** 32)
        chance = random.Random(seed)
        raw = (build_request("POST", "/", b'{"a":[1,2,3]}')
               + build_request("GET", "/?amount=1&timeout=100")
               + HEALTH + CHUNKED + b"1\r\n1\r\n0\r\n\r\n" + HEALTH)
        for _ in range(300):
            connection = self.server.connect()
            connection.send(raw[:chance.randrange(len(raw))])
            chance.choice((connection.close, connection.reset))()
        self.wait_forgotten()
        pushed = self.server.info()["totals"]["pushed"]
        self.assertGreater(pushed, 0, f"seed {seed}")
        self.server.wait_available(pushed)


class EndlessTest(WqTestCase):
    """What has no end: memory stays bounded, and the server closes."""

    LIMIT = 256 * MIB

    def setUp(self):
        self.server = self.start("--request-timeout", "3000",
                                 "--idle-timeout", "3000",
                                 env=small_quarantine())
        self.server.request("GET", "/health")
        self.before = self.server.rss()

    def pour(self, start, piece, *statuses):
        """Endless pieces after start.  The answer is one of statuses;
        None among them: it may close without one."""
        connection = self.connection(self.server)
        connection.send(start)
        connection.pour(piece, self.LIMIT)
        try:
            status = connection.read_response().status
        except Closed:
            status = None
        self.assertIn(status, statuses)
        self.assertLess(self.server.peak_rss() - self.before,
                        memory_allowance(16))
        self.assert_status(self.server.request("GET", "/health"), 200)

    def test_request_line_without_end(self):
        self.pour(b"GET /", b"a" * 65536, 431)

    def test_method_without_end(self):
        self.pour(b"", b"A" * 65536, 400, 431)

    def test_header_without_end(self):
        self.pour(b"GET / HTTP/1.1\r\nX-A: ", b"a" * 65536, 431)

    def test_headers_without_end(self):
        self.pour(b"GET / HTTP/1.1\r\n", b"X-A: b\r\n" * 8192, 431)

    def test_chunk_size_line_without_end(self):
        self.pour(CHUNKED + b"1;", b"a" * 65536, 400, 408, 413, 431, None)

    def test_zeros_of_a_chunk_size_without_end(self):
        self.pour(CHUNKED, b"0" * 65536, 400, 408, 413, 431, None)

    def test_trailers_without_end(self):
        self.pour(CHUNKED + b"1\r\n1\r\n0\r\n", b"X-A: b\r\n" * 8192,
                  400, 408, 413, 431, None)

    def test_chunks_without_end(self):
        self.pour(CHUNKED, b"1\r\nx\r\n" * 8192, 413)

    def test_chunk_extensions_without_end(self):
        self.pour(CHUNKED, (b"1;" + b"a" * 1000 + b"\r\n \r\n") * 64,
                  400, 408, 413, None)

    def test_refused_body_without_end(self):
        self.pour(b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
                  b"x" * 65536, 413)

    def test_empty_lines_without_end(self):
        self.pour(b"", b"\r\n" * 8192, 400, 408, 431, None)


class SlowSenderTest(WqTestCase):
    """A whole request must arrive within --request-timeout."""

    def setUp(self):
        self.server = self.start("--request-timeout", "700",
                                 "--idle-timeout", "600000")

    def timed_out(self, start, slow):
        """start at once and slow byte by byte: 408, and closed."""
        began = time.monotonic()
        connection = self.connection(self.server)
        if start:
            connection.send(start)
        self.addCleanup(connection.trickle(slow, 0.1))
        response = connection.read_response()
        self.assert_not_before(began, 0.7)
        self.assert_problem(response, 408)
        connection.expect_closed()

    def test_slow_request_line_is_408(self):
        self.timed_out(b"", b"GET /" + b"a" * 10000)

    def test_slow_header_is_408(self):
        self.timed_out(b"GET / HTTP/1.1\r\n", b"X-A: " + b"a" * 10000)

    def test_slow_headers_are_408(self):
        self.timed_out(b"GET / HTTP/1.1\r\n", b"X-A: b\r\n" * 1000)

    def test_slow_body_is_408(self):
        self.timed_out(b"POST / HTTP/1.1\r\nContent-Length: 10000\r\n\r\n",
                       b"x" * 10000)
        self.assertEqual(self.server.counts()["available"], 0)

    def test_slow_chunks_are_408(self):
        self.timed_out(CHUNKED, b"1\r\nx\r\n" * 1000)

    def test_slow_chunk_size_is_408(self):
        self.timed_out(CHUNKED, b"0" * 10000)

    def test_stalled_head_is_408(self):
        self.timed_out(b"GET / HT", b"")

    def test_stalled_body_is_408(self):
        self.timed_out(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n1", b"")

    def test_stalled_body_after_100_continue_is_408(self):
        self.timed_out(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n"
                       b"Expect: 100-continue\r\n\r\n", b"")

    def test_second_request_is_timed_too(self):
        connection = self.connection(self.server)
        self.assert_status(connection.request("GET", "/health"), 200)
        began = time.monotonic()
        connection.send(b"GET /hea")
        response = connection.read_response()
        self.assert_not_before(began, 0.7)
        self.assert_problem(response, 408)
        connection.expect_closed()

    def test_idle_between_requests_is_not_timed(self):
        connection = self.connection(self.server)
        for _ in range(3):
            self.assert_status(connection.request("GET", "/health"), 200)
            let_pass(0.8)
        self.assert_status(connection.request("GET", "/health"), 200)

    def test_others_are_served_meanwhile(self):
        slow = [self.connection(self.server) for _ in range(50)]
        for connection in slow:
            connection.send(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n1")
        self.server.push(b"1")
        for connection in slow:
            self.assert_status(connection.read_response(), 408)
        self.assertEqual(self.server.counts()["available"], 1)


class IdleTest(WqTestCase):

    def setUp(self):
        self.server = self.start("--idle-timeout", "500")

    def test_connection_without_a_request_is_closed(self):
        began = time.monotonic()
        connection = self.connection(self.server)
        connection.expect_closed()
        self.assert_not_before(began, 0.5)

    def test_connection_after_a_request_is_closed(self):
        connection = self.connection(self.server)
        began = time.monotonic()
        connection.request("GET", "/health")
        connection.expect_closed()
        self.assert_not_before(began, 0.5)


class NeverReadingTest(WqTestCase):

    def wait_closed(self, server, connections, descriptors):
        """Without reading: each has the begin of an answer, and then the
        server is back to so many descriptors."""
        for connection in connections:
            self.assertFalse(connection.is_silent(DEADLINE))
        wait_until(lambda: server.descriptor_count() <= descriptors,
                   deadline=2 * DEADLINE,
                   what="those who never read to be closed")

    def test_receivers_that_never_read_are_closed_in_bounded_memory(self):
        server = self.start("--write-timeout", "700", "--max-amount", "20",
                            env=small_quarantine())
        pushed = push_many(server, 16, 512 * 1024)
        before = server.rss()
        descriptors = server.descriptor_count() + 2
        connections = [self.connection(server, receive_buffer=4096)
                       for _ in range(100)]
        # Each wants 40 MiB: together far more than may ever be in memory.
        for index, connection in enumerate(connections):
            connection.send(b"".join(
                build_request("GET", f"/{pushed[(index + i) % 16]}")
                for i in range(80)))
        self.wait_closed(server, connections, descriptors)
        self.assertLess(server.peak_rss() - before, memory_allowance(64))
        self.assertEqual(server.counts()["available"], 16)
        for connection in connections:
            while not connection.ended:
                connection.read_more()
            self.assertLess(len(connection.buffer), 40 * MIB)
            connection.buffer.clear()

    def test_what_they_received_comes_back(self):
        server = self.start("--write-timeout", "700", "--max-amount", "20",
                            env=small_quarantine())
        push_many(server, 12, MIB)
        descriptors = server.descriptor_count()
        connection = self.connection(server, receive_buffer=4096)
        connection.send_request("GET", "/?amount=20&timeout=500")
        self.wait_closed(server, [connection], descriptors + 2)
        server.wait_available(12)
        self.assertEqual([len(message["body"]) for message
                          in server.receive("amount=20")], [MIB - 2] * 12)

    def test_pushers_that_never_read_are_closed_in_bounded_memory(self):
        server = self.start("--write-timeout", "700",
                            "--request-timeout", "2000",
                            env=small_quarantine())
        server.request("GET", "/health")
        before = server.rss()
        descriptors = server.descriptor_count() + 2
        connections = [self.connection(server, receive_buffer=4096)
                       for _ in range(10)]
        threads = [connection.send_in_background(
            build_request("GET", "/info") * 400000)
            for connection in connections]
        for thread in threads:
            thread.join(2 * DEADLINE)
            self.assertFalse(thread.is_alive(), "it still takes requests")
        self.wait_closed(server, connections, descriptors)
        self.assertLess(server.peak_rss() - before, memory_allowance(32))

    def test_slow_reader_that_goes_on_gets_all(self):
        server = self.start("--write-timeout", "2000", "--max-amount", "20")
        # More than the kernel's buffers hold, at a rate at which it takes
        # longer than the timeout; there is progress all the time.
        push_many(server, 12, MIB)
        connection = self.connection(server, receive_buffer=65536)
        connection.send_request("GET", "/?amount=20&" + LONG)
        began = time.monotonic()
        while len(connection.buffer) < 12 * MIB:
            self.assertTrue(connection.read_more(),
                            f"closed after {len(connection.buffer)} bytes")
            if time.monotonic() - began < 4:
                let_pass(0.03)
        messages = connection.read_response().json()["messages"]
        self.assertEqual([len(message["body"]) for message in messages],
                         [MIB - 2] * 12)


class ManyConnectionsTest(WqTestCase):

    def test_10000_idle_connections_leave_room_for_others(self):
        count = 10000
        raise_descriptor_limit(count + 300)
        server = self.start("--max-connections", str(count + 100),
                            "--idle-timeout", "600000")
        connections = []
        self.addCleanup(lambda: [c.close() for c in connections])
        for _ in range(count):
            connections.append(server.connect())
        wait_until(lambda: server.descriptor_count() >= count,
                   deadline=4 * DEADLINE, what="all to be accepted")

        message = server.push(b'"through"')
        self.assertEqual(server.receive(LONG),
                         [{"id": message, "body": "through"}])
        self.assert_status(server.patch(message), 204)
        # They are idle, not dead.
        for connection in random.sample(connections, 50):
            self.assert_status(connection.request("GET", "/health"), 200)

        while connections:
            connections.pop().close()
        wait_until(lambda: server.descriptor_count() < 100,
                   deadline=4 * DEADLINE, what="all to be closed")
        self.assert_status(server.request("GET", "/health"), 200)

    def test_more_than_max_connections_wait(self):
        server = self.start("--max-connections", "5",
                            "--idle-timeout", "600000")
        served = [self.connection(server) for _ in range(5)]
        for connection in served:
            self.assert_status(connection.request("GET", "/health"), 200)
        waiting = [self.connection(server) for _ in range(3)]
        for connection in waiting:
            connection.send(HEALTH)
        self.assertTrue(all(c.is_silent(0.2) for c in waiting))
        for connection in served:
            self.assert_status(connection.request("GET", "/health"), 200)

    def test_those_that_wait_are_served_once_others_leave(self):
        server = self.start("--max-connections", "5",
                            "--idle-timeout", "600000")
        served = [self.connection(server) for _ in range(5)]
        for connection in served:
            self.assert_status(connection.request("GET", "/health"), 200)
        waiting = [self.connection(server) for _ in range(5)]
        for connection in waiting:
            connection.send(HEALTH)
        for connection in served:
            connection.close()
        for connection in waiting:
            self.assert_status(connection.read_response(), 200)

    def test_many_short_connections_through_few_places(self):
        server = self.start("--max-connections", "2")
        for _ in range(3):
            connections = [self.connection(server) for _ in range(30)]
            for connection in connections:
                connection.send(build_request(
                    "GET", "/health", headers={"Connection": "close"}))
            for connection in connections:
                self.assert_status(connection.read_response(), 200)
                connection.close()


class DescriptorTest(WqTestCase):

    def setUp(self):
        self.server = self.start("--idle-timeout", "600000", descriptors=64)
        self.first = self.connection(self.server)
        self.assert_status(self.first.request("GET", "/health"), 200)
        # More than it can accept, fewer than may wait to be accepted.
        self.crowd = [self.connection(self.server) for _ in range(110)]

    def test_without_descriptors_the_connected_are_served(self):
        for i in range(20):
            self.assert_status(
                self.first.request("POST", "/", b"%d" % i), 201)
        response = self.first.request("GET", "/?amount=10")
        self.assertEqual(len(response.json()["messages"]), 10)

    def test_without_descriptors_it_does_not_spin(self):
        self.first.request("GET", "/health")
        cpu, began = self.server.cpu_seconds(), time.monotonic()
        let_pass(1.2)
        used = self.server.cpu_seconds() - cpu
        self.assertLess(used, 0.5 * (time.monotonic() - began))

    def test_without_descriptors_the_log_is_not_flooded(self):
        let_pass(1.2)
        self.assertLess(len(self.server.log().splitlines()), 100)

    def test_with_descriptors_again_it_accepts_again(self):
        for connection in self.crowd:
            connection.close()
        with self.server.connect() as connection:
            self.assert_status(connection.request("GET", "/health"), 200)

    def test_those_that_wait_are_served_as_others_leave(self):
        last = self.crowd.pop()
        last.send(HEALTH)
        for connection in self.crowd:
            connection.close()
        self.assert_status(last.read_response(), 200)


class MixTest(FreshServerTestCase):

    def test_good_clients_among_bad_ones_lose_nothing(self):
        seed = random.randrange(2 ** 32)
        chance = random.Random(seed)
        bad = (b"GARBAGE\r\n\r\n", b"GET / HT", CHUNKED + b"zz\r\n",
               b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n{",
               b"\0" * 100, b"GET /?amount=abc HTTP/1.1\r\n\r\n",
               build_request("POST", "/", b"[" * 10000),
               build_request("DELETE", "/"), HEALTH * 20)
        pushed, confirmed = set(), []
        with self.server.connect() as good:
            for i in range(300):
                for _ in range(2):
                    other = self.server.connect()
                    other.send(chance.choice(bad))
                    chance.choice((other.close, other.reset))()
                response = good.request("POST", "/", b"%d" % i)
                self.assert_status(response, 201)
                pushed.add(response.json()["messageID"])
                if i % 3 == 2:
                    response = good.request("GET", "/?amount=3&" + LONG)
                    for message in response.json()["messages"]:
                        self.assert_status(good.request(
                            "PATCH", f"/{message['id']}"), 204)
                        confirmed.append(message["id"])
        self.assertEqual(set(confirmed), pushed, f"seed {seed}")
        self.assertEqual(len(confirmed), 300)


if __name__ == "__main__":
    unittest.main()
