"""Bodies: any JSON value is kept byte for byte, anything else is 400."""

import json
import random
import re
import unittest

from harness import MIB, FreshServerTestCase, SharedServerTestCase

WHITE = b" \t\r\n"
RECEIVED = re.compile(
    rb'\s*\{\s*"messages"\s*:\s*\[\s*\{\s*"id"\s*:\s*"([0-9a-f-]{36})"\s*,'
    rb'\s*"body"\s*:\s*(.*?)\s*\}\s*\]\s*\}\s*', re.DOTALL)


def is_json(data):
    """Whether data is one JSON value of valid Unicode, as we define it."""
    def refuse(_):
        raise ValueError("no JSON number")

    def is_unicode(value):
        if isinstance(value, str):
            return not re.search("[\ud800-\udfff]", value)
        if isinstance(value, (list, tuple)):
            return all(is_unicode(item) for item in value)
        return True

    try:
        # Objects as tuples of pairs, so that repeated keys are seen too.
        value = json.loads(data.decode("utf-8"), parse_constant=refuse,
                           object_pairs_hook=tuple)
    except ValueError:
        return False
    return is_unicode(value)


class JsonTestCase(SharedServerTestCase):

    def round_trip(self, raw):
        """Push raw; both ways to see it must give exactly it."""
        wanted = raw.strip(WHITE)
        response = self.server.request("POST", "/", raw)
        self.assert_status(response, 201)
        message = response.json()["messageID"]
        look = self.server.request("GET", f"/{message}")
        self.assert_status(look, 200)
        self.assertTrue(wanted in look.body,
                        f"{wanted[:200]!r} is not in {look!r}")
        received = self.server.request("GET", "/?timeout=60000")
        match = RECEIVED.fullmatch(received.body)
        self.assertTrue(match, repr(received))
        self.assertEqual(match[1].decode(), message)
        self.assertTrue(match[2] == wanted,
                        f"{wanted[:200]!r} came back as {match[2][:200]!r}")
        self.assert_status(self.server.patch(message), 204)

    def round_trips(self, *raws):
        for raw in raws:
            with self.subTest(raw=raw[:60]):
                self.round_trip(raw)

    def refused(self, *raws, about=()):
        for raw in raws:
            with self.subTest(raw=raw[:60]):
                response = self.server.request("POST", "/", raw)
                problem = self.assert_problem(response, 400, *about)
                self.assertNotEqual(problem["detail"], problem["title"])
        self.assertEqual(self.server.counts()["available"], 0)


