/* What a request may be. */
#include "http/guard.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/digit.h"

#define CHUNK_LINE_MAX	4096	/* a chunk's size and extensions */
#define CHUNK_TRAILER_MAX	65536

static const struct guard_verdict fine = { 0, NULL };

static struct guard_verdict
refuse(int status, const char *detail)
{
	struct guard_verdict v = { status, detail };

	return v;
}

size_t
guard_head_bytes(const char *data, size_t bytes, size_t *from)
{
	const char *end = data + bytes, *p = data + *from, *lf;

	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (end - lf >= 2 && lf[1] == '\n')
			return (size_t)(lf + 2 - data);
		if (end - lf >= 3 && lf[1] == '\r' && lf[2] == '\n')
			return (size_t)(lf + 3 - data);
		if (end - lf < 3) {	/* the rest of it is yet to come */
			*from = (size_t)(lf - data);
			return 0;
		}
		p = lf + 1;
	}
	*from = bytes;
	return 0;
}

/*
 * What each character may be in: 1 a token, RFC 9110 section 5.6.2; 2 a
 * request's target, where all from 128 may be too.
 */
enum { TOKEN = 1, TARGET = 2 };
static const unsigned char	ascii[128] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 3, 2, 1, 3, 3, 3, 3, 2, 2, 3, 3, 2, 3, 3, 2,
	3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2,
	2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
	3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 3, 3,
	3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
	3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 3, 2, 3, 0,
};

static bool
is_token(char c)
{
	return (unsigned char)c < 128 && ascii[(unsigned char)c] & TOKEN;
}

static bool
is_target(char c)
{
	return (unsigned char)c >= 128 || ascii[(unsigned char)c] & TARGET;
}

static bool
text_is(const char *text, size_t bytes, const char *what)
{
	return bytes == strlen(what) && strncasecmp(text, what, bytes) == 0;
}

static struct guard_verdict
check_target(const char *target, size_t bytes)
{
	const char *escape;
	size_t i;
	int high, low;

	if (bytes == 0 || (target[0] != '/' && !text_is(target, bytes, "*") &&
	    (bytes < 7 || strncasecmp(target, "http://", 7) != 0) &&
	    (bytes < 8 || strncasecmp(target, "https://", 8) != 0)))
		return refuse(400, "the request target must begin with /");
	for (i = 0; (escape = memchr(target + i, '%', bytes - i)) != NULL;
	    i++) {
		i = (size_t)(escape - target);
		high = bytes - i > 2 ? digit_hex(target[i + 1]) : -1;
		low = bytes - i > 2 ? digit_hex(target[i + 2]) : -1;
		if (high < 0 || low < 0)
			return refuse(400, "the request target has a percent "
			    "escape that is not % and two hexadecimal digits; "
			    "% itself is %25");
		if (high == 0 && low == 0)
			return refuse(400, "the request target has a NUL (%00)");
	}
	return fine;
}

/* method SP target SP HTTP/1.x, RFC 9112 section 3. */
static struct guard_verdict
check_line(const char *line, size_t bytes, struct guard_head *out)
{
	const char *end = line + bytes, *p, *version;
	struct guard_verdict v;

	out->method.data = line;
	for (p = line; p < end && is_token(*p); p++)
		;
	if (p == line || p == end || *p != ' ')
		return refuse(400, "the request line must be a method, a "
		    "space, a target, a space and HTTP/1.1");
	out->method.bytes = (size_t)(p - line);
	out->target.data = ++p;
	while (p < end && is_target(*p))
		p++;
	if (p < end && *p != ' ')
		return refuse(400, "the request target has a control "
		    "character or a #");
	out->target.bytes = (size_t)(p - out->target.data);
	version = p + 1;
	if (p == end || end - version != 8 ||
	    strncmp(version, "HTTP/", 5) != 0 || version[6] != '.' ||
	    version[5] < '0' || version[5] > '9' ||
	    version[7] < '0' || version[7] > '9')
		return refuse(400, "the request line must end in HTTP/1.1 or "
		    "HTTP/1.0");
	if (version[5] != '1')
		return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken "
		    "here");
	out->http10 = version[7] == '0';
	if ((v = check_target(out->target.data,
	    out->target.bytes)).status != 0)
		return v;
	return fine;
}

/* Digits alone, RFC 9110 section 8.6. */
static struct guard_verdict
check_length(const char *value, size_t bytes, int64_t body_max,
    struct guard_head *out)
{
	int64_t n = 0;
	size_t i;

	if (out->content_length >= 0)
		return refuse(400, "there is more than one Content-Length");
	for (i = 0; i < bytes && value[i] >= '0' && value[i] <= '9'; i++)
		if (n <= body_max)
			n = n * 10 + (value[i] - '0');
	if (bytes == 0 || i < bytes)
		return refuse(400, "Content-Length must be a decimal number "
		    "and nothing else");
	out->content_length = n;
	return fine;
}

