/* Bodies: what is JSON, and that the scan agrees with jansson. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api/json.h"
#include "api/json_read.h"
#include "api/json_scan.h"
#include "base/id.h"
#include "base/mem.h"
#include "check_wq.h"

#define ROUNDS	60000
#define TEXT_MAX	600
#define DIGITS_MAX	15	/* fits an integer and a real */
#define EXPONENT_MAX	2

static const char *const good[] = { "1", "-0", "0.5e-7", "1e400",
    "-123456789012345678901234567890", "\"\"", "\"a\\u0000b\"",
    "\"\\ud83d\\ude00 \\\"\\\\\\/\\b\\f\\n\\r\\t\"", "true", "false", "null",
    "[]", "{}", "[1,[2,{\"a\":[]}],\"x\"]", "{\"a\":1,\"a\":2}",
    "{\"\\u0000\":1}", "{ \"a\" : [ 1 , 2 ] }", "\"\xc3\xa9\xf0\x9f\x98\x80\"",
    "[\"\\u00e9\",1.5E+3,{\"k\":null}]" };

static const char *const bad[] = { "", "{", "[1,]", "{\"a\":1,}", "01", "1.",
    ".5", "+1", "1e", "-", "tru", "nul", "\"", "\"\\x\"", "\"\\u12\"",
    "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\x01\"",
    "\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
    "[1 2]", "{1:2}", "{\"a\"}", "{\"a\":}", "1 2", "]", "[}", "{]",
    ("\xef\xbb\xbf" "1"), "NaN", "Infinity", "'a'", "[1]x", "/**/1" };

static int
check(const char *text, char *error)
{
	struct text body = { text, strlen(text) }, value;

	return json_check(body, &value, error);
}

START_TEST(json_is_taken)
{
	char error[JSON_ERROR_BYTES];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(check(good[i], error) == 0, "%s", good[i]);
		ck_assert_msg(json_scan(good[i], strlen(good[i]), NULL), "%s",
		    good[i]);
	}
}
END_TEST

START_TEST(what_is_not_json_is_refused_with_a_reason)
{
	char error[JSON_ERROR_BYTES];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error[0] = '\0';
		ck_assert_msg(check(bad[i], error) == -1, "%s", bad[i]);
		ck_assert_ptr_nonnull(strstr(error, "one JSON value"));
	}
}
END_TEST

START_TEST(white_space_around_goes_and_the_rest_stays)
{
	struct text body = { "\n {\"a\" :1e400} \t\r", 17 }, value;
	char error[JSON_ERROR_BYTES];

	ck_assert_int_eq(json_check(body, &value, error), 0);
	ck_assert_uint_eq(value.bytes, 12);
	ck_assert_mem_eq(value.data, "{\"a\" :1e400", 11);
}
END_TEST

START_TEST(an_error_tells_the_place)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "[1e400,\n12345678901234567890123 x]", "line 2, column 25: "
		    "a comma or ] is missing" },
		{ "\n\n x", "line 3, column 2: no value begins here" },
		{ "[\"\xc3\xa9\xf0\x9f\x98\x80\",]", "line 1, column 7: no "
		    "value begins here" },
		{ "[1", "line 1, column 3: it ends too early" },
		{ "\"a ", "line 1, column 3: it ends too early" },
		{ "{\"a\":1,}", "line 1, column 8: a key in quotes is "
		    "missing" },
		{ "{\"a\" 1}", "line 1, column 6: a colon is missing" },
		{ "{\"a\":1 ]", "line 1, column 8: a comma or } is missing" },
		{ "-x", "line 1, column 2: a digit is missing" },
		{ "[tru]", "line 1, column 2: no value begins here" },
		{ "\"\\q\"", "line 1, column 3: there is no such escape" },
		{ "\"\\u12x\"", "line 1, column 6: \\u must have four "
		    "hexadecimal digits" },
		{ "\"\\udc00\"", "line 1, column 8: half of a surrogate pair "
		    "is alone" },
		{ "\"\t\"", "line 1, column 2: a control character must be an "
		    "escape" },
		{ "\"\xed\xa0\x80\"", "line 1, column 2: it is not UTF-8" },
		{ "1 2", "line 1, column 2: there is more than one value" },
	};
	char error[JSON_ERROR_BYTES];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(check(cases[i].text, error), -1);
		ck_assert_ptr_nonnull(strstr(error, "; "));
		ck_assert_str_eq(strstr(error, "; ") + 2, cases[i].error);
	}
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
	struct text body = { "1\0", 2 }, value;
	char error[JSON_ERROR_BYTES];

	ck_assert_int_eq(json_check(body, &value, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "NUL"));
}
END_TEST

