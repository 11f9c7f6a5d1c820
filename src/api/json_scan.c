/*
 * JSON, recognized and not built.  tests/check_json.c holds it against jansson
 * with texts that are random, mutilated or both.
 */
#include "api/json_scan.h"

#include <stdint.h>
#include <string.h>

#include "base/digit.h"
#include "base/utf8.h"

#define NO_VALUE	"no value begins here"

/* Where the scan is; at never passes end. */
struct scan {
	const char *at, *end;
	const char *fault;	/* what is wrong at that place */
	unsigned depth;
	uint8_t is_object[JSON_DEPTH_MAX / 8];	/* a bit for each level */
};

/* What is wrong here; always false. */
static bool
fail(struct scan *s, const char *what)
{
	s->fault = s->at == s->end ? "it ends too early" : what;
	return false;
}

static void
skip_space(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' ||
	    *s->at == '\r' || *s->at == '\t'))
		s->at++;
}

static bool
take(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static bool
take_word(struct scan *s, const char *word, size_t bytes)
{
	if ((size_t)(s->end - s->at) < bytes ||
	    memcmp(s->at, word, bytes) != 0)
		return fail(s, NO_VALUE);
	s->at += bytes;
	return true;
}

static bool
take_digits(struct scan *s)
{
	const char *from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from || fail(s, "a digit is missing");
}

static bool
take_number(struct scan *s)
{
	if (!take(s, '-') && (*s->at < '0' || *s->at > '9'))
		return fail(s, NO_VALUE);
	if (!take(s, '0') && !take_digits(s))
		return false;
	if (take(s, '.') && !take_digits(s))
		return false;
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		if (!take_digits(s))
			return false;
	}
	return true;
}

/* Four hexadecimal digits; -1: they are not there. */
static int
take_hex(struct scan *s)
{
	int value = 0, digit, i;

	for (i = 0; i < 4; i++, s->at++) {
		digit = s->at < s->end ? digit_hex(*s->at) : -1;
		if (digit < 0) {
			fail(s, "\\u must have four hexadecimal digits");
			return -1;
		}
		value = value * 16 + digit;
	}
	return value;
}

/* What follows a backslash.  A surrogate must be one of a pair. */
static bool
take_escape(struct scan *s)
{
	static const char half[] = "half of a surrogate pair is alone";
	int u;

	if (s->at == s->end || *s->at == '\0' ||
	    strchr("\"\\/bfnrtu", *s->at) == NULL)
		return fail(s, "there is no such escape");
	if (*s->at++ != 'u')
		return true;
	if ((u = take_hex(s)) < 0)
		return false;
	if (u >= 0xdc00 && u <= 0xdfff)
		return fail(s, half);
	if (u < 0xd800 || u > 0xdbff)
		return true;
	if (!take(s, '\\') || !take(s, 'u'))
		return fail(s, half);
	if ((u = take_hex(s)) < 0)
		return false;
	return (u >= 0xdc00 && u <= 0xdfff) || fail(s, half);
}

static bool
take_string(struct scan *s)
{
	unsigned char c;
	size_t n;

	s->at++;		/* the quote */
	while (s->at < s->end) {
		c = (unsigned char)*s->at;
		if (c == '"') {
			s->at++;
			return true;
		}
		if (c == '\\') {
			s->at++;
			if (!take_escape(s))
				return false;
		} else if (c < 0x20)
			return fail(s, "a control character must be an "
			    "escape");
		else if (c < 0x80)
			s->at++;
		else {
			n = utf8_bytes(s->at, (size_t)(s->end - s->at));
			if (n == 0)
				return fail(s, "it is not UTF-8");
			s->at += n;
		}
	}
	return fail(s, "a quote is missing");
}

static bool
take_key(struct scan *s)
{
	skip_space(s);
	if (s->at == s->end || *s->at != '"')
		return fail(s, "a key in quotes is missing");
	if (!take_string(s))
		return false;
	skip_space(s);
	return take(s, ':') || fail(s, "a colon is missing");
}

static bool
push(struct scan *s, bool object)
{
	uint8_t bit = (uint8_t)(1u << s->depth % 8);

	if (s->depth == JSON_DEPTH_MAX)
		return fail(s, "it is nested too deep");
	if (object)
		s->is_object[s->depth / 8] |= bit;
	else
		s->is_object[s->depth / 8] &= (uint8_t)~bit;
	s->depth++;
	return true;
}

static bool
in_object(const struct scan *s)
{
	unsigned top = s->depth - 1;

	return s->is_object[top / 8] >> top % 8 & 1;
}

/*
 * Take the start of a value, down to one that is whole.  *whole is false where
 * an array or object was begun that is not empty: its first value comes next.
 */
static bool
take_start(struct scan *s, bool *whole)
{
	bool object;

	*whole = true;
	skip_space(s);
	if (s->at == s->end)
		return fail(s, NO_VALUE);
	switch (*s->at) {
	case '"':
		return take_string(s);
	case 't':
		return take_word(s, "true", 4);
	case 'f':
		return take_word(s, "false", 5);
	case 'n':
		return take_word(s, "null", 4);
	case '{':
	case '[':
		object = *s->at == '{';
		if (!push(s, object))
			return false;
		s->at++;
		skip_space(s);
		if (take(s, object ? '}' : ']')) {
			s->depth--;
			return true;
		}
		*whole = false;
		return !object || take_key(s);
	default:
		return take_number(s);
	}
}

/* A value is whole: close what ends with it, up to where another begins. */
static bool
take_end(struct scan *s)
{
	while (s->depth > 0) {
		skip_space(s);
		if (take(s, ','))
			return !in_object(s) || take_key(s);
		if (!take(s, in_object(s) ? '}' : ']'))
			return fail(s, in_object(s) ? "a comma or } is "
			    "missing" : "a comma or ] is missing");
		s->depth--;
	}
	return true;
}

static bool
take_whole(struct scan *s)
{
	bool whole;

	do {
		if (!take_start(s, &whole))
			return false;
		if (whole && !take_end(s))
			return false;
	} while (s->depth > 0);
	return s->at == s->end || fail(s, "there is more than one value");
}

bool
json_scan(const char *text, size_t bytes, struct json_fault *fault)
{
	struct scan s;

	s.at = text;
	s.end = text + bytes;
	s.depth = 0;
	if (take_whole(&s))
		return true;
	if (fault != NULL) {
		fault->what = s.fault;
		fault->at = (size_t)(s.at - text);
	}
	return false;
}
