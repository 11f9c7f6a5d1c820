/*
 * A request and its one reply.
 *
 * The reply does not go through evhttp: its bytes are written to the socket at
 * once, which saves evhttp's formatting, arming EPOLLOUT and a turn of the loop
 * for nearly every one.
 */
#include "http/exchange.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/peer.h"
#include "http/response.h"
#include "http/state.h"

#define DETAIL_BYTES	1024
/* A reply's buffer above this is not kept for the next one. */
#define OUT_KEEP_BYTES	(256 * 1024)
#define SPLIT_MIN_BYTES	(64 * 1024)

/*
 * Decode text in place: %XX is a byte, and + a space where it is in special.
 * NULL: no memory.
 */
static char *
decode(char *s, const char *special, size_t *bytes)
{
	bool plus = strchr(special, '+') != NULL;
	char *decoded;

	*bytes = strlen(s);
	if (s[strcspn(s, special)] == '\0')
		return s;
	if ((decoded = evhttp_uridecode(s, plus, bytes)) == NULL)
		return NULL;
	memcpy(s, decoded, *bytes + 1);	/* it never gets longer */
	mem_free(decoded);		/* libevent's, by our functions */
	return s;
}

/* name=value pairs joined by &.  False: it was answered. */
static bool
parse_query(struct exchange *x, const char *query, size_t bytes)
{
	char *text, *p, *next, *equals;
	size_t room = 1, i;

	for (i = 0; i < bytes; i++)
		room += query[i] == '&' && room < QUERY_MAX;
	x->query = mem_alloc(room * sizeof(*x->query) + bytes + 1);
	if (x->query == NULL) {
		exchange_problem(x, 500, "no memory");
		return false;
	}
	text = (char *)(x->query + room);
	memcpy(text, query, bytes);
	text[bytes] = '\0';
	for (p = text; p != NULL; p = next) {
		if ((next = strchr(p, '&')) != NULL)
			*next++ = '\0';
		if (*p == '\0')
			continue;	/* "a=1&&b=2", "a=1&" */
		equals = strchr(p, '=');
		if (equals == NULL || equals == p) {
			exchange_problem(x, 400, "the query must be "
			    "name=value pairs joined by &, and \"%.60s\" is "
			    "not one", p);
			return false;
		}
		if (x->query_count == QUERY_MAX) {
			exchange_problem(x, 400, "the query has more than %d "
			    "parameters", QUERY_MAX);
			return false;
		}
		*equals = '\0';
		x->query[x->query_count].name = decode(p, "+%", &bytes);
		x->query[x->query_count].value = decode(equals + 1,
		    "+%", &bytes);
		if (x->query[x->query_count].name == NULL ||
		    x->query[x->query_count++].value == NULL) {
			exchange_problem(x, 500, "no memory");
			return false;
		}
	}
	return true;
}

/*
 * The path and the query of the target, which is "/path?query", or has a scheme
 * and a host before it.  False: it was answered.
 */
static bool
parse_target(struct exchange *x, const char **path, size_t *path_bytes)
{
	struct text t = x->peer->target;
	const char *p = t.data, *end = p + t.bytes, *query;
	size_t bytes;

	if (*p != '/' && *p != '*') {	/* http://host:port/path */
		p = memchr(p, ':', (size_t)(end - p));
		p += strlen("://");
		while (p < end && *p != '/' && *p != '?')
			p++;
	}
	query = memchr(p, '?', (size_t)(end - p));
	*path = p;
	*path_bytes = (size_t)((query != NULL ? query : end) - p);
	if (*path_bytes == 0) {		/* "http://host" */
		*path = "/";
		*path_bytes = 1;
	}
	if (memchr(*path, '%', *path_bytes) != NULL) {
		if ((x->path = mem_alloc(*path_bytes + 1)) == NULL) {
			exchange_problem(x, 500, "no memory");
			return false;
		}
		memcpy(x->path, *path, *path_bytes);
		x->path[*path_bytes] = '\0';
		if (decode(x->path, "%", &bytes) == NULL) {
			exchange_problem(x, 500, "no memory");
			return false;
		}
		*path = x->path;
		*path_bytes = bytes;
	}
	return query == NULL || query + 1 == end ||
	    parse_query(x, query + 1, (size_t)(end - query - 1));
}

