/*
 * A strict and small reader of HTTP/1.1 answers.  It keeps no state between
 * calls: an answer that is not complete is read again from its beginning,
 * which is cheap because heads are short and bodies are not looked at.
 */
#include "bench/http_answer.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "bench/client.h"

enum {
	HEAD_MAX_BYTES = 64 << 10	/* no server needs more to answer */
};

struct head {
	bool		 has_length;
	size_t		 length;
	const char	*problem;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK", without the line end; the reason may be missing. */
static bool
read_status(const char *line, size_t bytes, int *status)
{
	if (bytes < 12 || memcmp(line, "HTTP/1.1 ", 9) != 0 ||
	    !is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]) ||
	    (bytes > 12 && line[12] != ' '))
		return false;
	*status = (line[9] - '0') * 100 + (line[10] - '0') * 10 +
	    (line[11] - '0');
	return *status >= 200 && *status <= 599;
}

static bool
read_length(const char *value, size_t bytes, size_t *out)
{
	size_t i, n = 0;

	if (bytes == 0 || bytes > 12)
		return false;
	for (i = 0; i < bytes; i++) {
		if (!is_digit(value[i]))
			return false;
		n = n * 10 + (size_t)(value[i] - '0');
	}
	*out = n;
	return true;
}

static bool
is_name(const char *line, size_t bytes, const char *name)
{
	return bytes == strlen(name) && strncasecmp(line, name, bytes) == 0;
}

static bool
read_header(struct head *h, const char *line, size_t bytes)
{
	const char *colon, *value;
	size_t name_bytes, n;

	colon = memchr(line, ':', bytes);
	if (colon == NULL || colon == line || line[0] == ' ' ||
	    line[0] == '\t' || colon[-1] == ' ' || colon[-1] == '\t') {
		h->problem = "bad header line";
		return false;
	}
	/* Only names of these lengths matter: 14, 17 and 10 letters. */
	name_bytes = (size_t)(colon - line);
	if (name_bytes != 14 && name_bytes != 17 && name_bytes != 10)
		return true;
	value = colon + 1;
	n = bytes - name_bytes - 1;
	while (n > 0 && (value[0] == ' ' || value[0] == '\t')) {
		value++;
		n--;
	}
	while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
		n--;
	if (is_name(line, name_bytes, "Content-Length")) {
		if (h->has_length || !read_length(value, n, &h->length))
			h->problem = "bad Content-Length";
		h->has_length = true;
	} else if (is_name(line, name_bytes, "Transfer-Encoding")) {
		h->problem = "Transfer-Encoding is not supported";
	} else if (is_name(line, name_bytes, "Connection") &&
	    is_name(value, n, "close")) {
		h->problem = "the server closes the connection";
	}
	return h->problem == NULL;
}

enum http_answer_outcome
http_answer_parse(struct http_answer *a, const char *in, size_t bytes,
    const char **problem)
{
	const char *line = in, *end = in + bytes, *feed;
	struct head h = { false, 0, NULL };
	size_t n;

	for (;; line = feed + 1) {
		feed = memchr(line, '\n', (size_t)(end - line));
		if (feed == NULL) {
			*problem = "a head without end";
			return end - in > HEAD_MAX_BYTES ?
			    HTTP_ANSWER_GARBLED : HTTP_ANSWER_PARTIAL;
		}
		*problem = "bad line end";
		if (feed == line || feed[-1] != '\r')
			return HTTP_ANSWER_GARBLED;
		n = (size_t)(feed - line) - 1;
		if (line == in) {
			*problem = "bad status line";
			if (!read_status(line, n, &a->status))
				return HTTP_ANSWER_GARBLED;
			continue;
		}
		if (n == 0)
			break;
		if (!read_header(&h, line, n)) {
			*problem = h.problem;
			return HTTP_ANSWER_GARBLED;
		}
	}
	if (a->status == 204 || a->status == 304) {
		*problem = "a body where none may be";
		if (h.has_length && h.length > 0)
			return HTTP_ANSWER_GARBLED;
	} else if (!h.has_length) {
		*problem = "no Content-Length";
		return HTTP_ANSWER_GARBLED;
	}
	a->body = feed + 1;
	a->body_bytes = h.length;
	if ((size_t)(end - a->body) < h.length)
		return HTTP_ANSWER_PARTIAL;
	a->bytes = (size_t)(a->body - in) + h.length;
	return HTTP_ANSWER_WHOLE;
}

ssize_t
http_answer_take(struct http_answer *http, const char *in, size_t bytes,
    struct answer *a)
{
	const char *problem;

	switch (http_answer_parse(http, in, bytes, &problem)) {
	case HTTP_ANSWER_WHOLE:
		break;
	case HTTP_ANSWER_PARTIAL:
		return 0;
	case HTTP_ANSWER_GARBLED:
		return answer_garbled(a, problem, in, bytes);
	}
	return (ssize_t)http->bytes;
}