START_TEST(depth_has_a_limit)
{
	char text[2 * (JSON_DEPTH_MAX + 1)], error[JSON_ERROR_BYTES];
	struct text body = { text, 2 * JSON_DEPTH_MAX }, value;

	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	ck_assert_int_eq(json_check(body, &value, error), 0);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	body.bytes = 2 * (JSON_DEPTH_MAX + 1);
	ck_assert_int_eq(json_check(body, &value, error), -1);
}
END_TEST

START_TEST(it_is_told_without_memory)
{
	char error[JSON_ERROR_BYTES];

	json_set_alloc_funcs(mem_alloc, mem_free);
	mem_fail_after(0);
	ck_assert_int_eq(check("{\"a\":x}", error), -1);
	ck_assert(!mem_has_failed());
	mem_fail_after(-1);
}
END_TEST

static unsigned
below(unsigned n)
{
	unsigned v;

	id_random(&v, sizeof(v));
	return v % n;
}

/* A text made of pieces of good and bad ones, some bytes of it changed. */
static size_t
make_text(char *out)
{
	static const char alphabet[] = "{}[]\",:0123456789-+.eE\\utfn "
	    "abcdrsl/\n\t\xc3\xa9\xed\xa0\xf0\x9f";
	size_t n = 0, pieces = 1 + below(6), i, at, bytes;
	const char *piece;

	for (i = 0; i < pieces; i++) {
		piece = below(4) > 0 ? good[below(sizeof(good) /
		    sizeof(good[0]))] : bad[below(sizeof(bad) /
		    sizeof(bad[0]))];
		bytes = strlen(piece);
		at = n > 0 ? below((unsigned)n + 1) : 0;
		if (n + bytes > TEXT_MAX)
			break;
		/* Insert it somewhere: things come to be within others. */
		memmove(out + at + bytes, out + at, n - at);
		memcpy(out + at, piece, bytes);
		n += bytes;
	}
	for (i = below(3); n > 0 && i > 0; i--)
		out[below((unsigned)n)] =
		    alphabet[below(sizeof(alphabet) - 1)];
	return n;
}

static bool
is_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Copy a number without its further digits, filled up with spaces. */
static size_t
tame_number(const char *in, size_t left, char *out)
{
	size_t i, o = 0, run = 0, max = DIGITS_MAX;

	for (i = 0; i < left && is_in(in[i], "+-.eE0123456789"); i++) {
		if (is_in(in[i], "0123456789")) {
			if (++run > max)
				continue;
		} else {
			run = 0;
			max = in[i] == '.' ? DIGITS_MAX : EXPONENT_MAX;
		}
		out[o++] = in[i];
	}
	memset(out + o, ' ', i - o);
	return i;
}

/*
 * jansson turns numbers into machine types and refuses those that do not fit,
 * and a NUL in a key.  Both are JSON; here they are replaced by others.
 */
static void
tame(const char *in, size_t bytes, char *out)
{
	bool in_string = false;
	size_t i = 0;

	while (i < bytes) {
		if (!in_string && is_in(in[i], "0123456789")) {
			i += tame_number(in + i, bytes - i, out + i);
			continue;
		}
		out[i] = in[i];
		if (in_string && in[i] == '\\' && i + 1 < bytes) {
			out[i + 1] = in[i + 1];
			if (bytes - i >= 6 &&
			    memcmp(in + i, "\\u0000", 6) == 0) {
				memcpy(out + i, "\\u0001", 6);
				i += 4;
			}
			i += 2;
			continue;
		}
		if (in[i] == '"')
			in_string = !in_string;
		i++;
	}
}

