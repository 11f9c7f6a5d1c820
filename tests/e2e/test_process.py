"""The process: options, environment, sockets, signals, logs."""

import os
import re
import shutil
import signal
import socket
import time
import unittest
import uuid

from harness import (MIB, Closed, Connection, WqTestCase, build_request,
                     free_port, has_ipv6, run_wqd, scratch_directory,
                     wait_until)

OPTIONS = ("listen", "port", "lock-timeout", "max-amount", "max-body",
           "max-connections", "max-header", "idle-timeout",
           "request-timeout", "write-timeout", "drain-timeout", "version",
           "help")
LOG_LINE = re.compile(r"\A[a-z][a-z0-9_-]*: [a-z].*\Z")
FOREVER = ("--drain-timeout", "600000", "--request-timeout", "600000")


def string_of(size):
    """A JSON string of size bytes in all."""
    return b'"' + b"x" * (size - 2) + b'"'


class OptionTest(WqTestCase):

    def refused(self, *arguments, status=2, names=None, env=None):
        """wqd says why in one line, and ends with that status."""
        run = run_wqd(*arguments, env=env)
        self.assertEqual(run.returncode, status, run)
        self.assertEqual(run.stdout, "")
        self.assertRegex(run.stderr, r"\A[^\n]+\n\Z")
        if names is not None:
            self.assertIn(names, run.stderr)

    def test_version_is_printed(self):
        for option in ("-V", "--version"):
            run = run_wqd(option)
            self.assertEqual(run.returncode, 0, run)
            self.assertRegex(run.stdout, r"\Awqd \d+\.\d+\.\d+\n\Z")
            self.assertEqual(run.stderr, "")

    def test_help_names_every_option(self):
        for option in ("-h", "--help"):
            run = run_wqd(option)
            self.assertEqual(run.returncode, 0, run)
            self.assertEqual(run.stderr, "")
            for name in OPTIONS:
                self.assertIn("--" + name, run.stdout)

    def test_unknown_option_is_refused(self):
        self.refused("--no-such-option", names="no-such-option")
        self.refused("-Z", names="Z")

    def test_option_without_its_value_is_refused(self):
        self.refused("--lock-timeout", names="lock-timeout")
        self.refused("-p")

    def test_operand_is_refused(self):
        self.refused("-p", "0", "operand", names="operand")

    def test_bad_number_is_refused(self):
        for option in ("lock-timeout", "max-amount", "max-body",
                       "max-connections", "max-header", "idle-timeout",
                       "request-timeout", "write-timeout", "drain-timeout"):
            for value in ("abc", "-1", "1.5", "", "1s", " 5", "0x10",
                          "1" + "0" * 30):
                with self.subTest(option=option, value=value):
                    self.refused("-p", "0", f"--{option}={value}",
                                 names=option)

    def test_max_amount_0_is_refused(self):
        self.refused("-p", "0", "--max-amount", "0", names="max-amount")

    def test_bad_port_is_refused(self):
        for value in ("abc", "65536", "-1", "", "80x", "1" + "0" * 30):
            with self.subTest(value=value):
                self.refused("-p", value, names="port")

    def test_bad_address_is_refused(self):
        for value in ("999.1.1.1", "1.2.3.4.5", "[::1", "::zz", "unix:"):
            with self.subTest(value=value):
                run = run_wqd("-p", "0", "-l", value)
                self.assertIn(run.returncode, (1, 2), run)
                self.assertRegex(run.stderr, r"\A[^\n]+\n\Z")

    def test_too_long_socket_path_is_refused(self):
        run = run_wqd("-l", "unix:/tmp/" + "x" * 200)
        self.assertIn(run.returncode, (1, 2), run)
        self.assertRegex(run.stderr, r"\A[^\n]+\n\Z")

    def test_bad_environment_is_refused(self):
        self.refused("-p", "0", env={"WQ_LOCK_TIMEOUT": "abc"},
                     names="WQ_LOCK_TIMEOUT")
        self.refused("-p", "0", env={"WQ_MAX_BODY": "-1"},
                     names="WQ_MAX_BODY")
        self.refused(env={"PORT": "abc"}, names="PORT")

    def test_port_in_use_is_refused(self):
        server = self.start()
        self.refused("-l", "127.0.0.1", "-p", str(server.port), status=1,
                     names=str(server.port))
        self.assert_status(server.request("GET", "/health"), 200)

    def test_long_forms_are_accepted(self):
        server = self.start("--listen", "127.0.0.1", "--port", "0",
                            "--lock-timeout=1234", "--verbose",
                            listen=(), port=None)
        self.assertEqual(server.info()["settings"]["lockTimeout"], 1234)

    def test_all_limits_are_accepted_together(self):
        server = self.start(
            "--lock-timeout", 2000, "--max-amount", 5, "--max-body", 1000,
            "--max-connections", 50, "--max-header", 4000,
            "--idle-timeout", 50000, "--request-timeout", 40000,
            "--write-timeout", 30000, "--drain-timeout", 20000)
        self.assert_status(server.request("GET", "/ready"), 200)


