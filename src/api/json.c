/*
 * Whether a body is JSON; the body itself is kept as it came.
 *
 * json_scan() passes nearly every body that is good: it builds nothing, and
 * costs a hundredth of the instructions of jansson, which were a fifth of all
 * that a message takes.  What it does not pass, jansson judges, and says what
 * is wrong.
 *
 * jansson turns numbers into machine types and refuses those that do not fit,
 * and a NUL in a key.  Both are JSON and we only hand them on, so a text that
 * jansson refuses for one of these is checked once more as a copy in which
 * they are replaced by others of the same length: places stay right.
 */
#include "api/json.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "api/json_scan.h"
#include "base/mem.h"

#define DIGITS_MAX	15	/* fits an integer and a real */
#define EXPONENT_MAX	2

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Copy a number without its further digits, filled up with spaces. */
static size_t
tame_number(const char *in, size_t left, char *out)
{
	size_t i, o = 0, run = 0, max = DIGITS_MAX;

	for (i = 0; i < left && (is_digit(in[i]) ||
	    (in[i] != '\0' && strchr("+-.eE", in[i]) != NULL)); i++) {
		if (is_digit(in[i])) {
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

static char *
tame(struct text t)
{
	char *out = mem_alloc(t.bytes);
	bool in_string = false;
	size_t i = 0;

	if (out == NULL)
		return NULL;
	while (i < t.bytes) {
		if (!in_string && (is_digit(t.data[i]) || t.data[i] == '-')) {
			/* A sign belongs to the digits after it. */
			if (t.data[i] == '-') {
				out[i] = '-';
				i++;
			} else
				i += tame_number(t.data + i, t.bytes - i,
				    out + i);
			continue;
		}
		out[i] = t.data[i];
		if (in_string && t.data[i] == '\\' && i + 1 < t.bytes) {
			out[i + 1] = t.data[i + 1];
			if (t.bytes - i >= 6 &&
			    memcmp(t.data + i, "\\u0000", 6) == 0) {
				memcpy(out + i, "\\u0001", 6);
				i += 4;
			}
			i += 2;
			continue;
		}
		if (t.data[i] == '"')
			in_string = !in_string;
		i++;
	}
	return out;
}

static json_t *
load(const char *data, size_t bytes, json_error_t *error)
{
	return json_loadb(data, bytes, JSON_DECODE_ANY | JSON_ALLOW_NUL,
	    error);
}

int
json_check(struct text body, struct text *value, char *error)
{
	json_error_t je;
	const char *nul;
	json_t *json;
	char *tamed;

	while (body.bytes > 0 && is_space(body.data[0])) {
		body.data++;
		body.bytes--;
	}
	while (body.bytes > 0 && is_space(body.data[body.bytes - 1]))
		body.bytes--;
	if (body.bytes == 0) {
		snprintf(error, JSON_ERROR_BYTES, "the body is empty; it must "
		    "be one JSON value");
		return -1;
	}
	if (json_scan(body.data, body.bytes)) {
		*value = body;
		return 0;
	}
	/* jansson passes over a NUL between tokens. */
	if ((nul = memchr(body.data, '\0', body.bytes)) != NULL) {
		snprintf(error, JSON_ERROR_BYTES, "the body must be one JSON "
		    "value, and it has a NUL byte at offset %zu; within a "
		    "string, NUL is \\u0000", (size_t)(nul - body.data));
		return -1;
	}
	json = load(body.data, body.bytes, &je);
	if (json == NULL &&
	    (json_error_code(&je) == json_error_numeric_overflow ||
	    json_error_code(&je) == json_error_null_byte_in_key)) {
		if ((tamed = tame(body)) == NULL)
			return -2;
		json = load(tamed, body.bytes, &je);
		mem_free(tamed);
	}
	/* Out of memory, jansson often gives no reason at all. */
	if (json == NULL && (je.text[0] == '\0' ||
	    json_error_code(&je) == json_error_out_of_memory))
		return -2;
	if (json == NULL) {
		snprintf(error, JSON_ERROR_BYTES, "the body must be one JSON "
		    "value; line %d, column %d: %s", je.line, je.column,
		    je.text);
		return -1;
	}
	json_decref(json);
	*value = body;
	return 0;
}