/* Split a header line, without its end, into its name and its value. */
static bool
split_header(const char *line, size_t bytes, struct text *name,
    struct text *value)
{
	const char *colon, *end = line + bytes, *v;

	for (colon = line; colon < end && is_token(*colon); colon++)
		;
	if (colon == line || colon == end || *colon != ':')
		return false;
	for (v = colon + 1; v < end && (*v == ' ' || *v == '\t'); v++)
		;
	while (end > v && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	name->data = line;
	name->bytes = (size_t)(colon - line);
	value->data = v;
	value->bytes = (size_t)(end - v);
	return true;
}

static bool
name_is(const struct text *name, const char *what, size_t bytes)
{
	return name->bytes == bytes &&
	    strncasecmp(name->data, what, bytes) == 0;
}

/* Is token in a list, RFC 9110 section 5.6.1? */
static bool
has_token(const struct text *list, const char *token)
{
	const char *p = list->data, *end = p + list->bytes, *from;

	while (p < end) {
		while (p < end && (*p == ' ' || *p == '\t' || *p == ','))
			p++;
		for (from = p; p < end && *p != ' ' && *p != '\t' &&
		    *p != ','; p++)
			;
		if (text_is(from, (size_t)(p - from), token))
			return true;
	}
	return false;
}

/* The headers that matter here. */
static struct guard_verdict
use_header(const struct text *name, const struct text *value,
    int64_t body_max, struct guard_head *out)
{
	if (name_is(name, "Content-Length", 14))
		return check_length(value->data, value->bytes, body_max, out);
	if (name_is(name, "Transfer-Encoding", 17)) {
		if (out->chunked || !text_is(value->data, value->bytes,
		    "chunked"))
			return refuse(501, "chunked is the only "
			    "Transfer-Encoding");
		out->chunked = true;
	} else if (name_is(name, "Expect", 6)) {
		if (!text_is(value->data, value->bytes, "100-continue"))
			return refuse(417, "100-continue is the only "
			    "expectation");
		out->expects_continue = true;
	} else if (name_is(name, "Connection", 10)) {
		out->close |= has_token(value, "close");
		out->keep_alive |= has_token(value, "keep-alive");
	} else if (name_is(name, "Host", 4)) {
		if (out->host.data != NULL)
			return refuse(400, "there is more than one Host");
		out->host = *value;
	} else if (name_is(name, "Origin", 6))
		out->origin = *value;
	else if (name_is(name, "Sec-Fetch-Site", 14))
		out->cross_site = text_is(value->data, value->bytes,
		    "cross-site");
	return fine;
}

static struct guard_verdict
check_header(const char *line, size_t bytes, int64_t body_max,
    struct guard_head *out)
{
	struct text name, value;

	if (*line == ' ' || *line == '\t')
		return refuse(400, "a header must not be folded over lines");
	if (!split_header(line, bytes, &name, &value))
		return refuse(400, "a header line must be a name, a colon "
		    "without a space before it, and a value");
	if (memchr(value.data, '\0', value.bytes) != NULL ||
	    memchr(value.data, '\r', value.bytes) != NULL)
		return refuse(400, "a header has a NUL or a lone CR");
	return use_header(&name, &value, body_max, out);
}

static struct guard_verdict
check_body(const struct guard_head *h, int64_t body_max)
{
	if (h->chunked && h->content_length >= 0)
		return refuse(400, "there are both Content-Length and "
		    "Transfer-Encoding");
	if (h->chunked && h->http10)
		return refuse(400, "HTTP/1.0 has no Transfer-Encoding");
	if (text_is(h->method.data, h->method.bytes, "HEAD") &&
	    (h->chunked || h->content_length > 0))
		return refuse(400, "HEAD has no body");
	if (h->content_length > body_max)
		return refuse(413, NULL);
	return fine;
}

/*
 * A page of any site can have a browser send us requests, and on a loopback
 * address nothing else stands before us.  Browsers tell the page's origin.
 */
static struct guard_verdict
check_origin(const struct guard_head *h)
{
	struct text o = h->origin;

	if (o.bytes > 7 && strncasecmp(o.data, "http://", 7) == 0) {
		o.data += 7;
		o.bytes -= 7;
	} else if (o.bytes > 8 && strncasecmp(o.data, "https://", 8) == 0) {
		o.data += 8;
		o.bytes -= 8;
	}
	if (h->cross_site || (o.data != NULL && (h->host.data == NULL ||
	    o.bytes != h->host.bytes ||
	    strncasecmp(o.data, h->host.data, o.bytes) != 0)))
		return refuse(403, "the request is of a web page from another "
		    "origin than this server");
	return fine;
}

struct guard_verdict
guard_check(const char *head, size_t bytes, int64_t body_max,
    struct guard_head *out)
{
	const char *p = head, *end = head + bytes, *lf;
	struct guard_verdict v = fine;
	size_t n;

