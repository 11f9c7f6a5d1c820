"""openapi.yaml is what the server does: its paths and methods, parameters and
their limits, statuses, headers and bodies, each asked of a running one.

An answer whose status the document does not have, or whose body has a member
that its schema does not name, fails here, so what is added to the server must
be added to the document.
"""

import functools
import glob
import json
import math
import os
import re
import signal
import unittest
import urllib.parse

from harness import FreshServerTestCase, WqTestCase, wait_until
from queues import LONG, NDJSON, lines

try:
    import yaml
except ImportError:
    yaml = None

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
METHODS = ("get", "post", "put", "patch", "delete")
QUEUES = ("/", "/queues/{queue}")
QUEUE = "orders"
NO_MESSAGE = "17aaffb1-45a8-43cd-b48d-33ea84a1a9ad"
OVER_MAX_BODY = {"Content-Length": str(1024 * 1024 + 1)}
MANY_MAX = 10000            # lines of a push, IDs of a confirm
INT64_MAX = 2 ** 63 - 1

# No test can have these at a word: no memory, no store, and a full disk.
NOT_PROVOKED = {"500", "503", "507"}
PROVOKED_ANYWAY = {("/ready", "get", "503")}


# The document

def unique_mapping(loader, node, deep=False):
    """A mapping without keys that repeat, which YAML itself forbids."""
    keys = [key.value for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise AssertionError(f"{key} is there twice, {node.start_mark}")
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


class Document:
    """openapi.yaml, with its references followed."""

    def __init__(self):
        class Loader(yaml.SafeLoader):
            pass
        Loader.add_constructor("tag:yaml.org,2002:map", unique_mapping)
        with open(os.path.join(TOP, "openapi.yaml"), encoding="utf-8") as file:
            self.root = yaml.load(file, Loader)
        self.operations = [
            Operation(self, path, item, method)
            for path, item in self.root["paths"].items()
            for method in METHODS if method in self.resolve(item)]

    def target(self, reference):
        node = self.root
        if not reference.startswith("#/"):
            raise AssertionError(f"{reference} is not of this document")
        for key in reference[2:].split("/"):
            node = node[key.replace("~1", "/").replace("~0", "~")]
        return node

    def resolve(self, node):
        """The node with what it refers to; its own members count more."""
        if "$ref" not in node:
            return node
        own = {key: value for key, value in node.items() if key != "$ref"}
        return {**self.resolve(self.target(node["$ref"])), **own}

    def operation(self, method, path):
        [found] = [one for one in self.operations
                   if (one.method, one.path) == (method, path)]
        return found

    def paths(self):
        """The operations of each path."""
        return {path: [one for one in self.operations if one.path == path]
                for path in self.root["paths"]}

    def walk(self):
        """Each mapping of the document, and where it is."""
        nodes = [("", self.root)]
        while nodes:
            where, node = nodes.pop()
            if isinstance(node, dict):
                yield where, node
            pairs = (node.items() if isinstance(node, dict)
                     else enumerate(node) if isinstance(node, list) else ())
            nodes += [(f"{where}/{key}", value) for key, value in pairs]

    # Schemas: JSON Schema 2020-12, as much of it as the document uses.

    NOTES = {"description", "format", "default", "example"}

    def check(self, schema, value, where="body"):
        """Fail unless the value is as the schema says.  An object has no
        members but those that the schema names, unless it says otherwise."""
        for keyword, argument in schema.items():
            if keyword in self.NOTES:
                continue
            rule = self.RULES.get(keyword)
            if rule is None:
                raise AssertionError(f"{where}: no rule for {keyword}")
            if not rule(self, argument, value, where):
                raise AssertionError(
                    f"{where}: {value!r:.200} is not {keyword} {argument!r}")
        if (isinstance(value, dict) and "properties" in schema
                and "additionalProperties" not in schema):
            self.check_strangers(False, value, where, schema["properties"])
        elif isinstance(value, dict) and "additionalProperties" in schema:
            self.check_strangers(schema["additionalProperties"], value, where,
                                 schema.get("properties", {}))

    def check_strangers(self, allowed, value, where, known):
        for name in set(value) - set(known):
            if allowed is False:
                raise AssertionError(
                    f"{where}: the document does not have {name!r}")
            self.check(allowed, value[name], f"{where}.{name}")

    def is_valid(self, schema, value):
        try:
            self.check(schema, value)
        except AssertionError:
            return False
        return True

    def _reference(self, reference, value, where):
        self.check(self.target(reference), value, where)
        return True

    def _type(self, names, value, _where):
        names = names if isinstance(names, list) else [names]
        return any(self.TYPES[name](value) for name in names)

    def _properties(self, schemas, value, where):
        if isinstance(value, dict):
            for name in set(value) & set(schemas):
                self.check(schemas[name], value[name], f"{where}.{name}")
        return True

    def _items(self, schema, value, where):
        if isinstance(value, list):
            for index, item in enumerate(value):
                self.check(schema, item, f"{where}[{index}]")
        return True

    def _one_of(self, schemas, value, _where):
        return sum(self.is_valid(one, value) for one in schemas) == 1

    TYPES = {
        "null": lambda v: v is None,
        "boolean": lambda v: isinstance(v, bool),
        "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
        "string": lambda v: isinstance(v, str),
        "array": lambda v: isinstance(v, list),
        "object": lambda v: isinstance(v, dict),
    }
    RULES = {
        "$ref": _reference,
        "type": _type,
        "properties": _properties,
        "items": _items,
        "oneOf": _one_of,
        "additionalProperties": lambda *_: True,    # see check()
        "required": lambda s, a, v, w: (
            not isinstance(v, dict) or set(a) <= set(v)),
        "enum": lambda s, a, v, w: v in a,
        "const": lambda s, a, v, w: v == a and type(v) is type(a),
        "pattern": lambda s, a, v, w: (
            not isinstance(v, str) or re.search(a, v) is not None),
        "minimum": lambda s, a, v, w: not isinstance(v, int) or v >= a,
        "maximum": lambda s, a, v, w: not isinstance(v, int) or v <= a,
        "minLength": lambda s, a, v, w: (
            not isinstance(v, str) or len(v) >= a),
        "maxLength": lambda s, a, v, w: (
            not isinstance(v, str) or len(v) <= a),
        "minItems": lambda s, a, v, w: (
            not isinstance(v, list) or len(v) >= a),
        "maxItems": lambda s, a, v, w: (
            not isinstance(v, list) or len(v) <= a),
        "maxProperties": lambda s, a, v, w: (
            not isinstance(v, dict) or len(v) <= a),
    }

    def check_answer(self, response, documented):
        """Headers and body are as the documented response says."""
        headers = documented.get("headers", {})
        for name in {"Location", "Retry-After", "Allow",
                     "WQ-Durable"} | set(headers):
            value = response.header(name)
            if value is None:
                if self.resolve(headers.get(name, {})).get("required"):
                    raise AssertionError(f"no {name}: {response!r}")
                continue
            if name not in headers:
                raise AssertionError(f"undocumented {name}: {response!r}")
            schema = self.resolve(self.resolve(headers[name])["schema"])
            self.check(schema, int(value) if schema["type"] == "integer"
                       else value, name)
        content = documented.get("content")
        if content is None:
            if response.body or response.header("Content-Type"):
                raise AssertionError(f"undocumented body: {response!r}")
            return
        kind = response.header("Content-Type")
        if kind not in content:
            raise AssertionError(f"undocumented type {kind}: {response!r}")
        value = (response.json() if "json" in kind
                 else response.body.decode("utf-8"))
        self.check(content[kind]["schema"], value)
        if kind == "application/problem+json" and (
                value["status"], value["title"]) != (
                response.status, response.reason):
            raise AssertionError(f"not of this status: {response!r}")


class Operation:
    """A method of a path."""

    def __init__(self, document, path, item, method):
        whole = document.resolve(item)
        node = whole[method]
        self.path = path
        self.method = method
        self.node = node
        # Those of / and of /queues/{queue} are one, in two places.
        shared = item.get("$ref")
        self.home = (shared if shared is not None
                     and method in document.target(shared) else path)
        self.parameters = [
            document.resolve(one) for one in
            whole.get("parameters", []) + node.get("parameters", [])]
        self.responses = {
            status: document.resolve(one)
            for status, one in node["responses"].items()}
        self.bodies = node.get("requestBody", {}).get("content", {})

    def __str__(self):
        return f"{self.method.upper()} {self.path}"

    def named(self, place):
        """The parameters there: path, query or header."""
        return {one["name"]: one for one in self.parameters
                if one["in"] == place}

    @property
    def is_message(self):
        return self.path.endswith("{messageID}")

    def fitting_body(self):
        """One with which it does what it is for."""
        if self.path in QUEUES:
            return {"post": b"1", "patch": b"[]", "put": b"{}"}.get(
                self.method)
        return None


@functools.lru_cache(None)
def document():
    if yaml is None:
        raise unittest.SkipTest(
            "the yaml module is needed to read openapi.yaml "
            "(Debian: python3-yaml)")
    return Document()


def beyond(limit):
    """The next integer that a double can be."""
    return limit + max(1, int(math.ulp(float(limit))))


# The server

class OpenapiTestCase(FreshServerTestCase):

    def setUp(self):
        self.document = document()
        super().setUp()
        self.client = self.connection(self.server)
        self.seen = set()       # (home, method, status) of operations
        self.ask("PUT", f"/queues/{QUEUE}", b'{"lockTimeout": 600000}')

    def ask(self, method, target, body=None, headers=()):
        """Any request, on the connection that stays."""
        response = self.client.request(method, target, body, headers)
        if response.header("Connection") == "close":
            self.client = self.connection(self.server)
        return response

    def target(self, path, query=(), queue=QUEUE, message=NO_MESSAGE):
        query = query if isinstance(query, str) else urllib.parse.urlencode(
            query, errors="surrogateescape")
        return path.replace("{queue}", queue).replace(
            "{messageID}", message) + ("?" + query if query else "")

    def call(self, operation, statuses, query=(), body=None, headers=(),
             **names):
        """Call the operation; the answer must have one of the statuses, and
        be as the document says."""
        response = self.ask(
            operation.method.upper(),
            self.target(operation.path, query, **names),
            operation.fitting_body() if body is None else body, headers)
        status = str(response.status)
        text = f"{operation} {query} {names}: {response!r}"
        self.assertIn(status, operation.responses,
                      "not in the document: " + text)
        self.document.check_answer(response, operation.responses[status])
        self.seen.add((operation.home, operation.method, status))
        if isinstance(statuses, int):
            statuses = (statuses,)
        self.assertIn(response.status, statuses, text)
        return response

    def path(self, queue, rest=""):
        """A path as the document has it; queue is one of QUEUES."""
        return queue + rest if queue != "/" else rest or "/"

    def do(self, method, path, statuses, query=(), body=None, headers=(),
           **names):
        return self.call(self.document.operation(method, path), statuses,
                         query, body, headers, **names)

    def push(self, queue, query="", body=b"1"):
        return self.do("post", queue, 201, query, body).json()["messageID"]

    def receive(self, queue, query=LONG):
        """All there is, with details."""
        return self.do("get", queue, 200, "details=true&" + query
                       ).json()["messages"]

    def empty(self, queue):
        self.do("post", self.path(queue, "/purge"), 204)

    def fitting_call(self, operation):
        """Have all that the operation is about: names for call(), and the
        receipt of the message where it is about one."""
        queue = "/queues/{queue}" if "{queue}" in operation.path else "/"
        self.ask("PUT", f"/queues/{QUEUE}")
        self.empty(queue)
        message = self.push(queue)
        if not operation.is_message:
            return {"message": message}, None
        [message] = self.receive(queue)
        return {"message": message["id"]}, message["receipt"]

    def peek(self, queue):
        return self.do("get", self.path(queue, "/peek"), 200
                       ).json()["messages"]

    def assert_refused(self, operation, query=(), body=None, headers=(),
                       **names):
        with self.subTest(f"{operation} {query} {headers}"):
            response = self.call(operation, 400, query, body, headers,
                                 **names)
            self.assert_problem(response, 400)


class DocumentTest(unittest.TestCase):
    """The document by itself."""

    def setUp(self):
        self.document = document()

    def test_version_of_openapi(self):
        self.assertRegex(self.document.root["openapi"], r"^3\.1\.\d+$")

    def test_references_are_of_something(self):
        for where, node in self.document.walk():
            if isinstance(node.get("$ref"), str):
                with self.subTest(where):
                    self.document.target(node["$ref"])

    def test_components_are_used(self):
        used = {node["$ref"] for _, node in self.document.walk()
                if isinstance(node.get("$ref"), str)}
        there = {f"#/components/{kind}/{name}"
                 for kind, named in self.document.root["components"].items()
                 for name in named}
        self.assertEqual(there - used, set())

    def test_path_parameters_are_those_of_the_path(self):
        for operation in self.document.operations:
            with self.subTest(str(operation)):
                named = operation.named("path")
                self.assertEqual(
                    set(named), set(re.findall(r"{(\w+)}", operation.path)))
                for parameter in named.values():
                    self.assertIs(parameter["required"], True)

    def test_operations_say_what_they_are(self):
        tags = {tag["name"] for tag in self.document.root["tags"]}
        for operation in self.document.operations:
            with self.subTest(str(operation)):
                self.assertTrue(operation.node["summary"])
                self.assertLessEqual(set(operation.node["tags"]), tags)
                self.assertIn("default", operation.responses)
                for status, response in operation.responses.items():
                    self.assertRegex(status, r"^([2-5]\d\d|default)$")
                    self.assertTrue(response["description"].strip())
                for parameter in operation.parameters:
                    self.assertTrue(parameter["description"].strip())
                    self.assertIn("example", parameter)

    def test_examples_are_valid(self):
        for where, node in self.document.walk():
            if "example" not in node or where.endswith("/properties"):
                continue
            with self.subTest(where):
                self.document.check(node.get("schema", node), node["example"])

    def test_each_schema_has_only_what_is_checked(self):
        for where, node in self.document.walk():
            for name in ("schema", "items", "additionalProperties"):
                if isinstance(node.get(name), dict):
                    with self.subTest(f"{where}/{name}"):
                        self.assertLessEqual(
                            set(node[name]),
                            set(Document.RULES) | Document.NOTES)


class PathTest(OpenapiTestCase):
    """The paths and methods are those of the server."""

    def test_allow_is_the_documented_methods(self):
        for path, operations in self.document.paths().items():
            with self.subTest(path):
                methods = {one.method.upper() for one in operations}
                allowed = methods | {"OPTIONS"} | (
                    {"HEAD"} if "GET" in methods else set())
                response = self.ask("OPTIONS", self.target(path))
                self.assert_status(response, 204)
                self.assertEqual(response.allowed(), allowed)
                for method in METHODS:
                    if method.upper() not in methods:
                        self.check_no_method(operations[0], method, allowed)

    def check_no_method(self, operation, method, allowed):
        response = self.ask(method.upper(), self.target(operation.path))
        self.assert_status(response, 405)
        self.assertEqual(response.allowed(), allowed)
        self.document.check_answer(response, operation.responses["default"])

    def test_documented_methods_are_there(self):
        for operation in self.document.operations:
            with self.subTest(str(operation)):
                names, _ = self.fitting_call(operation)
                # All is there for it, so only default cannot be deleted.
                # A backup wants a server with something on disk.
                self.call(operation, (200, 501) if operation.path == "/backup"
                          else (200, 201, 204), **names)

    def test_head_is_get_without_its_body(self):
        for operation in self.document.operations:
            if operation.method != "get":
                continue
            with self.subTest(str(operation)):
                names, _ = self.fitting_call(operation)
                with self.connection(self.server) as connection:
                    connection.send_request(
                        "HEAD", self.target(operation.path, **names))
                    response = connection.read_response("HEAD")
                self.assert_status(response, 200)
                self.assertIn(response.header("Content-Type"),
                              operation.responses["200"]["content"])

    def test_routes_of_the_server_are_documented(self):
        """No OPTIONS tells of a path that the document does not have.

        Pages for clients of SQS alone are not of the native API.
        """
        sources = glob.glob(os.path.join(TOP, "src", "api", "*.c"))
        if not sources:
            self.skipTest("the sources are not here")
        routes = set()
        for source in sources:
            with open(source, encoding="utf-8") as file:
                routes |= set(re.findall(
                    r'{\s*HTTP_([A-Z]+),\s*"(/[^"]*)",(?!\s*sqs_)',
                    file.read()))
        documented = {
            (one.method.upper(), re.sub(r"{\w+}", "{}", one.path))
            for one in self.document.operations}
        self.assertEqual(
            {route for route in routes if route[0] != "HEAD"}, documented)


class ParameterTest(OpenapiTestCase):
    """Parameters are taken and refused as the document says."""

    def test_documented_values_are_accepted(self):
        for operation in self.document.operations:
            for name, parameter in operation.named("query").items():
                for value in self.good_values(name, parameter):
                    names, receipt = self.fitting_call(operation)
                    if name == "receipt":
                        value = receipt
                    elif name == "after" and operation.path != "/queues":
                        value = names["message"]
                    with self.subTest(f"{operation} {name}={value}"):
                        self.call(operation, (200, 201, 204), {name: value},
                                  **names)

    def good_values(self, name, parameter):
        """The example, and those at the limits."""
        schema = self.document.resolve(parameter["schema"])
        yield parameter["example"] if schema["type"] != "boolean" else "true"
        yield from schema.get("enum", ())
        if schema["type"] == "boolean":
            yield "false"
        if schema["type"] == "integer":
            yield schema["minimum"]
            yield schema.get("maximum", INT64_MAX)
            if "default" in schema:
                yield schema["default"]
        if "maxLength" in schema:
            yield "x" * schema.get("minLength", 0)
            # A new one each time: of dedup, a second would be a repeat.
            yield (name * schema["maxLength"])[:schema["maxLength"]]

    def bad_values(self, schema):
        """Beyond the limits, and of other types."""
        kind = schema["type"]
        if kind == "integer":
            yield schema["minimum"] - 1
            yield beyond(schema["maximum"]) if "maximum" in schema else (
                INT64_MAX + 1)
            yield from ("", "x", "1.5", "1e3", "+1", " 1", "0x1", "1,2",
                        "9" * 40)
        if kind == "boolean":
            yield from ("", "1", "yes", "True")
        if "enum" in schema:
            yield from ("", "nosuch", schema["enum"][0].upper())
        if "minLength" in schema:
            yield "x" * (schema["minLength"] - 1)
        if "maxLength" in schema:
            yield "x" * (schema["maxLength"] + 1)

    def test_values_beyond_the_limits_are_refused(self):
        for operation in self.document.operations:
            names, _ = self.fitting_call(operation)
            for name, parameter in operation.named("query").items():
                schema = self.document.resolve(parameter["schema"])
                for value in self.bad_values(schema):
                    self.assert_refused(operation, {name: value}, **names)

    def test_texts_that_do_not_match_are_refused(self):
        """IDs, receipts and queue names."""
        for operation in self.document.operations:
            names, _ = self.fitting_call(operation)
            for name, parameter in operation.named("query").items():
                schema = self.document.resolve(parameter["schema"])
                if "pattern" not in schema:
                    continue
                for value in ("", "a.b", "a/b", "x" * 81, "x" * 200,
                              parameter["example"] + ".", "\u00e9"):
                    self.assertNotRegex(value, schema["pattern"])
                    self.assert_refused(operation, {name: value}, **names)

    def test_undocumented_parameters_are_refused(self):
        """By each call that has 400; the others look at none."""
        every = {name for one in self.document.operations
                 for name in one.named("query")} | {"nosuch"}
        for operation in self.document.operations:
            names, _ = self.fitting_call(operation)
            for name in sorted(every - set(operation.named("query"))):
                if "400" in operation.responses:
                    self.assert_refused(operation, {name: 1}, **names)
                else:
                    self.call(operation, 200, {name: 1}, **names)

    def test_a_parameter_given_twice_is_refused(self):
        for operation in self.document.operations:
            names, _ = self.fitting_call(operation)
            for name, parameter in operation.named("query").items():
                schema = self.document.resolve(parameter["schema"])
                value = ("true" if schema["type"] == "boolean"
                         else parameter["example"])
                self.assert_refused(
                    operation, [(name, value), (name, value)], **names)

    def test_header_parameters(self):
        found = 0
        for operation in self.document.operations:
            for name, parameter in operation.named("header").items():
                found += 1
                schema = self.document.resolve(parameter["schema"])
                for value in self.good_values(name, parameter):
                    self.call(operation, 201, headers={name: str(value)})
                    self.call(operation, 200, headers={name: str(value)})
                for value in self.bad_values(schema):
                    self.assert_refused(operation, headers={name: value})
        self.assertEqual(found, 2)

    def test_queue_names(self):
        for operation in self.document.operations:
            if "queue" not in operation.named("path"):
                continue
            for name in ("a.b", "a.fifo.fifo", ".fifo", "x" * 81,
                         "x" * 300, "%C3%A9", "a%20b"):
                with self.subTest(f"{operation} {name}"):
                    self.call(operation, 400, queue=name)

    def test_longest_queue_names(self):
        for name in ("x" * 80, "x" * 80 + ".fifo"):
            self.do("put", "/queues/{queue}", 201, queue=name)
            self.do("delete", "/queues/{queue}", 204, queue=name)

    def test_message_ids(self):
        for operation in self.document.operations:
            if not operation.is_message:
                continue
            for name in (NO_MESSAGE, NO_MESSAGE[:-1], NO_MESSAGE + "0",
                         NO_MESSAGE.replace("-", ""), "x",
                         NO_MESSAGE.replace("f", "g")):
                with self.subTest(f"{operation} {name}"):
                    self.call(operation, 404, message=name)
            names, _ = self.fitting_call(operation)
            self.call(operation, (200, 204),
                      message=names["message"].upper())


class SettingsTest(OpenapiTestCase):
    """The settings of PUT are those of the document."""

    def setUp(self):
        super().setUp()
        self.put = self.document.operation("put", "/queues/{queue}")
        self.schema = self.document.resolve(
            self.put.bodies["application/json"]["schema"])

    def set(self, statuses, **settings):
        """PUT them; maxReceives needs a deadLetterQueue."""
        settings = {"deadLetterQueue": "failed", **settings}
        # Whoever knows the schema knows what the server says to them.
        valid = self.document.is_valid(self.schema, settings)
        with self.subTest(str(settings)[:100]):
            self.assertEqual(valid, statuses == 200, "by the schema")
            return self.call(self.put, statuses,
                             body=json.dumps(settings).encode())

    def test_settings_not_named_are_refused(self):
        self.set(400, nosuch=1)
        self.set(400, name=QUEUE)

    def test_limits(self):
        for name, schema in self.schema["properties"].items():
            schema = self.document.resolve(schema)
            if schema["type"] != "integer":
                continue
            for value in (schema["minimum"], schema["maximum"]):
                response = self.set(200, **{name: value})
                self.assertEqual(response.json()["settings"][name], value)
            for value in (schema["minimum"] - 1, beyond(schema["maximum"]),
                          "1", None, True, [], {}):
                self.set(400, **{name: value})

    def test_others(self):
        self.set(200, contentBasedDedup=True)
        self.set(400, contentBasedDedup=1)
        self.set(200, deadLetterQueue=None)
        for name in ("", "a.b", "x" * 81, "x" * 200, 1):
            self.set(400, deadLetterQueue=name)
        self.set(200, fifo=False)
        self.set(400, fifo="false")
        self.call(self.put, 400, body=b'{"fifo": true}')

    def test_tags(self):
        many = {str(number): "x" for number in range(
            self.schema["properties"]["tags"]["maxProperties"])}
        response = self.set(200, tags=many)
        self.assertEqual(response.json()["settings"]["tags"], many)
        self.set(400, tags={**many, "more": "x"})
        self.set(400, tags={"a": 1})
        self.set(400, tags=[])

    def test_defaults(self):
        settings = self.do("put", "/queues/{queue}", 201, queue="new"
                           ).json()["settings"]
        for name, schema in self.schema["properties"].items():
            if name == "fifo":      # it has none, but follows the name
                continue
            with self.subTest(name):
                self.assertEqual(settings[name], schema["default"])
        self.assertEqual(set(settings), set(self.schema["properties"]))

    def test_body(self):
        for body in (b"[]", b"1", b"{", b'{"delay": 1, "delay": 1}', b" "):
            self.assert_refused(self.put, body=body)
        self.call(self.put, 200, body=b"")


class AnswerTest(OpenapiTestCase):
    """Each answer is as the document says, and each status of it occurs."""

    def each_queue(self, scene):
        for queue in QUEUES:
            with self.subTest(f"{scene.__name__} {queue}"):
                self.empty(queue)
                scene(queue)

    def test_each_status(self):
        for scene in (self.pushes, self.receives, self.confirms,
                      self.many_confirms, self.looks, self.peeks,
                      self.redrives, self.management):
            self.each_queue(scene)
        for scene in (self.queues, self.deletes, self.dead_letters,
                      self.fifo, self.pages, self.no_such_queue,
                      self.no_queue_is_made, self.backups, self.ending):
            with self.subTest(scene.__name__):
                scene()
        documented = {
            (one.home, one.method, status)
            for one in self.document.operations for status in one.responses}
        missing = {
            each for each in documented - self.seen
            if each[2] != "default" and (each[2] not in NOT_PROVOKED
                                         or each in PROVOKED_ANYWAY)}
        self.assertEqual(missing, set(), "these were never answered")

    def test_redrive_to_no_queue_names_it(self):
        for queue in QUEUES:
            with self.subTest(queue):
                response = self.do("post", self.path(queue, "/redrive"), 404,
                                   "to=nosuch")
                self.assert_problem(response, 404, "no queue nosuch")

    # What can be done in each queue

    def pushes(self, queue):
        for body in (b'{"a": [1, 2.5, null]}', b'"x"', b"1e400", b" true "):
            response = self.do("post", queue, 201, "", body)
            self.assertTrue(response.header("Location").endswith(
                "/" + response.json()["messageID"]))
        response = self.do("post", queue, 201, "group=g", lines(1, 2), NDJSON)
        self.assertEqual(len(response.json()["messageIDs"]), 2)
        self.assertIsNone(response.header("Location"))
        first = self.do("post", queue, 201, "dedup=d")
        again = self.do("post", queue, 200, "dedup=d")
        self.assertEqual(first.json(), again.json())
        self.assertEqual(first.header("Location"), again.header("Location"))
        self.do("post", queue, 400, "", b"{")
        self.do("post", queue, 400, "", b"")
        self.do("post", queue, 400, "", b"1\n{\n", NDJSON)
        self.do("post", queue, 400, "dedup=d", b"1\n", NDJSON)
        self.do("post", queue, 400, "", b"1\n" * (MANY_MAX + 1), NDJSON)
        self.do("post", queue, 201, "", b"1\n" * MANY_MAX, NDJSON)
        self.do("post", queue, 413, "", b"", OVER_MAX_BODY)
        name = QUEUE if queue != "/" else "default"
        for limit in (b'{"maxMessages": 1}',
                      b'{"maxMessages": 0, "maxBytes": 1}'):
            self.do("put", "/queues/{queue}", 200, "", limit, queue=name)
            self.do("post", queue, 429)
        self.do("put", "/queues/{queue}", 200, "", b'{"maxBytes": 0}',
                queue=name)

    def receives(self, queue):
        self.assertEqual(self.receive(queue), [])
        self.do("get", queue, 200, "wait=1")
        self.push(queue, "group=g")
        [message] = self.receive(queue, "amount=1&timeout=0")
        self.assertEqual(set(message), {
            "id", "body", "receipt", "receives", "pushedAt", "lockedUntil",
            "group"})
        [message] = self.do("get", queue, 200).json()["messages"]
        self.assertEqual(set(message), {"id", "body"})
        self.do("get", queue, 400, "amount=0")

    def confirms(self, queue):
        path = self.path(queue, "/{messageID}")
        message = self.push(queue)
        self.do("patch", path, 404, message=message)
        [first] = self.receive(queue)
        self.do("patch", path, 204, LONG, message=message)
        self.do("patch", path, 204, "timeout=0", message=message)
        [second] = self.receive(queue)
        for more in ("", "&" + LONG):
            self.do("patch", path, 409, f"receipt={first['receipt']}{more}",
                    message=message)
        self.do("patch", path, 204, f"receipt={second['receipt']}",
                message=message)
        self.do("patch", path, 404, message=message)
        self.do("patch", path, 400, "timeout=x", message=message)

    def many_confirms(self, queue):
        body = json.dumps([self.push(queue), self.push(queue)]).encode()
        answer = self.do("patch", queue, 200, "", body).json()
        self.assertEqual(len(answer["missing"]), 2)
        self.receive(queue)
        answer = self.do("patch", queue, 200, "", body).json()
        self.assertEqual(len(answer["confirmed"]), 2)
        many = [NO_MESSAGE] * MANY_MAX
        self.do("patch", queue, 200, "", json.dumps(many).encode())
        many.append(NO_MESSAGE)
        self.do("patch", queue, 400, "", json.dumps(many).encode())
        for body in (b"", b"{}", b"[1]", b'["x"]', b"["):
            self.do("patch", queue, 400, "", body)
        self.do("patch", queue, 413, "", b"", OVER_MAX_BODY)

    def looks(self, queue):
        path = self.path(queue, "/{messageID}")
        delayed = self.push(queue, "delay=600000")
        message = self.push(queue, "group=g")

        def look(which):
            return self.do("get", path, 200, message=which).json()
        self.assertIn("delayedUntil", look(delayed))
        self.assertNotIn("receipt", look(message))
        self.do("post", self.path(queue, "/pause"), 204)
        self.assertIs(look(message)["paused"], True)
        self.do("post", self.path(queue, "/resume"), 204)
        self.receive(queue)
        self.assertIn("lockedUntil", look(message))
        self.do("get", path, 404, message=NO_MESSAGE)
        self.do("get", path, 400, "x=1", message=message)

    def peeks(self, queue):
        path = self.path(queue, "/peek")
        self.push(queue)
        self.receive(queue)
        self.push(queue, "group=g")
        self.push(queue, "delay=600000")
        messages = self.peek(queue)
        self.assertEqual([one["state"] for one in messages],
                         ["available", "locked", "delayed"])
        self.do("get", path, 200, {"after": messages[2]["id"]})
        self.do("get", path, 404, {"after": NO_MESSAGE})
        self.do("get", path, 400, "after=x")

    def redrives(self, queue):
        path = self.path(queue, "/redrive")
        self.push(queue)
        self.assertEqual(self.do("post", path, 200).json(), {"moved": 0})
        self.do("put", "/queues/{queue}", (200, 201), queue="other")
        self.assertEqual(self.do("post", path, 200, "to=other").json(),
                         {"moved": 1})
        self.do("post", path, 404, "to=nosuch")
        self.do("post", path, 400, "amount=0")

    def management(self, queue):
        self.do("get", self.path(queue, "/info"), 200)
        self.do("get", self.path(queue, "/info"), 400, "x=1")
        for call in ("/pause", "/resume", "/purge"):
            self.do("post", self.path(queue, call), 204)
            self.do("post", self.path(queue, call), 204, "", b"ignored")
            self.do("post", self.path(queue, call), 400, "x=1")

    # Queues

    def queues(self):
        path = "/queues/{queue}"
        self.do("put", path, 201, queue="new")
        self.do("put", path, 200, "", b'{"tags": {"a": "b"}}', queue="new")
        self.do("put", path, 400, "", b"[]", queue="new")
        self.do("put", path, 400, "", b'{"maxReceives": 1}', queue="new")
        self.do("put", path, 400, "", b'{"deadLetterQueue": "new"}',
                queue="new")
        self.do("put", path, 413, "", b"", OVER_MAX_BODY, queue="new")
        answer = self.do("get", "/queues", 200, "prefix=new&limit=1").json()
        [queue] = answer["queues"]
        self.assertEqual(queue["name"], "new")
        self.do("get", "/queues", 400, "limit=0")

    def deletes(self):
        path = "/queues/{queue}"
        self.do("put", path, (200, 201), "",
                b'{"deadLetterQueue": "target"}', queue="source")
        self.do("delete", path, 409, queue="default")
        self.do("delete", path, 409, queue="target")
        self.do("delete", path, 400, "x=1", queue="source")
        self.do("delete", path, 204, queue="source")
        self.do("delete", path, 204, queue="target")
        self.do("delete", path, 404, queue="target")

    def dead_letters(self):
        self.do("put", "/queues/{queue}", (200, 201), "", b"""{
            "maxReceives": 1, "deadLetterQueue": "dead"}""", queue="live")

        def dead():
            return self.do("get", "/queues/{queue}/peek", 200, queue="dead"
                           ).json()["messages"]
        for body, query, reason in ((b"1", "", "maxReceives"),
                                    (b"2", "ttl=1", "ttl")):
            self.do("post", "/queues/{queue}", 201, query, body, queue="live")
            if not query:
                self.do("get", "/queues/{queue}", 200, "timeout=0",
                        queue="live")
            wait_until(dead, what="a dead letter")
            [message] = dead()
            self.assertEqual(message["deadLetter"]["reason"], reason)
            self.do("get", "/queues/{queue}/{messageID}", 200, queue="dead",
                    message=message["id"])
            self.do("get", "/queues/{queue}", 200, "details=true&timeout=0",
                    queue="dead")
            answer = self.do("post", "/queues/{queue}/redrive", 200,
                             queue="dead").json()
            self.assertEqual(answer, {"moved": 1})
            self.do("post", "/queues/{queue}/purge", 204, queue="live")

    def fifo(self):
        name = "letters.fifo"
        for _ in range(2):
            self.do("post", "/queues/{queue}", 201, "group=g", queue=name)
        self.do("post", "/queues/{queue}", 400, "delay=1", queue=name)
        self.do("get", "/queues/{queue}", 200, "amount=1&" + LONG,
                queue=name)
        messages = self.do("get", "/queues/{queue}/peek", 200, queue=name
                           ).json()["messages"]
        self.assertEqual([one["state"] for one in messages],
                         ["available", "locked"])
        look = self.do("get", "/queues/{queue}/{messageID}", 200, queue=name,
                       message=messages[0]["id"]).json()
        self.assertEqual(look["blockedBy"], messages[1]["id"])
        self.do("post", "/queues/{queue}/purge", 204, queue=name)

    # The server

    def pages(self):
        self.do("get", "/health", 200)
        self.do("get", "/ready", 200)
        self.do("get", "/health", 400, "x=1")
        self.do("get", "/ready", 400, "x=1")
        response = self.do("get", "/openapi.yaml", 200)
        with open(os.path.join(TOP, "openapi.yaml"), "rb") as file:
            self.assertEqual(response.body, file.read())
        self.do("get", "/openapi.yaml", 400, "x=1")

    def no_such_queue(self):
        for operation in self.document.operations:
            if ("queue" in operation.named("path")
                    and (operation.method, operation.path) not in (
                        ("post", "/queues/{queue}"),
                        ("put", "/queues/{queue}"))):
                with self.subTest(str(operation)):
                    response = self.call(operation, 404, queue="nosuch")
                    self.assert_problem(response, 404, "queue nosuch")

    def no_queue_is_made(self):
        """With auto-create=false a push does not make its queue."""
        with_it, self.server = self.server, self.start(
            "--auto-create", "false")
        client, self.client = self.client, self.connection(self.server)
        try:
            self.do("post", "/queues/{queue}", 404)
            self.do("post", "/queues/{queue}", 404, "", b"1\n", NDJSON)
            self.do("put", "/queues/{queue}", 201)
            self.do("post", "/queues/{queue}", 201)
        finally:
            self.server, self.client = with_it, client

    def backups(self):
        backup = self.document.operation("post", "/backup")
        self.call(backup, 400, "x=1")
        memory = self.start("--data", "")
        self.ask_twice(memory, backup, {501})
        self.ask_twice(self.start("--data", self.scratch()), backup,
                       {200, 409})

    def ask_twice(self, server, operation, statuses):
        """Two at once, again and again until all of statuses have come."""
        seen = set()

        def ask():
            both = [self.connection(server) for _ in range(2)]
            for connection in both:
                connection.send_request("POST", operation.path)
            for connection in both:
                response = connection.read_response()
                status = str(response.status)
                self.document.check_answer(response,
                                           operation.responses[status])
                self.seen.add((operation.home, operation.method, status))
                seen.add(response.status)
                connection.close()
            return seen >= statuses
        wait_until(ask, what=f"{statuses}")
        self.assertEqual(seen, statuses)

    def ending(self):
        """A request that had begun when the server was told to end."""
        server = self.start("--drain-timeout", "60000")
        connection = self.connection(server)
        connection.send(b"GET /ready HTTP/1.1\r\n")
        # The server has read that: it answers another that came later.
        self.assert_status(server.request("GET", "/health"), 200)
        server.signal(signal.SIGTERM)
        wait_until(lambda: "draining" in server.log(), what="the drain")
        connection.send(b"Host: wq.example\r\n\r\n")
        response = connection.read_response()
        self.assert_status(response, 503)
        operation = self.document.operation("get", "/ready")
        self.document.check_answer(response, operation.responses["503"])
        self.seen.add((operation.home, operation.method, "503"))
        server.check_end()


class AnyRequestTest(WqTestCase):
    """What is answered to any request, documented as `default`."""

    REQUESTS = (
        (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        (403, b"GET / HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\n\r\n"),
        (405, b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (408, b"GET / HTTP/1.1\r\nHost: a\r\n"),
        (413, b"GET / HTTP/1.1\r\nHost: a\r\n"
              b"Content-Length: 999999999\r\n\r\n"),
        (417, b"GET / HTTP/1.1\r\nHost: a\r\nExpect: b\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: a\r\nA: %s\r\n\r\n" % (b"x" * 70000)),
        (501, b"GET / HTTP/1.1\r\nHost: a\r\n"
              b"Transfer-Encoding: gzip\r\n\r\n"),
        (505, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    )

    def test_they_are_documented(self):
        default = document().operation("get", "/").responses["default"]
        server = self.start("--request-timeout", "300")
        statuses = [int(number) for number in re.findall(
            r"^- (\d\d\d):", default["description"], re.M)]
        self.assertEqual([status for status in statuses if status != 500],
                         [status for status, _ in self.REQUESTS])
        for status, request in self.REQUESTS:
            with self.subTest(status):
                connection = self.connection(server)
                connection.send(request)
                response = connection.read_response()
                self.assert_status(response, status)
                document().check_answer(response, default)


if __name__ == "__main__":
    unittest.main()