static void
answer_options(struct exchange *x)
{
	char allow[80];

	exchange_add_header(x, "Allow", route_allow(x->match.allowed, allow,
	    sizeof(allow)));
	exchange_send(x, 204, NULL);
}

void
exchange_open(struct peer *p)
{
	struct http_server *s = p->server;
	struct exchange *x = &p->exchange;
	const char *path;
	size_t path_bytes;
	char allow[80], quoted[128];

	x->is_open = true;
	x->path = NULL;
	x->spliced = NULL;
	x->gone = NULL;
	x->is_wait = false;
	if (!parse_target(x, &path, &path_bytes))
		return;
	route_find(s->routes, (int)x->method, path, path_bytes, &x->match);
	if (x->match.route != NULL)
		x->match.route->handler(x, s->arg);
	else if (x->match.allowed == 0)
		exchange_problem(x, 404, "there is no page %s; see the manual "
		    "wqd(8)", log_quote(path, path_bytes, quoted,
		    sizeof(quoted)));
	else if (x->method == HTTP_OPTIONS)
		answer_options(x);
	else {
		route_allow(x->match.allowed, allow, sizeof(allow));
		exchange_add_header(x, "Allow", allow);
		exchange_problem(x, 405, "this page has the methods %s",
		    allow);
	}
}

size_t
exchange_unsent_bytes(const struct exchange *x)
{
	return x->peer->server->unsent_bytes;
}

bool
exchange_is_draining(const struct exchange *x)
{
	return x->peer->server->draining;
}

enum http_method
exchange_method(const struct exchange *x)
{
	return x->method;
}

const char *
exchange_pattern(const struct exchange *x)
{
	return x->match.route->pattern;
}

struct text
exchange_param(const struct exchange *x, size_t n)
{
	return x->match.param[n];
}

struct text
exchange_body(const struct exchange *x)
{
	const struct buf *b = &x->peer->body;

	return (struct text){ b->bytes > 0 ? b->data : "", b->bytes };
}

struct text
exchange_header(const struct exchange *x, const char *name)
{
	return guard_header(x->peer->head, name);
}

const char *
exchange_query(const struct exchange *x, const char *name)
{
	size_t i;

	for (i = 0; i < x->query_count; i++)
		if (strcmp(x->query[i].name, name) == 0)
			return x->query[i].value;
	return NULL;
}

bool
exchange_query_at(const struct exchange *x, size_t i, const char **name,
    const char **value)
{
	if (i >= x->query_count)
		return false;
	*name = x->query[i].name;
	*value = x->query[i].value;
	return true;
}

const char *
exchange_query_stranger(const struct exchange *x, const char *const *names,
    bool *twice)
{
	const char *name;
	size_t i, j;

	for (i = 0; i < x->query_count; i++) {
		name = x->query[i].name;
		for (j = 0; names[j] != NULL; j++)
			if (strcmp(name, names[j]) == 0)
				break;
		*twice = names[j] != NULL;
		if (names[j] == NULL)
			return name;
		for (j = 0; j < i; j++)
			if (strcmp(name, x->query[j].name) == 0)
				return name;
	}
	return NULL;
}

struct buf *
exchange_reply(struct exchange *x)
{
	return &x->peer->server->out;
}

struct splice {
	void (*release)(void *);
	void *arg;
};

static void
splice_cb(const void *data, size_t bytes, void *arg)
{
	struct splice *s = arg;

	(void)data;
	(void)bytes;
	s->release(s->arg);
	mem_free(s);
}

/* What was built so far goes before what is spliced. */
static int
flush_out(struct exchange *x)
{
	struct buf *out = &x->peer->server->out;
	int r;

	if (x->spliced == NULL && (x->spliced = evbuffer_new()) == NULL)
		return -1;
	r = out->failed ? -1 :
	    evbuffer_add(x->spliced, out->data, out->bytes);
	out->bytes = 0;
	return r;
}

void
exchange_splice(struct exchange *x, const void *data, size_t bytes,
    void (*release)(void *), void *arg)
{
	struct splice *s = mem_alloc(sizeof(*s));

	if (s == NULL || flush_out(x) == -1)
		goto fail;
	s->release = release;
	s->arg = arg;
	if (evbuffer_add_reference(x->spliced, data, bytes, splice_cb, s) == 0)
		return;
fail:
	x->peer->server->out.failed = true;
	mem_free(s);
	release(arg);
}

