/*
 * JSON, built.  json_scan() has found the text to be good before, so here a
 * quote ends, an escape is whole, a digit is followed by something that is not
 * one.  What is left to check is memory, and what not all JSON may have in it.
 */
#include "api/json_read.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_scan.h"
#include "base/digit.h"
#include "base/mem.h"

#define NUMBER_BYTES	64	/* longer ones take memory of their own */

/* What gives NULL without a fault had no memory. */
struct read {
	const char *from, *at, *end;
	bool strict;
	size_t left;		/* values that it may have */
	struct json_fault fault;
};

static json_t	*read_value(struct read *);

static void
skip_space(struct read *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' ||
	    *r->at == '\r' || *r->at == '\t'))
		r->at++;
}

/* What begins at p is refused; always false. */
static bool
refuse(struct read *r, const char *p, const char *what)
{
	r->fault.what = what;
	r->fault.at = (size_t)(p - r->from);
	return false;
}

static unsigned
read_hex(const char *p)
{
	unsigned value = 0;
	int i;

	for (i = 0; i < 4; i++, p++)
		value = value * 16 + (unsigned)digit_hex(*p);
	return value;
}

/* RFC 3629, section 3. */
static char *
put_utf8(char *to, unsigned u)
{
	if (u < 0x80)
		*to++ = (char)u;
	else if (u < 0x800)
		*to++ = (char)(0xc0 | u >> 6);
	else if (u < 0x10000) {
		*to++ = (char)(0xe0 | u >> 12);
		*to++ = (char)(0x80 | (u >> 6 & 0x3f));
	} else {
		*to++ = (char)(0xf0 | u >> 18);
		*to++ = (char)(0x80 | (u >> 12 & 0x3f));
		*to++ = (char)(0x80 | (u >> 6 & 0x3f));
	}
	if (u >= 0x80)
		*to++ = (char)(0x80 | (u & 0x3f));
	return to;
}

/* What an escape stands for; *p is behind its backslash, and then behind it. */
static char *
put_escape(char *to, const char **p)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	unsigned u;

	if (**p != 'u') {
		*to++ = bytes[strchr(names, **p) - names];
		(*p)++;
		return to;
	}
	u = read_hex(*p + 1);
	*p += 5;
	if (u >= 0xd800 && u <= 0xdbff) {	/* with the other of its pair */
		u = 0x10000 + ((u - 0xd800) << 10) + (read_hex(*p + 2) -
		    0xdc00);
		*p += 6;
	}
	return put_utf8(to, u);
}

/*
 * A string's content: in the text itself, or where it has escapes in memory of
 * its own, which *owned then is.  False: no memory.
 */
static bool
read_string(struct read *r, struct text *out, char **owned)
{
	const char *from = ++r->at, *p = from, *run;
	char *to;

	*owned = NULL;
	while (*p != '"' && *p != '\\')
		p++;
	out->data = from;
	out->bytes = (size_t)(p - from);
	r->at = p + 1;
	if (*p == '"')
		return true;
	for (; *p != '"'; p++)
		p += *p == '\\';
	r->at = p + 1;
	/* No escape is longer than its text. */
	if ((*owned = to = mem_alloc((size_t)(p - from))) == NULL)
		return false;
	for (p = from; p + 1 < r->at;) {
		for (run = p; *p != '"' && *p != '\\'; p++)
			;
		memcpy(to, run, (size_t)(p - run));
		to += p - run;
		if (*p == '\\') {
			p++;
			to = put_escape(to, &p);
		}
	}
	out->data = *owned;
	out->bytes = (size_t)(to - *owned);
	return true;
}

static json_t *
read_text(struct read *r)
{
	const char *from = r->at;
	json_t *value = NULL;
	struct text t;
	char *owned;

	if (!read_string(r, &t, &owned))
		return NULL;
	if (!r->strict || memchr(t.data, '\0', t.bytes) == NULL)
		value = json_stringn_nocheck(t.data, t.bytes);
	else
		refuse(r, from, "a string with a NUL in it");
	mem_free(owned);
	return value;
}