class EnvironmentTest(WqTestCase):

    def test_port_is_taken_from_the_environment(self):
        for _ in range(5):              # another may take a free port
            port = free_port()
            try:
                server = self.start(port=None, env={"PORT": str(port)})
                break
            except AssertionError as error:
                trouble = error
        else:
            raise trouble
        self.assertEqual(server.port, port)

    def test_port_on_the_command_line_beats_the_environment(self):
        server = self.start(port=0, env={"PORT": "1"})
        self.assertNotEqual(server.port, 1)

    def test_bad_environment_does_not_matter_where_it_is_beaten(self):
        server = self.start("--lock-timeout", 350,
                            env={"WQ_LOCK_TIMEOUT": "250"})
        self.assertEqual(server.info()["settings"]["lockTimeout"], 350)

    def test_lock_timeout_is_taken_from_the_environment(self):
        server = self.start(env={"WQ_LOCK_TIMEOUT": "250"})
        self.assertEqual(server.info()["settings"]["lockTimeout"], 250)

    def test_max_body_is_taken_from_the_environment(self):
        server = self.start(env={"WQ_MAX_BODY": "10"})
        self.assert_status(
            server.request("POST", "/", string_of(10)), 201)
        self.assert_problem(
            server.request("POST", "/", string_of(11)), 413)

    def test_max_amount_is_taken_from_the_environment(self):
        server = self.start(env={"WQ_MAX_AMOUNT": "2"})
        for _ in range(3):
            server.push(b"1")
        self.assertEqual(len(server.receive("amount=9")), 2)

    def test_max_header_is_taken_from_the_environment(self):
        server = self.start(env={"WQ_MAX_HEADER": "1000"})
        response = server.request("GET", "/health",
                                  headers={"X-A": "a" * 1000})
        self.assert_problem(response, 431)

    def test_idle_timeout_is_taken_from_the_environment(self):
        server = self.start(env={"WQ_IDLE_TIMEOUT": "300"})
        self.connection(server).expect_closed()

    def test_listen_is_taken_from_the_environment(self):
        server = self.start(listen=(), env={"WQ_LISTEN": "127.0.0.1"})
        self.assert_status(server.request("GET", "/health"), 200)
        self.assertEqual(server.log().count("listening address="), 1)