void
exchange_add_header(struct exchange *x, const char *name, const char *value)
{
	struct buf *extra = &x->peer->server->extra;

	buf_add_str(extra, name);
	buf_add(extra, ": ", 2);
	buf_add_str(extra, value);
	buf_add(extra, "\r\n", 2);
}

static void
exchange_fini(struct exchange *x)
{
	mem_free(x->path);
	x->path = NULL;
	if (x->spliced != NULL)
		evbuffer_free(x->spliced);
	x->spliced = NULL;
	mem_free(x->query);
	x->query = NULL;
	x->query_count = 0;
	x->gone = NULL;
}

void
exchange_end(struct exchange *x)
{
	void (*gone)(void *) = x->gone;
	void *arg = x->gone_arg;

	if (!x->is_open)
		return;
	exchange_fini(x);
	x->is_open = false;
	if (gone != NULL)
		gone(arg);
}

static enum response_connection
connection_after(struct exchange *x)
{
	struct peer *p = x->peer;

	p->close = p->close || p->server->draining ||
	    (p->http10 && !p->keep_alive);
	if (p->close)
		return RESPONSE_CLOSE;
	return p->http10 ? RESPONSE_KEEP : RESPONSE_DEFAULT;
}

/* A long reply is not copied to its head, but handed on as it is. */
static int
split_long(struct exchange *x)
{
	return x->spliced != NULL ||
	    x->peer->server->out.bytes > SPLIT_MIN_BYTES ? flush_out(x) : 0;
}

bool
exchange_send(struct exchange *x, int status, const char *content_type)
{
	struct peer *p = x->peer;
	struct http_server *s = p->server;
	struct evbuffer *spliced;
	char quoted[240];
	size_t body_bytes;
	bool sent = true;

	if (split_long(x) == -1)
		s->out.failed = true;
	if (s->out.failed || s->extra.failed) {
		if (x->spliced != NULL)
			evbuffer_free(x->spliced);
		x->spliced = NULL;
		buf_clear(&s->out);
		buf_clear(&s->extra);
		status = 500;
		sent = false;
		content_type = RESPONSE_PROBLEM_TYPE;
		response_problem(&s->out, 500, "no memory for the answer");
	}
	body_bytes = x->spliced != NULL ? evbuffer_get_length(x->spliced) :
	    s->out.bytes;
	buf_clear(&s->head);
	response_head(&s->head, status, content_type, body_bytes, s->date,
	    connection_after(x), s->extra.data, s->extra.bytes);
	if (x->method == HTTP_HEAD) {
		buf_clear(&s->out);
		if (x->spliced != NULL)
			evbuffer_drain(x->spliced, body_bytes);
	}
	log_debug("http", "reply", "status=%d bytes=%zu request=%s", status,
	    body_bytes, log_quote(p->head.data, (size_t)(p->target.data -
	    p->head.data) + p->target.bytes, quoted, sizeof(quoted)));
	spliced = x->spliced;
	x->spliced = NULL;
	exchange_fini(x);
	buf_add(&s->head, s->out.data, s->out.bytes);
	if (s->head.failed || peer_write(p, &s->head, spliced) == -1) {
		sent = false;
		peer_close(p);
	}
	/* Clean for the next, which may be another exchange's at once. */
	buf_clear(&s->out);
	buf_clear(&s->extra);
	if (s->out.room > OUT_KEEP_BYTES)
		server_reserve(&s->out);
	if (s->head.room > OUT_KEEP_BYTES)
		server_reserve(&s->head);
	return sent;
}

void
exchange_problem(struct exchange *x, int status, const char *format, ...)
{
	struct buf *out = &x->peer->server->out;
	char detail[DETAIL_BYTES];
	va_list ap;

	va_start(ap, format);
	vsnprintf(detail, sizeof(detail), format, ap);
	va_end(ap);
	if (x->spliced != NULL)
		evbuffer_free(x->spliced);
	x->spliced = NULL;
	buf_clear(out);
	response_problem(out, status, detail);
	exchange_send(x, status, RESPONSE_PROBLEM_TYPE);
}

void
exchange_on_gone(struct exchange *x, void (*gone)(void *), void *arg)
{
	x->gone = gone;
	x->gone_arg = arg;
}

void
exchange_is_wait(struct exchange *x)
{
	x->is_wait = true;
}
