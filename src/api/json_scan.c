/*
 * JSON, recognized and not built.  tests/check_json.c holds it against jansson
 * with texts that are random, mutilated or both.
 */
#include "api/json_scan.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* Where the scan is; at never passes end. */
struct scan {
	const char *at, *end;
	unsigned depth;
	uint8_t is_object[JSON_DEPTH_MAX / 8];	/* a bit for each level */
};

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
		return false;
	s->at += bytes;
	return true;
}

static bool
take_digits(struct scan *s)
{
	const char *from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from;
}

static bool
take_number(struct scan *s)
{
	take(s, '-');
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
	int value = 0, i;
	char c;

	if (s->end - s->at < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		c = *s->at++;
		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* What follows a backslash.  A surrogate must be one of a pair. */
static bool
take_escape(struct scan *s)
{
	int u;

	if (s->at == s->end)
		return false;
	if (*s->at != 'u')
		return *s->at != '\0' && strchr("\"\\/bfnrt", *s->at++) != NULL;
	s->at++;
	if ((u = take_hex(s)) < 0 || (u >= 0xdc00 && u <= 0xdfff))
		return false;
	if (u < 0xd800 || u > 0xdbff)
		return true;
	if (!take(s, '\\') || !take(s, 'u'))
		return false;
	u = take_hex(s);
	return u >= 0xdc00 && u <= 0xdfff;
}

static bool
take_string(struct scan *s)
{
	unsigned char c;
	size_t n;

	if (!take(s, '"'))
		return false;
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
			return false;
		else if (c < 0x80)
			s->at++;
		else {
			n = utf8_bytes(s->at, (size_t)(s->end - s->at));
			if (n == 0)
				return false;
			s->at += n;
		}
	}
	return false;
}

static bool
take_key(struct scan *s)
{
	skip_space(s);
	if (!take_string(s))
		return false;
	skip_space(s);
	return take(s, ':');
}

static bool
push(struct scan *s, bool object)
{
	uint8_t bit = (uint8_t)(1u << s->depth % 8);

	if (s->depth == JSON_DEPTH_MAX)
		return false;
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
		return false;
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
		object = *s->at++ == '{';
		if (!push(s, object))
			return false;
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
			return false;
		s->depth--;
	}
	return true;
}

bool
json_scan(const char *text, size_t bytes)
{
	struct scan s;
	bool whole;

	s.at = text;
	s.end = text + bytes;
	s.depth = 0;
	do {
		if (!take_start(&s, &whole))
			return false;
		if (whole && !take_end(&s))
			return false;
	} while (s.depth > 0);
	return s.at == s.end;
}