class KeptTest(JsonTestCase):

    def test_any_kind_of_value_is_kept(self):
        self.round_trips(b"{}", b"[]", b'""', b"0", b"true", b"false",
                         b"null", b'{"a":{"b":[1,"x",null,true]}}', b'"x"')

    def test_big_integers_are_kept(self):
        self.round_trips(
            b"12345678901234567890", b"-12345678901234567890",
            b"9223372036854775807", b"9223372036854775808",
            b"-9223372036854775809", b"1" * 5000,
            b'{"a":[123456789012345678901234567890]}')

    def test_numbers_keep_their_digits(self):
        self.round_trips(
            b"-0", b"0.0", b"-0.0", b"1.0", b"1.10", b"1e2", b"1E2",
            b"1E+02", b"1e-0", b"0e0", b"0.1000000000000000055511151231257",
            b"3.141592653589793238462643383279502884197")

    def test_numbers_beyond_double_are_kept(self):
        self.round_trips(b"1e400", b"-1e400", b"1e-400", b"[1e999999999]",
                         b'{"a":-1E+400}', b"1e" + b"9" * 100)

    def test_nul_escape_as_value_is_kept(self):
        self.round_trips(rb'"\u0000"', rb'"a\u0000b"', rb'["\u0000"]')

    def test_nul_escape_in_a_key_is_kept(self):
        self.round_trips(rb'{"\u0000":1}', rb'{"a\u0000b":1}',
                         rb'{"a\u0000b":1,"a\u0000c":2}',
                         rb'{"a":1,"a\u0000":2}')

    def test_repeated_keys_are_kept(self):
        self.round_trips(b'{"a":1,"a":2}', b'{"a":1,"b":2,"a":1}',
                         b'{"":1,"":2}', rb'{"a":1,"\u0061":2}')

    def test_order_of_keys_is_kept(self):
        self.round_trips(b'{"z":1,"a":2,"m":3,"B":4,"10":5,"9":6}')

    def test_escapes_are_kept(self):
        self.round_trips(
            rb'"\"\\\/\b\f\n\r\t"', rb'"/"', rb'"\u0041"', rb'"\u00e9"',
            '"\u00e9"'.encode(), rb'"\uD83D\uDE00"', rb'"\ud83d\ude00"',
            '"\U0001f600"'.encode(), rb'"\u2028"', '"\u2028"'.encode(),
            rb'"\u001f"', rb'"\uFFFF"', rb'"\u00AF"')

    def test_any_unicode_is_kept(self):
        self.round_trips(
            b'"\x7f"', '"\u0080"'.encode(), '"\u07ff\u0800"'.encode(),
            '"\ud7ff\ue000"'.encode(), '"\ufffd\ufffe\uffff"'.encode(),
            '"\U00010000\U0010ffff"'.encode(), '{"\u00fc":1}'.encode())

    def test_white_space_inside_is_kept(self):
        self.round_trips(b'{ "a" :\t[ 1 ,\r\n 2 ] }', b"[ ]", b"{\n}")

    def test_white_space_around_does_not_matter(self):
        self.round_trips(b" 1", b"1 ", b"\n{}\n", b" \t\r\n[1]\t\r\n ",
                         b'  "x"  ', b" " * 10000 + b"1" + b"\n" * 10000)

    def test_what_looks_like_an_answer_is_kept(self):
        self.round_trips(
            b'"}]}"', b'"\\"}]}"', b'{"messages":[{"id":"x","body":1}]}',
            b'"HTTP/1.1 200 OK"')

    def test_deep_nesting_is_kept(self):
        self.round_trips(
            b"[" * 1000 + b"]" * 1000,
            b'{"a":' * 1000 + b"1" + b"}" * 1000,
            b'[{"a":' * 500 + b"[]" + b"}]" * 500)

    def test_wide_values_are_kept(self):
        self.round_trips(
            b"[" + b",".join(b"%d" % i for i in range(50000)) + b"]",
            b"{" + b",".join(b'"k%d":%d' % (i, i)
                             for i in range(30000)) + b"}",
            b"[" + b"[]," * 50000 + b"0]")

    def test_long_string_is_kept(self):
        self.round_trip(b'"' + b"x" * (MIB - 2) + b'"')

    def test_keys_that_hash_alike_are_no_trouble(self):
        # One letter repeated is a usual way to make weak hashes collide.
        self.round_trip(b"{" + b",".join(
            b'"%s":0' % (b"a" * i) for i in range(1, 1200)) + b"}")

    def test_many_equal_keys_are_no_trouble(self):
        self.round_trip(b"{" + b'"a":0,' * 100000 + b'"a":1}')

    def test_random_values_are_kept(self):
        seed = random.randrange(2 ** 32)
        chance = random.Random(seed)

        def value(depth):
            kind = chance.randrange(9 if depth < 5 else 6)
            if kind < 2:
                digits = chance.choice((1, 5, 15, 19, 20, 40))
                number = str(chance.randrange(10 ** digits))
                if chance.random() < 0.3:
                    number += "." + str(chance.randrange(10 ** digits))
                if chance.random() < 0.3:
                    number += chance.choice("eE") + chance.choice(
                        ("", "+", "-")) + str(chance.randrange(1000))
                return chance.choice(("", "-")) + number
            if kind < 4:
                return string()
            if kind < 6:
                return chance.choice(("true", "false", "null"))
            space = chance.choice(("", "", " ", "\n\t"))
            count = chance.randrange(6)
            if kind == 6:
                return ("{" + space + ("," + space).join(
                    string() + space + ":" + value(depth + 1)
                    for _ in range(count)) + "}")
            return "[" + (space + ",").join(
                value(depth + 1) for _ in range(count)) + space + "]"

        def string():
            return '"' + "".join(
                chance.choice(("a", "\u00e9", "\u4e2d", "\U0001f4a9", "\\n",
                               "\\u0000", "\\\"", "\\\\", "\\/",
                               "\\ud83d\\ude00", "}", "]", " "))
                for _ in range(chance.randrange(8))) + '"'

        for _ in range(150):
            raw = value(0).encode()
            with self.subTest(seed=seed, raw=raw):
                self.round_trip(raw)


