/*
 * From bytes that were read to whole requests.
 *
 * The guard reads the head and the framing.  evhttp gets none of it: it would
 * parse once more what was checked, and could take a request for another.  The
 * target and the headers stay in the head, and the body beside it, for the
 * exchange.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/config.h"
#include "base/log.h"
#include "http/peer.h"
#include "http/response.h"
#include "http/state.h"

#define SKIP_MAX_BYTES	32	/* of empty lines before a request */
/* Requests of one client in one turn of the loop: others have turns too. */
#define TURN_REQUESTS	16

static void
refuse_memory(struct peer *p)
{
	peer_refuse(p, 500, "no memory for the request", NULL);
}

/* A method that no page of ours has. */
static void
refuse_method(struct peer *p, const struct guard_head *h)
{
	struct route_match match;
	char allow[80], header[96];
	const char *query = memchr(h->target.data, '?', h->target.bytes);

	route_find(p->server->routes, 0, h->target.data, query != NULL ?
	    (size_t)(query - h->target.data) : h->target.bytes, &match);
	if (match.allowed == 0) {
		peer_refuse(p, 404, "there is no such page", NULL);
		return;
	}
	route_allow(match.allowed, allow, sizeof(allow));
	snprintf(header, sizeof(header), "Allow: %s\r\n", allow);
	peer_refuse(p, 405, "this page does not have that method; the header "
	    "Allow names those that it has", header);
}

/* 0: it is not known. */
static int
method_of(struct text method)
{
	static const struct {
		const char *name;
		enum http_method method;
	} known[] = {
		{ "GET", HTTP_GET }, { "POST", HTTP_POST },
		{ "PATCH", HTTP_PATCH }, { "DELETE", HTTP_DELETE },
		{ "PUT", HTTP_PUT }, { "HEAD", HTTP_HEAD },
		{ "OPTIONS", HTTP_OPTIONS },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (method.bytes == strlen(known[i].name) &&
		    memcmp(method.data, known[i].name, method.bytes) == 0)
			return (int)known[i].method;
	return 0;
}

/* Keep the head, whose buffer is the read's.  -1: no memory. */
static int
keep_head(struct peer *p)
{
	size_t target_at = (size_t)(p->target.data - p->head.data);

	buf_add(&p->head_kept, p->head.data, p->head.bytes);
	if (p->head_kept.failed)
		return -1;
	p->head.data = p->head_kept.data;
	p->target.data = p->head.data + target_at;
	return 0;
}

/*
 * A handler that is to answer later has taken from the head what it needs.  Its
 * first line is for the log.
 */
static void
part_with_head(struct peer *p)
{
	if (p->head.data == p->head_kept.data)
		return;
	if (!log_is_on(LOG_LEVEL_DEBUG) || keep_head(p) == -1)
		p->head = p->target = (struct text){ NULL, 0 };
}

/* The request is whole. */
static void
handle(struct peer *p)
{
	p->state = PEER_HANDLING;
	exchange_open(p);
	if (!p->dead && p->state == PEER_HANDLING)
		part_with_head(p);
}

static void
send_continue(struct peer *p)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (send(p->fd, go_on, sizeof(go_on) - 1, MSG_NOSIGNAL |
	    MSG_DONTWAIT) != (ssize_t)sizeof(go_on) - 1)
		peer_close(p);
}

static void
begin_request(struct peer *p, const struct guard_head *h, int method,
    const char *data, size_t head_bytes)
{
	p->state = PEER_BODY;
	p->exchange.method = (enum http_method)method;
	p->scanned = p->skipped = 0;
	p->http10 = h->http10;
	p->close = h->close;
	p->keep_alive = h->keep_alive;
	p->chunked = h->chunked;
	p->body_left = h->chunked || h->content_length < 0 ? 0 :
	    h->content_length;
	memset(&p->chunks, 0, sizeof(p->chunks));
	p->head.data = data;
	p->head.bytes = head_bytes;
	p->target = h->target;
	p->turn_requests++;
}

/*
 * The largest body that the request may have.  Few come near it, so the many
 * are not looked at any closer.
 */
static int64_t
body_max_of(const struct http_server *s, const struct guard_head *h,
    struct text head)
{
	int64_t max = s->config->max_body_bytes;

	if (s->is_large != NULL && (h->chunked || h->content_length > max) &&
	    s->is_large(h, head))
		return s->large_max_bytes;
	return max;
}

/*
 * Take what there is of a request's head, and a body that is all there;
 * returns how many bytes were used.  0: its end is not there yet, or the peer
 * was refused and is dead.
 */