	memset(out, 0, sizeof(*out));
	out->content_length = -1;
	for (; p < end; p = lf + 1) {
		if ((lf = memchr(p, '\n', (size_t)(end - p))) == NULL)
			break;
		n = (size_t)(lf - p);
		if (n > 0 && p[n - 1] == '\r')
			n--;
		if (p == head)
			v = check_line(p, n, out);
		else if (n > 0)
			v = check_header(p, n, body_max, out);
		if (v.status != 0)
			return v;
	}
	v = check_body(out, body_max);
	return v.status != 0 ? v : check_origin(out);
}

struct guard_verdict
guard_begin(const char *data, size_t bytes)
{
	const char *lf = memchr(data, '\n', bytes);
	struct guard_head unused;
	size_t n;

	if (!is_token(data[0]))
		return refuse(400, (unsigned char)data[0] == 0x16 ?
		    "this is TLS, and only HTTP in the clear is spoken here" :
		    "a request must begin with its method");
	if (lf == NULL)
		return fine;
	n = (size_t)(lf - data);
	if (n > 0 && data[n - 1] == '\r')
		n--;
	memset(&unused, 0, sizeof(unused));
	return check_line(data, n, &unused);
}

struct text
guard_header(struct text head, const char *name)
{
	const char *p = head.data, *end = head.data + head.bytes, *lf;
	struct text found, value, none = { NULL, 0 };
	size_t n, name_bytes = strlen(name);

	for (; p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL;
	    p = lf + 1) {
		n = (size_t)(lf - p);
		if (n > 0 && p[n - 1] == '\r')
			n--;
		if (p != head.data && n > name_bytes &&
		    p[name_bytes] == ':' &&
		    split_header(p, n, &found, &value) &&
		    name_is(&found, name, name_bytes))
			return value;
	}
	return none;
}

static struct guard_verdict
bad_chunk(void)
{
	return refuse(400, "the chunked body is malformed: each chunk is its "
	    "size in hexadecimal, CR LF, its bytes, CR LF");
}

/* One byte of a chunked body that is not data. */
static struct guard_verdict
chunk_byte(struct guard_chunks *c, char b, int64_t body_max)
{
	int digit = digit_hex(b);

	switch (c->place) {
	case CHUNK_SIZE_FIRST:
	case CHUNK_SIZE:
		if (digit >= 0) {
			c->left = c->left * 16 + digit;
			if (c->left > body_max - c->body_bytes)
				return refuse(413, NULL);
			c->place = CHUNK_SIZE;
			break;
		}
		if (c->place == CHUNK_SIZE_FIRST)
			return bad_chunk();
		/* FALLTHROUGH */
	case CHUNK_EXTENSION:
		if (b == '\r')
			c->place = CHUNK_SIZE_LF;
		else if (b == '\n' || b == '\0')
			return bad_chunk();
		else if (c->place == CHUNK_SIZE && b != ';')
			return bad_chunk();
		else
			c->place = CHUNK_EXTENSION;
		break;
	case CHUNK_SIZE_LF:
		if (b != '\n')
			return bad_chunk();
		c->body_bytes += c->left;
		c->place = c->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
		c->line_bytes = 0;
		return fine;
	case CHUNK_DATA_CR:
		c->place = CHUNK_DATA_LF;
		return b == '\r' ? fine : bad_chunk();
	case CHUNK_DATA_LF:
		c->place = CHUNK_SIZE_FIRST;
		return b == '\n' ? fine : bad_chunk();
	case CHUNK_TRAILER:
		if (++c->trailer_bytes > CHUNK_TRAILER_MAX)
			return refuse(431, NULL);
		if (b == '\0' || (c->last_cr && b != '\n'))
			return refuse(400, "a trailer has a NUL or a lone CR");
		c->last_cr = b == '\r';
		if (b == '\n' && c->line_bytes == 0)
			c->place = CHUNK_DONE;
		else if (b == '\n')
			c->line_bytes = 0;
		else if (b != '\r')
			c->line_bytes++;
		return fine;
	case CHUNK_DATA:
	case CHUNK_DONE:
		return fine;
	}
	if (++c->line_bytes > CHUNK_LINE_MAX)
		return refuse(400, "the line with a chunk's size is too long");
	return fine;
}

struct guard_verdict
guard_chunked(struct guard_chunks *c, const char *data, size_t bytes,
    int64_t body_max, struct buf *out, size_t *used)
{
	struct guard_verdict v;
	size_t i, n;

	*used = 0;
	for (i = 0; i < bytes && c->place != CHUNK_DONE;) {
		if (c->place == CHUNK_DATA) {
			n = bytes - i;
			if ((int64_t)n > c->left)
				n = (size_t)c->left;
			buf_add(out, data + i, n);
			c->left -= (int64_t)n;
			i += n;
			if (c->left == 0)
				c->place = CHUNK_DATA_CR;
			continue;
		}
		if ((v = chunk_byte(c, data[i], body_max)).status != 0)
			return v;
		i++;
	}
	*used = i;
	return fine;
}