static bool
jansson_takes(const char *text, size_t bytes, json_error_t *je)
{
	size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_t *json = json_loadb(text, bytes, flags, je);
	char tamed[TEXT_MAX + 1];
	bool takes;

	if (json == NULL &&
	    (json_error_code(je) == json_error_numeric_overflow ||
	    json_error_code(je) == json_error_null_byte_in_key)) {
		tame(text, bytes, tamed);
		json = json_loadb(tamed, bytes, flags, je);
	}
	takes = json != NULL;
	json_decref(json);
	return takes;
}

START_TEST(the_scan_agrees_with_jansson)
{
	char text[TEXT_MAX + 1];
	struct json_fault fault;
	json_error_t je;
	size_t bytes;
	bool taken;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		bytes = make_text(text);
		/* Only jansson takes white space around it. */
		if (bytes == 0 || is_in(text[0], " \n\r\t") ||
		    is_in(text[bytes - 1], " \n\r\t"))
			continue;
		taken = json_scan(text, bytes, &fault);
		je.text[0] = '\0';
		ck_assert_msg(taken == jansson_takes(text, bytes, &je),
		    "only %s takes %.*s: %s", taken ? "the scan" : "jansson",
		    (int)bytes, text, taken ? je.text : fault.what);
		if (!taken)
			ck_assert_uint_le(fault.at, bytes);
	}
}
END_TEST

/* What it builds is what jansson builds, where that takes the text. */
START_TEST(what_is_read_is_what_jansson_reads)
{
	char text[TEXT_MAX + 1];
	struct text body;
	json_error_t je;
	json_t *json, *ours;
	bool no_memory;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		body.data = text;
		body.bytes = make_text(text);
		json = json_loadb(text, body.bytes, JSON_DECODE_ANY |
		    JSON_ALLOW_NUL, &je);
		ours = json_read(body, &no_memory);
		ck_assert(!no_memory);
		if (json != NULL)
			ck_assert_msg(json_equal(json, ours),
			    "they differ over %.*s", (int)body.bytes, text);
		else if (ours != NULL)
			ck_assert_msg(json_error_code(&je) ==
			    json_error_numeric_overflow, "only ours takes "
			    "%.*s: %s", (int)body.bytes, text, je.text);
		json_decref(json);
		json_decref(ours);
	}
}
END_TEST

START_TEST(escapes_and_numbers_are_read)
{
	static const char text[] = " {\"\\u00e9\":\"\\u0041\\ud83d\\ude00"
	    "\\\"\\n\\u0000x\",\"i\":-9223372036854775808,"
	    "\"b\":9223372036854775808,\"o\":-1e999,\"e\":[ ],\"i\":2} ";
	struct text body = { text, sizeof(text) - 1 };
	bool no_memory;
	json_t *json = json_read(body, &no_memory), *s;

	ck_assert_ptr_nonnull(json);
	s = json_object_get(json, "\xc3\xa9");
	ck_assert_uint_eq(json_string_length(s), 9);
	ck_assert_mem_eq(json_string_value(s), "A\xf0\x9f\x98\x80\"\n\0x",
	    9);
	ck_assert_int_eq(json_integer_value(json_object_get(json, "i")), 2);
	ck_assert(json_real_value(json_object_get(json, "b")) ==
	    9223372036854775808.0);
	ck_assert(json_real_value(json_object_get(json, "o")) < -1e300);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "e")), 0);
	ck_assert_uint_eq(json_object_size(json), 5);
	json_decref(json);
}
END_TEST