static json_t *
read_number(struct read *r)
{
	const char *from = r->at;
	char few[NUMBER_BYTES], *text = few;
	bool whole = true;
	size_t bytes;
	json_t *value;
	long long n;
	double real;

	for (; r->at < r->end && *r->at != '\0' && strchr("+-.eE0123456789",
	    *r->at) != NULL; r->at++)
		whole = whole && strchr(".eE", *r->at) == NULL;
	bytes = (size_t)(r->at - from);
	if (bytes >= sizeof(few) && (text = mem_alloc(bytes + 1)) == NULL)
		return NULL;
	memcpy(text, from, bytes);
	text[bytes] = '\0';
	errno = 0;
	n = whole ? strtoll(text, NULL, 10) : 0;
	if (whole && errno == 0)
		value = json_integer(n);
	else {
		real = strtod(text, NULL);
		value = json_real(isfinite(real) ? real :
		    real < 0 ? -DBL_MAX : DBL_MAX);
	}
	if (text != few)
		mem_free(text);
	return value;
}

static json_t *
read_array(struct read *r)
{
	json_t *array = json_array(), *value;

	r->at++;
	skip_space(r);
	while (array != NULL && *r->at != ']') {
		value = read_value(r);
		if (value == NULL || json_array_append_new(array, value) ==
		    -1) {
			json_decref(array);
			return NULL;
		}
		skip_space(r);
		if (*r->at == ',')
			r->at++;
	}
	r->at++;
	return array;
}

static bool
is_good_key(struct read *r, const json_t *object, struct text key,
    const char *from)
{
	if (memchr(key.data, '\0', key.bytes) != NULL)
		return refuse(r, from, "a key with a NUL in it");
	if (r->strict && json_object_getn(object, key.data, key.bytes) != NULL)
		return refuse(r, from, "a key is repeated");
	return true;
}

/* One key and its value; false: the whole is none, or there is no memory. */
static bool
read_member(struct read *r, json_t *object)
{
	const char *from = r->at;
	json_t *value = NULL;
	struct text key;
	char *owned;
	bool good;

	if (!read_string(r, &key, &owned))
		return false;
	skip_space(r);
	r->at++;				/* the colon */
	if (is_good_key(r, object, key, from))
		value = read_value(r);
	good = value != NULL && json_object_setn_new_nocheck(object, key.data,
	    key.bytes, value) == 0;
	mem_free(owned);
	return good;
}

static json_t *
read_object(struct read *r)
{
	json_t *object = json_object();

	r->at++;
	skip_space(r);
	while (object != NULL && *r->at != '}') {
		if (!read_member(r, object)) {
			json_decref(object);
			return NULL;
		}
		skip_space(r);
		if (*r->at == ',')
			r->at++;
		skip_space(r);
	}
	r->at++;
	return object;
}

/* It calls itself, no deeper than json_scan() lets arrays be nested. */
static json_t *
read_value(struct read *r)
{
	skip_space(r);
	if (r->left == 0) {
		refuse(r, r->at, "there are too many values");
		return NULL;
	}
	r->left--;
	switch (*r->at) {
	case '"':
		return read_text(r);
	case '[':
		return read_array(r);
	case '{':
		return read_object(r);
	case 't':
		r->at += strlen("true");
		return json_true();
	case 'f':
		r->at += strlen("false");
		return json_false();
	case 'n':
		r->at += strlen("null");
		return json_null();
	default:
		return read_number(r);
	}
}

static json_t *
read_whole(struct text t, bool strict, size_t values, struct json_fault *fault)
{
	struct read r = { .from = t.data, .at = t.data, .end = t.data +
	    t.bytes, .strict = strict, .left = values };
	json_t *value = NULL;

	skip_space(&r);
	while (r.end > r.at && strchr(" \n\r\t", r.end[-1]) != NULL &&
	    r.end[-1] != '\0')
		r.end--;
	if (json_scan(r.at, (size_t)(r.end - r.at), &r.fault))
		value = read_value(&r);
	else
		r.fault.at += (size_t)(r.at - r.from);
	*fault = r.fault;
	return value;
}

json_t *
json_read(struct text t, bool *no_memory)
{
	struct json_fault fault;
	json_t *value = read_whole(t, false, JSON_READ_VALUES, &fault);

	*no_memory = value == NULL && fault.what == NULL;
	return value;
}

json_t *
json_read_strict(struct text t, struct json_fault *fault)
{
	return read_whole(t, true, SIZE_MAX, fault);
}