class ListenTest(WqTestCase):

    def setUp(self):
        self.directory = scratch_directory()
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.path = os.path.join(self.directory, "wq.sock")

    def answers(self, address):
        """Whether a wqd is served there."""
        try:
            with Connection(address) as connection:
                return connection.request("GET", "/health").status == 200
        except (OSError, Closed):
            return False

    def start_on_socket(self, *listen, **more):
        """A server that is ready once it answers on the socket."""
        return self.start(listen=listen, ready=lambda _: os.path.exists(
            self.path) and self.answers(self.path), **more)

    def start_on_ipv6(self, *listen):
        """A server on IPv6, and its port there."""
        if not has_ipv6():
            self.skipTest("no IPv6 here")

        def listens(log):
            match = re.search(
                r"listening address=\"?\[?::1\]?\"? port=(\d+)", log)
            return int(match[1]) if match else None
        server = self.start(listen=listen, ready=listens)
        return server, server.port

    # Unix sockets

    def test_unix_socket_is_served(self):
        self.start_on_socket("unix:" + self.path)
        with Connection(self.path) as connection:
            message = connection.request(
                "POST", "/", b'"local"').json()["messageID"]
            response = connection.request("GET", "/?timeout=60000")
            self.assertEqual(response.json()["messages"],
                             [{"id": message, "body": "local"}])
            self.assert_status(
                connection.request("PATCH", f"/{message}"), 204)

    def test_path_alone_is_a_unix_socket(self):
        self.start_on_socket(self.path)
        self.assertTrue(self.answers(self.path))

    def test_unix_socket_is_removed_at_the_end(self):
        server = self.start_on_socket("unix:" + self.path)
        server.stop()
        self.assertFalse(os.path.lexists(self.path))

    def test_stale_unix_socket_is_replaced(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
            stale.bind(self.path)
            stale.listen()
        self.assertTrue(os.path.exists(self.path))
        self.start_on_socket("unix:" + self.path)
        self.assertTrue(self.answers(self.path))

    def test_socket_left_by_a_killed_server_is_replaced(self):
        first = self.start_on_socket("unix:" + self.path)
        first.signal(signal.SIGKILL)
        first.check_end((-signal.SIGKILL,))
        self.start_on_socket("unix:" + self.path)
        self.assertTrue(self.answers(self.path))

    def test_unix_socket_in_use_is_refused(self):
        self.start_on_socket("unix:" + self.path)
        run = run_wqd("-l", "unix:" + self.path)
        self.assertEqual(run.returncode, 1, run)
        self.assertRegex(run.stderr, r"\A[^\n]+\n\Z")
        self.assertTrue(self.answers(self.path))

    def test_file_that_is_no_socket_is_left_alone(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("precious")
        run = run_wqd("-l", "unix:" + self.path)
        self.assertEqual(run.returncode, 1, run)
        self.assertRegex(run.stderr, r"\A[^\n]+\n\Z")
        with open(self.path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_socket_in_a_missing_directory_is_refused(self):
        run = run_wqd("-l", "unix:" + self.directory + "/none/wq.sock")
        self.assertEqual(run.returncode, 1, run)
        self.assertRegex(run.stderr, r"\A[^\n]+\n\Z")

    def test_unix_socket_client_that_vanishes_is_no_trouble(self):
        self.start_on_socket("unix:" + self.path)
        for raw in (b"", b"GET /", build_request("POST", "/", b"1"),
                    build_request("GET", "/") * 100):
            for _ in range(10):
                connection = Connection(self.path)
                connection.send(raw)
                connection.close()
        self.assertTrue(self.answers(self.path))

    # Several addresses

    def test_listen_may_be_repeated(self):
        server = self.start(listen=("127.0.0.1", "unix:" + self.path))
        self.assert_status(server.request("GET", "/health"), 200)
        wait_until(lambda: self.answers(self.path))

    def test_listen_may_be_a_list(self):
        server = self.start(listen=("127.0.0.1,unix:" + self.path,))
        self.assert_status(server.request("GET", "/health"), 200)
        wait_until(lambda: self.answers(self.path))

    def test_all_addresses_share_one_queue(self):
        server = self.start(listen=("unix:" + self.path, "127.0.0.1"))
        message = server.push(b"1")
        wait_until(lambda: self.answers(self.path))
        with Connection(self.path) as connection:
            response = connection.request("GET", f"/{message}")
            self.assert_status(response, 200)

    def test_star_is_every_address(self):
        def port(log):
            for found in re.findall(r"listening address=\S+ port=(\d+)",
                                    log):
                if self.answers(("127.0.0.1", int(found))):
                    return int(found)
            return None
        server = self.start(listen=("*",), ready=port)
        self.assert_status(server.request("GET", "/health"), 200)

    # IPv6

    def test_ipv6_is_served(self):
        _, port = self.start_on_ipv6("::1")
        self.assertTrue(self.answers(("::1", port)))

    def test_ipv6_in_brackets_is_served(self):
        _, port = self.start_on_ipv6("[::1]")
        self.assertTrue(self.answers(("::1", port)))

    def test_both_loopback_addresses_are_the_default(self):
        server = self.start(listen=())
        self.assert_status(server.request("GET", "/health"), 200)
        if not has_ipv6():
            self.skipTest("no IPv6 here")

        def ipv6_port():
            match = re.search(r"address=\"?\[?::1\]?\"? port=(\d+)",
                              server.log())
            return int(match[1]) if match else None
        port = wait_until(ipv6_port, what="wqd to listen on ::1")
        self.assertTrue(self.answers(("::1", port)))


class SignalTest(WqTestCase):

    def is_refused(self, server):
        """Whether nobody listens any more."""
        try:
            server.connect().close()
        except ConnectionRefusedError:
            return True
        except OSError:
            pass                # it was closed as soon as it was accepted
        return False

    def half_sent(self, server, body):
        """A request that is in hand: its head was read, its body is half
        sent."""
        connection = self.connection(server)
        connection.send_request(
            "POST", "/", None, {"Content-Length": str(len(body)),
                                "Expect": "100-continue"})
        self.assertEqual(connection.read_interim(), 100)
        connection.send(body[:len(body) // 2])
        return connection

    def drain(self, server, number=signal.SIGTERM):
        """Send the signal, and wait until nobody listens any more."""
        server.signal(number)
        wait_until(lambda: self.is_refused(server),
                   what="connections to be refused")

    def test_sigterm_ends_it_with_status_0(self):
        server = self.start()
        server.signal(signal.SIGTERM)
        server.check_end((0,))

    def test_sigint_ends_it_with_status_0(self):
        server = self.start()
        server.signal(signal.SIGINT)
        server.check_end((0,))

    def test_sigterm_ends_it_with_messages_in_every_state(self):
        server = self.start()
        for i in range(100):
            server.push(b"%d" % i)
        server.receive("amount=10&timeout=600000")
        server.receive("amount=10&timeout=1")
        for message in server.receive("amount=10"):
            server.patch(message["id"])
        server.signal(signal.SIGTERM)
        server.check_end((0,))

    def test_idle_connections_are_closed(self):
        server = self.start(*FOREVER, "--idle-timeout", "600000")
        used = self.connection(server)
        self.assert_status(used.request("GET", "/health"), 200)
        unused = self.connection(server)
        self.assert_status(server.request("GET", "/health"), 200)
        server.signal(signal.SIGTERM)
        used.expect_closed()
        unused.expect_closed()
        server.check_end((0,))

    def test_request_in_hand_is_answered(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.start(*FOREVER)
            body = string_of(1000)
            connection = self.half_sent(server, body)
            self.drain(server, number)
            self.assertTrue(server.is_alive())
            connection.send(body[len(body) // 2:])
            self.assert_status(connection.read_response(), 201)
            connection.expect_closed()
            server.check_end((0,))

    def test_only_the_request_in_hand_is_answered(self):
        server = self.start(*FOREVER)
        body = string_of(1000)
        connection = self.half_sent(server, body)
        self.drain(server)
        try:
            connection.send(body[len(body) // 2:])
            self.assert_status(connection.read_response(), 201)
            connection.send_request("GET", "/health")
        except (BrokenPipeError, ConnectionResetError):
            pass
        connection.expect_closed()
        server.check_end((0,))

    def test_big_answer_in_hand_is_sent_whole(self):
        server = self.start(*FOREVER, "--write-timeout", "600000")
        for _ in range(10):
            server.push(string_of(MIB))
        connection = self.connection(server, receive_buffer=65536)
        connection.send_request("GET", "/?timeout=600000")
        connection.read_more()
        self.drain(server)
        messages = connection.read_response().json()["messages"]
        self.assertEqual([len(message["body"]) for message in messages],
                         [MIB - 2] * 10)
        connection.expect_closed()
        server.check_end((0,))

    def test_client_that_vanishes_in_the_drain_does_not_hold_it(self):
        for leave in ("close", "reset"):
            server = self.start(*FOREVER)
            connection = self.half_sent(server, string_of(1000))
            self.drain(server)
            getattr(connection, leave)()
            server.check_end((0,))

    def test_second_signal_ends_it_at_once(self):
        server = self.start(*FOREVER)
        self.half_sent(server, string_of(1000))
        self.drain(server)
        self.assertTrue(server.is_alive())
        server.signal(signal.SIGTERM)
        server.check_end((0, 1, -signal.SIGTERM, 128 + signal.SIGTERM))

    def test_second_signal_may_be_another(self):
        server = self.start(*FOREVER)
        self.half_sent(server, string_of(1000))
        self.drain(server, signal.SIGTERM)
        server.signal(signal.SIGINT)
        server.check_end((0, 1, -signal.SIGINT, 128 + signal.SIGINT))

    def test_drain_ends_at_its_timeout(self):
        server = self.start("--drain-timeout", "500",
                            "--request-timeout", "600000")
        connection = self.half_sent(server, string_of(1000))
        began = time.monotonic()
        self.drain(server)
        server.check_end((0, 1))
        self.assert_not_before(began, 0.5)
        connection.expect_closed()

    def test_sigpipe_is_no_trouble(self):
        server = self.start()
        server.signal(signal.SIGPIPE)
        self.assert_status(server.request("GET", "/health"), 200)


class LogTest(WqTestCase):

    def quiet_calls(self, server):
        """Calls as any client makes them."""
        message = server.push(b'"the body of a message"')
        server.receive("timeout=60000")
        server.patch(message)
        server.patch(uuid.uuid4())
        server.request("GET", "/nothing-here")
        server.request("POST", "/", b"{")

    def test_log_lines_have_a_room_and_an_event(self):
        server = self.start("-v")
        self.quiet_calls(server)
        server.request("GET", "/a%20b%0Ac%22?x=%ff")
        self.assertRegex(server.log(), r"\n\Z")
        for line in server.log()[:-1].split("\n"):
            self.assertRegex(line, LOG_LINE)

    def test_calls_are_not_logged(self):
        server = self.start()
        self.quiet_calls(server)        # what it says at start is said
        before = server.log()
        for _ in range(20):
            self.quiet_calls(server)
        self.assertEqual(server.log(), before)

    def test_calls_are_logged_with_v(self):
        server = self.start("-v")
        before = len(server.log().splitlines())
        self.quiet_calls(server)
        self.assertGreater(len(server.log().splitlines()), before)

    def test_late_answers_are_logged_with_their_requests(self):
        server = self.start("-v")
        connection = self.connection(server)
        targets = [f"/queues/q{i}?wait=60000&amount={i}" for i in (1, 2, 3)]
        for i in (1, 2, 3):
            server.request("PUT", f"/queues/q{i}", b"{}")
        connection.send(b"".join(build_request("GET", t) for t in targets))
        for i in (1, 2, 3):
            server.request("POST", f"/queues/q{i}", b"1")
            self.assertEqual(connection.read_response().status, 200)
        for target in targets:
            self.assertIn(f'request="GET {target}"', server.log())

    def test_bodies_are_never_logged(self):
        server = self.start("-v")
        self.quiet_calls(server)
        server.request("POST", "/", b'{"card": "4111-secret"')
        self.assertNotIn("the body of a message", server.log())
        self.assertNotIn("4111-secret", server.log())

    def test_bytes_of_a_client_are_escaped(self):
        server = self.start("-v")
        for raw in (b"GET /\x1b[31m\x07 HTTP/1.1\r\nHost: x\r\n\r\n",
                    b"GET /%1b%5b31m%0afake:%20line HTTP/1.1\r\n\r\n",
                    b"GET /?\x1b[31m=%0d%0a HTTP/1.1\r\n\r\n",
                    b"B\x1bW / HTTP/1.1\r\n\r\n",
                    b"GET / HTTP/1.1\r\nX\x1b: \x1b[31m\r\n\r\n"):
            connection = self.connection(server)
            connection.send(raw)
            try:
                connection.read_response()
            except Closed:
                pass
        log = server.log()
        self.assertNotRegex(log, r"[\x00-\x08\x0b-\x1f\x7f]")
        for line in log[:-1].split("\n"):
            self.assertRegex(line, LOG_LINE)
            self.assertFalse(line.startswith("fake:"), line)

    def test_stdout_and_stdin_may_be_closed(self):
        # As some supervisors start a daemon.
        server = self.start("-v", shell='exec "$@" <&- >&-')
        self.quiet_calls(server)
        self.assert_status(server.request("GET", "/health"), 200)


if __name__ == "__main__":
    unittest.main()