class RefusedTest(JsonTestCase):

    def test_empty_body_is_400(self):
        self.refused(b"", about=("empty|no body|missing|end of|no value",))

    def test_white_space_alone_is_400(self):
        self.refused(b" ", b"\n", b" \t\r\n ")

    def test_post_without_a_body_is_400(self):
        response = self.server.request("POST", "/")
        self.assert_problem(response, 400)

    def test_truncated_values_are_400(self):
        self.refused(b"{", b"[", b'"', b'"a', b'{"a"', b'{"a":', b'{"a":1',
                     b"[1", b"[1,", b"tru", b"nul", b"-", b"1.", b"1e",
                     b"1e+", b'"\\', b'"\\u00', b"[[[]]")

    def test_trailing_comma_is_400(self):
        self.refused(b"[1,]", b'{"a":1,}', b"1,",
                     about=(r"line|column|position|offset|byte|near|comma",))

    def test_the_place_of_what_is_wrong_is_told(self):
        self.refused(b"\n[1,\n \t]", about=("line 3, column 3: ",))
        self.refused('["\u00e9\U0001f4a9" x]'.encode(),
                     about=("line 1, column 7: ",))

    def test_two_values_are_400(self):
        self.refused(b"1 2", b"{}{}", b"[] []", b"null\nnull", b'"a""b"',
                     b"{}]", b"1}", b"true false", b"12abc",
                     about=(r"end|after|trail|more|extra|one|single|two",))

    def test_what_is_not_json_is_400(self):
        self.refused(b"a", b"'a'", b"{a:1}", b"{'a':1}", b"NaN", b"nan",
                     b"Infinity", b"-Infinity", b"undefined", b"True",
                     b"NULL", b"01", b"-01", b"+1", b".5", b"-.5", b"1.e1",
                     b"0x10", b"1_000", b"1,2", b"[1 2]", b'{"a" 1}',
                     b'{"a":1 "b":2}', b'{"a"}', b"{1:2}", b"{,}", b"[,]",
                     b"[1,,2]", b"// 1", b"1 // x", b"/* */ 1", b"]", b"}",
                     b":", b",", b"a=1&b=2", b"<a/>", b"hello world")

    def test_bad_escapes_are_400(self):
        self.refused(rb'"\x41"', rb'"\u12"', rb'"\u12G4"', rb'"\u"',
                     rb'"\a"', rb'"\0"', rb'"\U00000041"', b'"\\\n"',
                     rb'"\u+123"', rb'"\u 123"')

    def test_raw_control_characters_are_400(self):
        self.refused(*(b'"a' + bytes([c]) + b'b"' for c in range(1, 32)))

    def test_nul_byte_is_400(self):
        self.refused(b"\0", b"1\0", b"\0001", b'"a\0b"', b"[1,\0]",
                     b'{"a\0":1}', b"{}\0", b"{}\0{}",
                     about=(r"nul|control|zero|\\u0000|0x0|byte|end|token",))

    def test_invalid_utf8_is_400(self):
        self.refused(b'"\xff"', b'"\x80"', b'"\xc3"', b'"\xc3\x28"',
                     b'"\xe2\x82"', b'"\xe2\x28\xa1"', b'"\xf0\x9f\x98"',
                     b'"\xf0\x28\x8c\xbc"', b'"\xbf"', b'{"\xff":1}',
                     b'["a","b\xfe"]', b'"\xe9t\xe9"',
                     about=("utf-?8|byte|decod|encod|unicode",))

    def test_invalid_utf8_outside_a_string_is_400(self):
        self.refused(b"\xff", b"[1,\x80]", b"{}\xff", b"\xc3\x28")

    def test_overlong_encodings_are_400(self):
        self.refused(b'"\xc0\x80"', b'"\xc1\xbf"', b'"\xc0\xaf"',
                     b'"\xe0\x80\xaf"', b'"\xe0\x9f\xbf"',
                     b'"\xf0\x80\x80\xaf"', b'"\xf0\x8f\xbf\xbf"',
                     about=("utf-?8|byte|decod|encod|unicode|overlong",))

    def test_surrogate_encodings_are_400(self):
        self.refused(b'"\xed\xa0\x80"', b'"\xed\xbf\xbf"',
                     b'"\xed\xa0\xbd\xed\xb8\x80"',
                     about=("utf-?8|byte|decod|encod|unicode|surrogate",))

    def test_encodings_beyond_unicode_are_400(self):
        self.refused(b'"\xf4\x90\x80\x80"', b'"\xf5\x80\x80\x80"',
                     b'"\xf8\x88\x80\x80\x80"',
                     b'"\xfc\x84\x80\x80\x80\x80"')

    def test_lone_surrogate_escapes_are_400(self):
        self.refused(rb'"\ud800"', rb'"\udc00"', rb'"\uDFFF"',
                     rb'"\ud800x"', rb'"\ud800\n"', rb'"\ud800\u0041"',
                     rb'"\ud800\ud800"', rb'"\udc00\ud800"',
                     rb'{"\ud800":1}', rb'["\ud800\udc00\ud800"]',
                     about=(r"surrogate|unicode|\\u|escape|utf",))

    def test_byte_order_mark_is_400(self):
        self.refused(b"\xef\xbb\xbf{}", b"\xff\xfe1\0")

    def test_nesting_100000_deep_is_400(self):
        self.refused(
            b"[" * 100000 + b"]" * 100000,
            b'{"a":' * 100000 + b"1" + b"}" * 100000,
            b"[" * 100000, b'{"a":' * 100000, b'[{"":' * 100000,
            about=("nest|deep|depth|level",))

    def test_server_lives_after_deep_nesting(self):
        self.server.request("POST", "/", b"[" * 500000 + b"]" * 500000)
        self.server.request("POST", "/", b"[" * MIB)
        self.assert_status(self.server.request("GET", "/health"), 200)

    def test_connection_goes_on_after_a_bad_body(self):
        connection = self.connection(self.server)
        for raw in (b"", b"{", b'"\xff"', b"[" * 100000, b"1 2"):
            self.assert_problem(connection.request("POST", "/", raw), 400)
            self.assert_status(connection.request("GET", "/health"), 200)

    def test_detail_does_not_break_its_own_json(self):
        # What a detail quotes may be anything; assert_problem parses it.
        self.refused(b'"\x01\\', b"\\", b'{"\xc3\xa9"x', b'["\xff"]',
                     b'"\x1b[31m"', b'{"a":\x7f}', rb'"\"\q"')

    def test_damaged_json_is_told_from_good(self):
        seed = random.randrange(2 ** 32)
        chance = random.Random(seed)
        good = [
            rb'{"a":[1,2.5e-3,"x\u00e9\n"],"b":{"c":null,"d":[true,false]}}',
            '["\u00e9\u4e2d\U0001f4a9",-0,1E+9,"\\ud83d\\ude00"]'.encode(),
            b'{"key":"value","key":-12.50,"":[{},[],""]}']
        with self.server.connect() as connection:
            for _ in range(1500):
                raw = bytearray(chance.choice(good))
                for _ in range(chance.choice((1, 1, 1, 2, 5))):
                    at = chance.randrange(len(raw))
                    what = chance.randrange(4)
                    if what == 0:
                        raw[at] = chance.randrange(256)
                    elif what == 1 and len(raw) > 1:
                        del raw[at]
                    elif what == 2:
                        raw.insert(at, chance.choice(
                            b'{}[]",:\\ue+-.0123456789 \n\0\x80\xff\xed'))
                    else:
                        raw[at] ^= 1 << chance.randrange(8)
                raw = bytes(raw)
                response = connection.request("POST", "/", raw)
                self.assertEqual(response.status,
                                 201 if is_json(raw) else 400,
                                 f"seed {seed}: {raw!r}")
                if response.status == 201:
                    look = connection.request(
                        "GET", response.header("Location"))
                    self.assertIn(raw.strip(WHITE), look.body)


class ContentTypeTest(FreshServerTestCase):

    def test_content_type_need_not_be_json(self):
        for kind in ("application/json", "application/json; charset=utf-8",
                     "text/plain", "application/octet-stream",
                     "nonsense", ""):
            with self.subTest(kind=kind):
                response = self.server.request(
                    "POST", "/", b'{"a":1}', {"Content-Type": kind})
                self.assert_status(response, 201)

    def test_form_content_type_of_curl_is_fine(self):
        response = self.server.request(
            "POST", "/", b'{"a":"b=c&d"}',
            {"Content-Type": "application/x-www-form-urlencoded"})
        self.assert_status(response, 201)
        [message] = self.server.receive()
        self.assertEqual(message["body"], {"a": "b=c&d"})


if __name__ == "__main__":
    unittest.main()