START_TEST(numbers_of_any_length_are_read)
{
	static const char zeros[] = "000000000000000000000000000000000000000"
	    "00000000000000000000000000000000000";
	char buf[200];
	struct text body = { buf, 0 };
	bool no_memory;
	json_t *json;

	body.bytes = (size_t)snprintf(buf, sizeof(buf), "[1%se-74,0.%s5e75]",
	    zeros, zeros);
	json = json_read(body, &no_memory);
	ck_assert(json_real_value(json_array_get(json, 0)) == 1.0);
	ck_assert(json_real_value(json_array_get(json, 1)) == 5.0);
	json_decref(json);
}
END_TEST

START_TEST(what_is_read_strictly_has_no_repeated_key_and_no_nul)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ " {\"a\":1,\n\"\\u0061\":2}", "line 2, column 1: a key is "
		    "repeated" },
		{ "[{\"b\":{},\"a\":1,\"b\":1}]", "line 1, column 16: a key "
		    "is repeated" },
		{ "[\"\", \"\\u0000\"]", "line 1, column 6: a string with a "
		    "NUL in it" },
		{ "{\"a\\u0000\":1}", "line 1, column 2: a key with a NUL in "
		    "it" },
		{ "  [1,]", "line 1, column 6: no value begins here" },
		{ " ", "line 1, column 2: it ends too early" },
		{ "{\"a\":{\"a\":1},\"b\":{\"a\":1}}", NULL },
	};
	char error[JSON_FAULT_BYTES];
	struct json_fault fault;
	struct text t;
	json_t *json;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		t.data = cases[i].text;
		t.bytes = strlen(t.data);
		json = json_read_strict(t, &fault);
		ck_assert((json == NULL) == (cases[i].error != NULL));
		ck_assert((json == NULL) == (fault.what != NULL));
		if (json == NULL) {
			json_fault_print(&fault, t, error);
			ck_assert_str_eq(error, cases[i].error);
		}
		json_decref(json);
	}
}
END_TEST

/* Each allocation fails in turn, and nothing leaks or is read out of bounds. */
START_TEST(without_memory_nothing_is_read)
{
	static const char text[] = "{\"key\":[\"a long string of its own\","
	    "1,2.5,1000000000000000000000000000000000000000000000000000000"
	    "0000000000000000000e-9,{\"\\u00e9scaped key\":"
	    "\"\\\"escaped\\\" value\"},true,"
	    "null,[[],{}],\"\"],\"other\":\"and so on, and so on, on\"}";
	struct text body = { text, sizeof(text) - 1 };
	struct json_fault fault;
	json_t *json;
	bool no_memory;
	long n;

	json_set_alloc_funcs(mem_alloc, mem_free);
	for (n = 0; n < 100; n++) {
		mem_fail_after(n);
		json = json_read_strict(body, &fault);
		ck_assert(json != NULL || fault.what == NULL);
		json_decref(json);
		mem_fail_after(n);
		json = json_read(body, &no_memory);
		mem_fail_after(-1);
		if (json != NULL)
			break;
		ck_assert(no_memory);
	}
	ck_assert_int_gt(n, 10);
	ck_assert_ptr_nonnull(json);
	json_decref(json);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("json");
	TCase *t = tcase_create("json");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, json_is_taken);
	tcase_add_test(t, what_is_not_json_is_refused_with_a_reason);
	tcase_add_test(t, white_space_around_goes_and_the_rest_stays);
	tcase_add_test(t, an_error_tells_the_place);
	tcase_add_test(t, a_nul_byte_is_refused);
	tcase_add_test(t, depth_has_a_limit);
	tcase_add_test(t, it_is_told_without_memory);
	tcase_add_test(t, the_scan_agrees_with_jansson);
	tcase_add_test(t, what_is_read_is_what_jansson_reads);
	tcase_add_test(t, escapes_and_numbers_are_read);
	tcase_add_test(t, numbers_of_any_length_are_read);
	tcase_add_test(t,
	    what_is_read_strictly_has_no_repeated_key_and_no_nul);
	tcase_add_test(t, without_memory_nothing_is_read);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