static size_t
take_head(struct peer *p, const char *data, size_t bytes)
{
	const struct config *c = p->server->config;
	struct guard_head head;
	struct guard_verdict v;
	size_t head_bytes, body;
	int method;

	head_bytes = guard_head_bytes(data, bytes, &p->scanned);
	if (head_bytes > (size_t)c->max_header_bytes || (head_bytes == 0 &&
	    bytes > (size_t)c->max_header_bytes)) {
		peer_refuse(p, 431, NULL, NULL);
		return 0;
	}
	if (head_bytes == 0) {
		if ((v = guard_begin(data, bytes)).status != 0)
			peer_refuse(p, v.status, v.detail, NULL);
		return 0;
	}
	v = guard_check(data, head_bytes, p->server->large_max_bytes, &head);
	if (v.status == 0) {
		p->body_max = body_max_of(p->server, &head,
		    (struct text){ data, head_bytes });
		if (head.content_length > p->body_max)
			v.status = 413;
	}
	if (v.status != 0) {
		peer_refuse(p, v.status, v.detail, NULL);
		return 0;
	}
	if ((method = method_of(head.method)) == 0) {
		refuse_method(p, &head);
		return 0;
	}
	begin_request(p, &head, method, data, head_bytes);
	body = (size_t)p->body_left;
	if (!p->chunked && bytes - head_bytes >= body) {
		buf_add(&p->body, data + head_bytes, body);
		if (p->body.failed)
			refuse_memory(p);
		else
			handle(p);
		return head_bytes + body;
	}
	if (keep_head(p) == -1)
		refuse_memory(p);
	else if (head.expects_continue && bytes == head_bytes)
		send_continue(p);
	return head_bytes;
}

static size_t
take_chunks(struct peer *p, const char *data, size_t bytes)
{
	struct guard_verdict v;
	size_t used;

	v = guard_chunked(&p->chunks, data, bytes, p->body_max, &p->body,
	    &used);
	if (v.status != 0) {
		peer_refuse(p, v.status, v.detail, NULL);
		return 0;
	}
	if (p->body.failed) {
		refuse_memory(p);
		return 0;
	}
	if (p->chunks.place == CHUNK_DONE)
		handle(p);
	return used;
}

static size_t
take_body(struct peer *p, const char *data, size_t bytes)
{
	size_t used = bytes;

	if (p->chunked)
		return take_chunks(p, data, bytes);
	if ((int64_t)used > p->body_left)
		used = (size_t)p->body_left;
	p->body_left -= (int64_t)used;
	buf_add(&p->body, data, used);
	if (p->body.failed)
		refuse_memory(p);
	else if (p->body_left == 0)
		handle(p);
	return used;
}

static size_t
skip_empty_lines(struct peer *p, const char *data, size_t bytes)
{
	size_t n = 0;

	/* A few are ignored before a request, RFC 9112 section 2.2. */
	while (n < bytes && (data[n] == '\r' || data[n] == '\n'))
		n++;
	if ((p->skipped += n) > SKIP_MAX_BYTES)
		peer_refuse(p, 400, "a request must begin with its method, "
		    "not with empty lines", NULL);
	return n;
}

/* Use what can be used of data; returns how much that is. */
static size_t
take(struct peer *p, const char *data, size_t bytes)
{
	size_t at = 0, used;

	while (!p->dead && at < bytes && p->state < PEER_HANDLING) {
		if (p->state == PEER_IDLE &&
		    p->turn_requests >= TURN_REQUESTS) {
			peer_resume_later(p);
			break;
		}
		if (p->state != PEER_BODY && p->scanned == 0)
			at += skip_empty_lines(p, data + at, bytes - at);
		if (p->dead || at == bytes)
			break;
		if (p->state == PEER_IDLE) {
			p->state = PEER_HEAD;
			p->since_ms = p->server->now_ms;
		}
		used = p->state == PEER_BODY ?
		    take_body(p, data + at, bytes - at) :
		    take_head(p, data + at, bytes - at);
		if (used == 0)
			break;
		at += used;
	}
	return at;
}

void
peer_take_kept(struct peer *p)
{
	if (p->in.bytes == 0)
		return;
	p->in_used += take(p, p->in.data + p->in_used,
	    p->in.bytes - p->in_used);
	if (!p->dead && p->in_used == p->in.bytes) {
		buf_fini(&p->in);
		p->in_used = 0;
	}
}

static void
keep(struct peer *p, const char *data, size_t bytes)
{
	if (p->in_used > 0) {
		p->in.bytes -= p->in_used;
		memmove(p->in.data, p->in.data + p->in_used, p->in.bytes);
		p->in_used = 0;
	}
	buf_add(&p->in, data, bytes);
	if (p->in.failed)
		refuse_memory(p);
}

void
peer_take_new(struct peer *p, const char *data, size_t bytes)
{
	size_t used;

	if (p->in.bytes > 0) {
		keep(p, data, bytes);
		if (!p->dead)
			peer_take_kept(p);
		return;
	}
	used = take(p, data, bytes);
	if (!p->dead && used < bytes)
		keep(p, data + used, bytes - used);
}
