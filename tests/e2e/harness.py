"""What the end-to-end tests stand on: a wqd of their own, and a client
that controls every byte.

Server starts a wqd on a port that the system chose, waits until its log
says that it listens, and at the end sends SIGTERM and checks that it ended
with status 0 and that no sanitizer had anything to say.  Connection is a
small HTTP client over a plain socket.  Nothing here depends on the speed of
the machine: everything waits for a condition, with a generous deadline.

WQD in the environment is the program to test; the default is ./wqd.  With
WQ_TEST_DATA=1 each server keeps everything in a directory of its own, for all
that holds in memory must hold on disk.
"""

import atexit
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

DEADLINE = 30.0         # seconds to wait for anything that must happen
WQD = os.path.abspath(os.environ.get("WQD", "./wqd"))
TEST_DATA = os.environ.get("WQ_TEST_DATA", "") not in ("", "0")
MIB = 1024 * 1024

UUID4 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

SANITIZER_MARKS = (
    "ERROR: AddressSanitizer", "runtime error:", "LeakSanitizer",
    "WARNING: ThreadSanitizer", "WARNING: MemorySanitizer")

# The server's clock counts whole milliseconds: of a lock that began at
# 100.9 it knows 100, so seen from outside it may end up to 1 ms early.
CLOCK_GRAIN = 0.001


def wait_until(condition, deadline=DEADLINE, what="the condition"):
    """Return the first true value of condition(); fail at the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"waited {deadline:g} s for {what}")
        time.sleep(0.005)


def let_pass(seconds):
    """Let time pass, where a test is about something not happening."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(left)


def now_epoch_ms():
    return int(time.time() * 1000)


def sanitized():
    """Whether the program is a sanitizer build, which needs more memory."""
    if not hasattr(sanitized, "known"):
        with open(WQD, "rb") as program:
            sanitized.known = b"__asan_init" in program.read()
    return sanitized.known


def memory_allowance(mib):
    """Bytes by which a server may grow where mib would do in a plain build."""
    return mib * MIB * (6 if sanitized() else 1)


def small_quarantine():
    """Environment for where memory is measured: what was freed, and a
    sanitizer keeps aside, is not held by wqd."""
    given = os.environ.get("ASAN_OPTIONS", "")
    return {"ASAN_OPTIONS": (given + ":" if given else "")
            + "quarantine_size_mb=8"}


def raise_descriptor_limit(count):
    """Allow this process, and what it starts, count descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        if hard != resource.RLIM_INFINITY and hard < count:
            raise unittest.SkipTest(
                f"{count} descriptors needed, the hard limit is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def scratch_directory():
    """A new directory whose path is short enough for a unix socket."""
    base = tempfile.gettempdir()
    return tempfile.mkdtemp(prefix="wq", dir=base if len(base) < 60
                            else "/tmp")


def environment(extra=None):
    """Our environment without settings that wqd would take from it."""
    env = {name: value for name, value in os.environ.items()
           if name != "PORT" and not name.startswith("WQ_")}
    env.update(extra or {})
    return env


def run_wqd(*arguments, env=None):
    """Run a wqd that is expected to end by itself."""
    try:
        return subprocess.run(
            [WQD, *arguments], env=environment(env), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=DEADLINE, check=False)
    except subprocess.TimeoutExpired:
        raise AssertionError(
            f"wqd {' '.join(arguments)}: still runs") from None


class Response:
    """One answer, as it came."""

    def __init__(self, version, status, reason, headers, body, interim):
        self.version = version      # "HTTP/1.1"
        self.status = status
        self.reason = reason
        self.headers = headers      # list of (name, value), in order
        self.body = body
        self.interim = interim      # status of each 1xx that came before

    def header(self, name, default=None):
        """The value of a header that must not come twice."""
        values = [value for key, value in self.headers
                  if key.lower() == name.lower()]
        if len(values) > 1:
            raise AssertionError(f"{name} came {len(values)} times")
        return values[0] if values else default

    def allowed(self):
        """The methods of the Allow header."""
        value = self.header("Allow")
        return {m.strip() for m in value.split(",")} if value else set()

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return (f"<{self.status} {self.reason} {self.headers!r} "
                f"{bytes(self.body[:300])!r}>")


class Closed(AssertionError):
    """The server closed where an answer was expected."""


def build_request(method, target, body=None, headers=(),
                  version="HTTP/1.1"):
    """The bytes of a request; a body gets its Content-Length."""
    fields = list(headers.items() if isinstance(headers, dict) else headers)
    if not any(name.lower() == "host" for name, _ in fields):
        fields.insert(0, ("Host", "wq.example"))
    if body is not None and not any(
            name.lower() in ("content-length", "transfer-encoding")
            for name, _ in fields):
        fields.append(("Content-Length", str(len(body))))
    head = f"{method} {target} {version}\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
    return head.encode("latin-1") + (body or b"")


def chunked(*pieces, extension=b"", trailers=b""):
    """The pieces as a chunked body."""
    parts = [b"%x%s\r\n%s\r\n" % (len(p), extension, p) for p in pieces]
    return b"".join(parts) + b"0\r\n" + trailers + b"\r\n"


class Connection:
    """A client's connection.  The address is (host, port) or a path."""

    def __init__(self, address, receive_buffer=None):
        if isinstance(address, str):
            family = socket.AF_UNIX
        else:
            family = (socket.AF_INET6 if ":" in address[0]
                      else socket.AF_INET)
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            if receive_buffer:
                self.sock.setsockopt(
                    socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            self.sock.settimeout(DEADLINE)
            self.sock.connect(address)
            if family != socket.AF_UNIX:
                self.sock.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            self.sock.close()
            raise
        self.buffer = bytearray()
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Sending

    def send(self, data):
        self.sock.sendall(data)

    def send_request(self, method, target, body=None, headers=(),
                     version="HTTP/1.1"):
        self.send(build_request(method, target, body, headers, version))

    def send_in_background(self, data):
        """Send while the caller reads; an error just ends the sending."""
        def work():
            try:
                self.sock.sendall(data)
            except OSError:
                pass
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def trickle(self, data, pause):
        """Send a byte, pause, and so on, until the server has enough."""
        def work():
            try:
                for index in range(len(data)):
                    self.sock.sendall(data[index:index + 1])
                    if stop.wait(pause):
                        return
            except OSError:
                pass
        stop = threading.Event()
        thread = threading.Thread(target=work, daemon=True)
        thread.start()

        def end():
            stop.set()
            thread.join(DEADLINE)
        return end

    def pour(self, piece, limit):
        """Send piece again and again, up to limit bytes, until the server
        closes; what it says meanwhile is kept for read_response()."""
        end = time.monotonic() + DEADLINE
        sent = 0
        rest = b""              # of a piece that was sent in part
        poller = select.poll()
        self.sock.setblocking(False)
        try:
            while not self.ended:
                if time.monotonic() >= end:
                    raise AssertionError(
                        f"not closed after {sent} bytes and {DEADLINE:g} s")
                events = select.POLLIN
                if sent < limit:
                    events |= select.POLLOUT
                poller.register(self.sock, events)
                for _, event in poller.poll(100):
                    if event & (select.POLLIN | select.POLLERR
                                | select.POLLHUP):
                        self.read_more()
                    elif event & select.POLLOUT:
                        try:
                            rest = rest or memoryview(piece)
                            count = self.sock.send(rest)
                            rest = rest[count:]
                            sent += count
                        except BlockingIOError:
                            pass
                        except OSError:
                            # Closed; what it said before is still to read.
                            limit = sent
        finally:
            self.sock.settimeout(DEADLINE)
        return sent

    def finish_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    # Receiving

    def read_more(self):
        """Wait for something and add it to buffer; false at the end."""
        try:
            data = self.sock.recv(262144)
        except BlockingIOError:
            return True
        except socket.timeout:
            raise AssertionError(
                f"nothing came for {DEADLINE:g} s, "
                f"after {bytes(self.buffer[-200:])!r}") from None
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        if not data:
            self.ended = True
        self.buffer += data
        return bool(data)

    def take(self, count):
        """The next count bytes."""
        while len(self.buffer) < count:
            if self.ended or not self.read_more():
                raise Closed(f"closed {count - len(self.buffer)} bytes "
                             f"early, after {bytes(self.buffer[-200:])!r}")
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def _take_line(self):
        while (end := self.buffer.find(b"\n")) < 0:
            if self.ended or not self.read_more():
                raise Closed("closed where an answer was expected, "
                             f"after {bytes(self.buffer[-200:])!r}")
        line = self.take(end + 1)
        if not line.endswith(b"\r\n"):
            raise AssertionError(f"line without CR LF: {line!r}")
        return line[:-2]

    def _take_headers(self):
        headers = []
        while line := self._take_line():
            name, colon, value = line.partition(b":")
            if not colon or not name or name != name.strip():
                raise AssertionError(f"bad header from the server: {line!r}")
            headers.append((name.decode("ascii"),
                            value.strip().decode("latin-1")))
        return headers

    def _take_chunks(self):
        body = bytearray()
        while size := int(self._take_line().split(b";")[0], 16):
            body += self.take(size)
            if self.take(2) != b"\r\n":
                raise AssertionError("bad chunk from the server")
        self._take_headers()
        return bytes(body)

    def read_response(self, method="GET"):
        """Read one answer to a request of that method."""
        interim = []
        while True:
            line = self._take_line()
            match = re.fullmatch(rb"(HTTP/1\.[01]) (\d{3}) ?(.*)", line)
            if not match:
                raise AssertionError(f"bad status line: {line!r}")
            version, status = match[1].decode(), int(match[2])
            headers = self._take_headers()
            if status >= 200:
                break
            interim.append(status)
        response = Response(version, status, match[3].decode("latin-1"),
                            headers, b"", interim)
        length = response.header("Content-Length")
        encoding = response.header("Transfer-Encoding")
        if method == "HEAD" or status in (204, 304):
            return response
        if encoding is not None:
            if encoding.lower() != "chunked" or length is not None:
                raise AssertionError(f"bad framing: {response!r}")
            response.body = self._take_chunks()
        elif length is not None:
            response.body = self.take(int(length))
        else:
            while not self.ended:
                self.read_more()
            response.body = self.take(len(self.buffer))
        return response

    def read_interim(self):
        """Read one 1xx answer; its status."""
        line = self._take_line()
        match = re.fullmatch(rb"HTTP/1\.1 (1\d\d) ?.*", line)
        if not match:
            raise AssertionError(f"not a 1xx answer: {line!r}")
        self._take_headers()
        return int(match[1])

    def request(self, method, target, body=None, headers=()):
        self.send_request(method, target, body, headers)
        return self.read_response(method)

    def expect_closed(self):
        """Wait until the server closes; nothing more may come before."""
        while not self.ended:
            self.read_more()
        if self.buffer:
            raise AssertionError("closed, but first came "
                                 f"{bytes(self.buffer[:300])!r}")

    def is_silent(self, seconds):
        """Whether nothing comes, not even an end, for that long."""
        poller = select.poll()
        poller.register(self.sock, select.POLLIN)
        return not self.buffer and not poller.poll(int(seconds * 1000))

    # Leaving

    def close(self):
        self.sock.close()

    def reset(self):
        """Leave with a RST in place of a FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()


class Server:
    """A wqd of our own.

    options      more of them, as on the command line
    listen       one -l each; none: what wqd listens on by itself
    port         None: no -p
    descriptors  its RLIMIT_NOFILE, soft and hard
    shell        a script that prepares what it likes and execs "$@"
    data         the directory that it keeps everything in, which stays; None:
                 memory, or with WQ_TEST_DATA one that goes with the server
    ready        tells from the log whether it serves: a port, or just true
    """

    living = set()

    def __init__(self, *options, listen=("127.0.0.1",), port=0, env=None,
                 descriptors=None, shell=None, data=None, ready=None):
        self.directory = scratch_directory()
        self.stopped = False
        self.options = [str(option) for option in options]
        if data is None and TEST_DATA and not {
                "-d", "--data"} & set(self.options) and "WQ_DATA" not in (
                env or {}):
            data = os.path.join(self.directory, "data")
        self.data = data
        command = [WQD]
        for address in listen:
            command += ["-l", address]
        if port is not None:
            command += ["-p", str(port)]
        if data is not None:
            command += ["--data", data]
        command += self.options
        if descriptors is not None:
            shell = f'ulimit -n {descriptors} && exec "$@"'
        if shell is not None:
            command = ["/bin/sh", "-c", shell, "sh", *command]
        self.log_path = os.path.join(self.directory, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                command, env=environment(env), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        Server.living.add(self)
        self.pid = self.process.pid
        try:
            self.port = wait_until(
                lambda: self._is_ready(ready or self._listening_port),
                what="wqd to listen")
        except BaseException:
            self._kill()
            self._clean_up()
            raise
        self.address = ("127.0.0.1", self.port)

    @staticmethod
    def _listening_port(log):
        match = re.search(
            r"http: listening address=127\.0\.0\.1 port=(\d+)", log)
        return int(match[1]) if match else None

    def _is_ready(self, ready):
        log = self.log()
        value = ready(log)
        if self.data is not None and "store: all is read" not in log:
            value = None
        if not value and not self.is_alive():
            raise AssertionError(
                f"wqd ended with status {self.process.returncode} before "
                f"it listened:\n{self.log()}")
        return value

    def _kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _clean_up(self):
        self.stopped = True
        Server.living.discard(self)
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self):
        with open(self.log_path, "rb") as log:
            return log.read().decode("utf-8", "backslashreplace")

    # The process

    def is_alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait_end(self, deadline=2 * DEADLINE):
        """The exit status, once it has ended by itself."""
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"wqd still runs after {deadline:g} s:\n"
                f"{self.log()[-3000:]}") from None

    def check_end(self, statuses=(0,)):
        """Wait for the end; it must be one of statuses, and a clean one."""
        try:
            status = self.wait_end()
            log = self.log()
            if status not in statuses or any(
                    mark in log for mark in SANITIZER_MARKS):
                raise AssertionError(
                    f"wqd ended with status {status}:\n{log[-6000:]}")
        finally:
            self._kill()
            self._clean_up()

    def stop(self):
        """SIGTERM, unless that was done; it must end with status 0."""
        if self.stopped:
            return
        if self.is_alive():
            self.signal(signal.SIGTERM)
        self.check_end()

    def descriptor_count(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def _memory(self, field):
        with open(f"/proc/{self.pid}/status", encoding="ascii",
                  errors="replace") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise AssertionError("wqd is gone")

    def rss(self):
        """Resident bytes now."""
        return self._memory("VmRSS")

    def peak_rss(self):
        """The most bytes that were ever resident."""
        return self._memory("VmHWM")

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii",
                  errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # Talking to it

    def connect(self, **options):
        return Connection(self.address, **options)

    def request(self, method, target, body=None, headers=()):
        with self.connect() as connection:
            return connection.request(method, target, body, headers)

    def push(self, body):
        """Push the bytes; the new message's ID."""
        response = self.request("POST", "/", body)
        if response.status != 201:
            raise AssertionError(f"push: {response!r}")
        return response.json()["messageID"]

    def receive(self, query=""):
        """The messages of GET /; query is without its question mark."""
        response = self.request("GET", "/?" + query if query else "/")
        if response.status != 200:
            raise AssertionError(f"receive: {response!r}")
        return response.json()["messages"]

    def look(self, message):
        """What GET /{id} says, or None where there is no such message."""
        response = self.request("GET", f"/{message}")
        if response.status not in (200, 404):
            raise AssertionError(f"look: {response!r}")
        return response.json() if response.status == 200 else None

    def patch(self, message, query=""):
        return self.request(
            "PATCH", f"/{message}" + ("?" + query if query else ""))

    def info(self):
        response = self.request("GET", "/info")
        if response.status != 200:
            raise AssertionError(f"info: {response!r}")
        return response.json()

    def counts(self):
        return self.info()["counts"]

    def wait_available(self, count):
        """Wait until so many messages are available and none is locked."""
        def as_wanted():
            counts = self.counts()
            return (counts["available"], counts["locked"]) == (count, 0)
        wait_until(as_wanted, what=f"{count} available, none locked")

    def wait_state(self, message, state):
        wait_until(lambda: self.look(message)["state"] == state,
                   what=f"a message to be {state}")

    def empty(self):
        """Receive and confirm all; waits for locks to run out."""
        def is_empty():
            for message in self.receive("amount=1000&timeout=60000"):
                self.patch(message["id"])
            counts = self.counts()
            return not counts["available"] and not counts["locked"]
        wait_until(is_empty, what="an empty queue")


@atexit.register
def _end_the_living():
    for server in list(Server.living):
        server._kill()
        server._clean_up()


class WqTestCase(unittest.TestCase):
    """Assertions, and servers that end with the test."""

    maxDiff = 2000

    @classmethod
    def start_for_all(cls, *options, on_disk):
        """One server for all tests of the class, stopped after them."""
        data = None
        if on_disk:
            directory = scratch_directory()
            cls.addClassCleanup(shutil.rmtree, directory, True)
            data = os.path.join(directory, "data")
        server = Server(*options, data=data)
        cls.addClassCleanup(server.stop)
        return server

    def start(self, *options, **more):
        """A server that is stopped, and checked, when the test ends."""
        server = Server(*options, **more)
        self.addCleanup(server.stop)
        return server

    def scratch(self):
        """A new directory that is removed when the test ends."""
        directory = scratch_directory()
        self.addCleanup(shutil.rmtree, directory, True)
        return directory

    def connection(self, server, **options):
        """A connection that is closed when the test ends."""
        connection = server.connect(**options)
        self.addCleanup(connection.close)
        return connection

    def assert_status(self, response, *statuses):
        self.assertIn(response.status, statuses, repr(response))

    def assert_problem(self, response, statuses, *patterns):
        """The answer is an error as in RFC 9457.  Each pattern must be
        found in its detail, in upper or lower case."""
        if isinstance(statuses, int):
            statuses = (statuses,)
        self.assertIn(response.status, statuses, repr(response))
        kind = (response.header("Content-Type") or "").split(";")[0]
        self.assertEqual(kind.strip().lower(), "application/problem+json",
                         repr(response))
        problem = response.json()
        self.assertEqual(problem["status"], response.status)
        for field in ("type", "title", "detail"):
            self.assertIsInstance(problem[field], str)
            self.assertTrue(problem[field].strip(), f"{field} is empty")
        for pattern in patterns:
            self.assertRegex(problem["detail"], re.compile(pattern, re.I))
        return problem

    def assert_not_before(self, since, seconds):
        """At least so much time has passed since then."""
        self.assertGreaterEqual(
            time.monotonic() - since, seconds - CLOCK_GRAIN)


class FreshServerTestCase(WqTestCase):
    """One fresh server for each test."""

    OPTIONS = ()

    def setUp(self):
        self.server = self.start(*self.OPTIONS)


class SharedServerTestCase(WqTestCase):
    """One server for all tests of the class.  Where a test leaves messages
    or a dead server behind, the next one gets a new server."""

    OPTIONS = ()
    server = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.OPTIONS)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        if self.server.stopped:
            type(self).server = Server(*self.OPTIONS)
        self.addCleanup(self._check_server)

    def _check_server(self):
        if not self.server.is_alive():
            self.server.check_end(statuses=())
        counts = self.server.counts()
        if counts["available"] or counts["locked"]:
            self.server.stop()
