/*
 * A connection from its accept to its end.
 *
 * The way of a request: socket -> readable_cb() -> guard -> evhttp's input ->
 * evhttp's own read callback, called by us -> peer_request_cb() -> exchange.
 * The way back is peer_write().  evhttp has a bufferevent without a descriptor,
 * which spares it an ioctl, two changes of interest and several allocations a
 * request; it never has more than one request, since the guard knows where
 * each ends.
 */
#include "http/peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/config.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/response.h"
#include "http/state.h"

#define SKIP_MAX_BYTES	32	/* of empty lines before a request */

/* evhttp's own read callback, as it sets it; the same for all connections. */
static bufferevent_data_cb	evhttp_read;

static void
stop_resuming(struct peer *p)
{
	if (!p->resuming)
		return;
	TAILQ_REMOVE(&p->server->resuming, p, resume_link);
	p->server->resuming_count--;
	p->resuming = false;
}

/* Give memory back that only its callers up the stack still need. */
static void
peer_leave(struct peer *p)
{
	if (--p->busy == 0 && p->dead)
		mem_free(p);
}

static void
peer_free(struct peer *p)
{
	struct http_server *s = p->server;

	p->dead = true;
	stop_resuming(p);
	exchange_end(&p->exchange);
	if (p->readable != NULL)
		event_free(p->readable);
	if (p->writable != NULL)
		event_free(p->writable);
	if (p->out != NULL)
		evbuffer_free(p->out);
	buf_fini(&p->in);
	buf_fini(&p->head_kept);
	if (p->busy == 0)
		mem_free(p);
	server_peer_left(s);
}

static void
close_cb(struct evhttp_connection *evcon, void *arg)
{
	struct peer *p = arg;

	(void)evcon;
	TAILQ_REMOVE(&p->server->peers, p, link);
	peer_free(p);
}

void
peer_close(struct peer *p)
{
	evhttp_connection_free(p->evcon);	/* calls close_cb() */
}

void
peer_refuse(struct peer *p, int status, const char *detail,
    const char *extra_header)
{
	struct http_server *s = p->server;
	struct buf *out = &s->out;
	char text[160];

	if (detail == NULL) {
		snprintf(text, sizeof(text), status == 413 ?
		    "the body is over %lld bytes (max-body)" :
		    "the request line and headers are over %lld bytes "
		    "(max-header)", (long long)(status == 413 ?
		    s->config->max_body_bytes : s->config->max_header_bytes));
		detail = text;
	}
	log_debug("http", "refused", "status=%d detail=\"%s\"", status,
	    detail);
	buf_clear(&s->head);
	buf_clear(out);
	response_problem(out, status, detail);
	response_head(&s->head, status, RESPONSE_PROBLEM_TYPE, out->bytes,
	    s->date, RESPONSE_CLOSE, extra_header,
	    extra_header != NULL ? strlen(extra_header) : 0);
	buf_add(&s->head, out->data, out->bytes);
	buf_clear(out);
	/* It is small and the socket's buffer empty: all of it or no matter. */
	if (!s->head.failed && send(p->fd, s->head.data, s->head.bytes,
	    MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		lingers_add(&s->lingers, p->fd);
	peer_close(p);
}

/* A method that evhttp does not know, or that no page of ours has. */
static void
refuse_method(struct peer *p, const struct guard_head *h)
{
	struct route_match match;
	char allow[80], header[96];
	const char *query = memchr(h->target, '?', h->target_bytes);

	route_find(p->server->routes, 0, h->target, query != NULL ?
	    (size_t)(query - h->target) : h->target_bytes, &match);
	if (match.allowed == 0) {
		peer_refuse(p, 404, "there is no such page", NULL);
		return;
	}
	route_allow(match.allowed, allow, sizeof(allow));
	snprintf(header, sizeof(header), "Allow: %s\r\n", allow);
	peer_refuse(p, 405, "this page does not have that method; the header "
	    "Allow names those that it has", header);
}

static bool
method_is_known(const struct guard_head *h)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT",
	    "PATCH", "DELETE", "OPTIONS" };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (h->method_bytes == strlen(known[i]) &&
		    memcmp(h->method, known[i], h->method_bytes) == 0)
			return true;
	return false;
}

/* evhttp has refused the request with a page of its own: ours in its place. */
static void
replace_page(struct peer *p, struct evbuffer *output)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	char line[13];		/* "HTTP/1.1 400 " */
	int status;

	if (evbuffer_copyout(output, line, sizeof(line)) !=
	    (ev_ssize_t)sizeof(line))
		return;
	status = (line[9] - '0') * 100 + (line[10] - '0') * 10 +
	    (line[11] - '0');
	if (status != 100) {
		peer_refuse(p, status >= 400 && status != 413 ? status : 400,
		    "the request is malformed", NULL);
		return;
	}
	evbuffer_unfreeze(output, 1);
	evbuffer_drain(output, evbuffer_get_length(output));
	evbuffer_freeze(output, 1);
	if (send(p->fd, go_on, sizeof(go_on) - 1, MSG_NOSIGNAL |
	    MSG_DONTWAIT) != (ssize_t)sizeof(go_on) - 1)
		peer_close(p);
}

/* Give evhttp some bytes of the request. */
static void
feed(struct peer *p, const struct text *pieces, size_t count)
{
	struct evbuffer *input = bufferevent_get_input(p->bev);
	struct evbuffer *output = bufferevent_get_output(p->bev);
	int r = 0;

	evbuffer_unfreeze(input, 0);
	for (; count > 0 && r == 0; count--, pieces++)
		r = evbuffer_add(input, pieces->data, pieces->bytes);
	evbuffer_freeze(input, 0);
	if (r == -1) {
		peer_refuse(p, 500, "no memory for the request", NULL);
		return;
	}
	p->server->current = p;
	evhttp_read(p->bev, p->evcon);
	p->server->current = NULL;
	if (!p->dead && p->state == PEER_BODY &&
	    evbuffer_get_length(output) > 0)
		replace_page(p, output);
}

/* The body is yet to come: keep the head, whose buffer is the read's. */
static void
keep_head(struct peer *p)
{
	buf_add(&p->head_kept, p->head.data, p->head.bytes);
	if (p->head_kept.failed) {
		peer_refuse(p, 500, "no memory for the request", NULL);
		return;
	}
	p->head.data = p->head_kept.data;
}

/*
 * Take what there is of a request's head; returns how many bytes were used.
 * 0: its end is not there yet, or the peer was refused and is dead.
 */
static size_t
take_head(struct peer *p, char *data, size_t bytes)
{
	const struct config *c = p->server->config;
	struct guard_head head;
	struct guard_verdict v;
	size_t head_bytes, pieces, body;

	head_bytes = guard_head_bytes(data, bytes, &p->scanned);
	if (head_bytes > (size_t)c->max_header_bytes || (head_bytes == 0 &&
	    bytes > (size_t)c->max_header_bytes)) {
		peer_refuse(p, 431, NULL, NULL);
		return 0;
	}
	if (head_bytes == 0)
		return 0;
	v = guard_check(data, head_bytes, c->max_body_bytes, &head);
	if (v.status != 0) {
		peer_refuse(p, v.status, v.detail, NULL);
		return 0;
	}
	if (!method_is_known(&head)) {
		refuse_method(p, &head);
		return 0;
	}
	p->state = PEER_BODY;
	p->scanned = p->skipped = 0;
	p->http10 = head.http10;
	p->chunked = head.chunked;
	p->body_left = head.content_length;
	memset(&p->chunks, 0, sizeof(p->chunks));
	p->head.data = data;
	p->head.bytes = head_bytes;
	/* A body that is all there goes with its head. */
	pieces = head.line_count;
	body = p->body_left > 0 ? (size_t)p->body_left : 0;
	if (!p->chunked && body > 0 && pieces < GUARD_LINES_MAX &&
	    bytes - head_bytes >= body) {
		head.line[pieces].data = data + head_bytes;
		head.line[pieces++].bytes = body;
		p->body_left = 0;
		head_bytes += body;
	}
	feed(p, head.line, pieces);
	if (!p->dead && p->state == PEER_BODY)
		keep_head(p);
	return head_bytes;
}

/* The same for its body. */
static size_t
take_body(struct peer *p, char *data, size_t bytes)
{
	struct guard_verdict v;
	struct text piece;
	size_t used = bytes;

	if (p->chunked) {
		v = guard_chunked(&p->chunks, data, bytes,
		    p->server->config->max_body_bytes, &used);
		if (v.status != 0) {
			peer_refuse(p, v.status, v.detail, NULL);
			return 0;
		}
	} else if ((int64_t)used > p->body_left)
		used = (size_t)p->body_left;
	p->body_left -= (int64_t)used;
	piece.data = data;
	piece.bytes = used;
	feed(p, &piece, 1);
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
take(struct peer *p, char *data, size_t bytes)
{
	size_t at = 0, used;

	while (!p->dead && at < bytes && p->state < PEER_HANDLING) {
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

static void
pause_reading(struct peer *p)
{
	if (!p->paused)
		event_del(p->readable);
	p->paused = true;
}

/* Use what was kept, and keep what is left of it. */
static void
take_kept(struct peer *p)
{
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
		peer_refuse(p, 500, "no memory for the request", NULL);
}

static void
take_new(struct peer *p, char *data, size_t bytes)
{
	size_t used;

	if (p->in.bytes > 0) {
		keep(p, data, bytes);
		if (!p->dead)
			take_kept(p);
		return;
	}
	used = take(p, data, bytes);
	if (!p->dead && used < bytes)
		keep(p, data + used, bytes - used);
}

static void
readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;
	ssize_t n;

	(void)what;
	if (p->state >= PEER_HANDLING) {
		/* The next request waits in the kernel for this reply. */
		pause_reading(p);
		return;
	}
	n = recv(fd, p->server->scratch, PEER_SCRATCH_BYTES, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		peer_close(p);
		return;
	}
	p->busy++;
	take_new(p, p->server->scratch, (size_t)n);
	peer_leave(p);
}

/* The reply is out: the connection ends, or the next request's turn comes. */
static void
next_request(struct peer *p)
{
	struct http_server *s = p->server;
	struct evhttp_request *req = p->exchange.req;

	p->busy++;
	p->state = PEER_IDLE;
	p->since_ms = s->now_ms;
	p->exchange.req = NULL;
	buf_fini(&p->head_kept);
	evhttp_send_reply_end(req);	/* may free the connection */
	if (!p->dead) {
		if (p->paused && event_add(p->readable, NULL) == 0)
			p->paused = false;
		if (p->in.bytes > 0 && !p->resuming) {
			p->resuming = true;
			TAILQ_INSERT_TAIL(&s->resuming, p, resume_link);
			s->resuming_count++;
			event_active(s->resume, 0, 0);
		}
	}
	peer_leave(p);
}

void
peer_resume_cb(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	size_t n = s->resuming_count;	/* those to come have a later call */
	struct peer *p;

	(void)fd;
	(void)what;
	for (; n > 0 && (p = TAILQ_FIRST(&s->resuming)) != NULL; n--) {
		stop_resuming(p);
		p->busy++;
		take_kept(p);
		peer_leave(p);
	}
}

static void
writable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;
	int n;

	(void)what;
	n = evbuffer_write(p->out, fd);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		peer_close(p);
		return;
	}
	if (evbuffer_get_length(p->out) > 0)
		return;
	event_del(p->writable);
	evbuffer_free(p->out);
	p->out = NULL;
	next_request(p);
}

/* Have the rest of a reply written when the socket can take it. */
static int
write_later(struct peer *p, const char *data, size_t bytes,
    struct evbuffer *rest)
{
	if (p->writable == NULL)
		p->writable = event_new(p->server->base, p->fd,
		    EV_WRITE | EV_PERSIST, writable_cb, p);
	p->out = evbuffer_new();
	if (p->writable == NULL || p->out == NULL)
		return -1;
	if (bytes > 0 && evbuffer_add(p->out, data, bytes) == -1)
		return -1;
	if (rest != NULL && evbuffer_add_buffer(p->out, rest) == -1)
		return -1;
	if (event_add(p->writable, NULL) == -1)
		return -1;
	p->state = PEER_WRITING;
	p->since_ms = p->server->now_ms;
	p->unsent = evbuffer_get_length(p->out);
	return 0;
}

int
peer_write(struct peer *p, const struct buf *first, struct evbuffer *rest)
{
	ssize_t n = 0;
	int r = 0;

	if (rest == NULL) {
		n = send(p->fd, first->data, first->bytes, MSG_NOSIGNAL |
		    MSG_DONTWAIT);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (n == -1)
			n = 0;
	}
	if (rest != NULL || (size_t)n < first->bytes)
		r = write_later(p, first->data + n, first->bytes - (size_t)n,
		    rest);
	else
		next_request(p);
	if (rest != NULL)
		evbuffer_free(rest);
	return r;
}

struct bufferevent *
peer_accept_cb(struct event_base *base, void *arg)
{
	struct http_server *s = arg;
	struct bufferevent *bev;
	struct peer *p;

	/* Without CLOSE_ON_FREE evhttp closes the socket. */
	if ((bev = bufferevent_socket_new(base, -1, 0)) == NULL)
		return NULL;
	/* From the reserve too: evhttp would serve it without us. */
	if ((p = mem_alloc_reserved(sizeof(*p))) == NULL) {
		bufferevent_free(bev);
		return NULL;
	}
	memset(p, 0, sizeof(*p));
	bufferevent_incref(bev);
	p->server = s;
	p->bev = bev;
	p->exchange.peer = p;
	TAILQ_INSERT_TAIL(&s->fresh, p, link);
	event_active(s->greet, 0, 0);
	server_peer_came(s);
	return bev;
}

static void
greet(struct peer *p)
{
	struct http_server *s = p->server;
	void *evcon = NULL;
	int r = -1;

	bufferevent_getcb(p->bev, &evhttp_read, NULL, NULL, &evcon);
	p->fd = bufferevent_getfd(p->bev);
	if (evcon != NULL) {
		p->evcon = evcon;
		/* From here on evhttp neither reads nor writes. */
		bufferevent_setfd(p->bev, -1);
		p->readable = event_new(s->base, p->fd, EV_READ | EV_PERSIST,
		    readable_cb, p);
		if (p->readable != NULL)
			r = event_add(p->readable, NULL);
	}
	bufferevent_decref(p->bev);
	if (r == -1) {
		/* evhttp gave it up, or we must: no memory. */
		if (evcon != NULL)
			evhttp_connection_free(evcon);
		peer_free(p);
		return;
	}
	evhttp_connection_set_closecb(p->evcon, close_cb, p);
	TAILQ_INSERT_TAIL(&s->peers, p, link);
	p->since_ms = s->now_ms;
}

void
peer_greet_cb(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	struct peer *p;

	(void)fd;
	(void)what;
	while ((p = TAILQ_FIRST(&s->fresh)) != NULL) {
		TAILQ_REMOVE(&s->fresh, p, link);
		greet(p);
	}
}

void
peer_request_cb(struct evhttp_request *req, void *arg)
{
	struct http_server *s = arg;
	struct peer *p = s->current;

	if (p == NULL || p->evcon != evhttp_request_get_connection(req)) {
		evhttp_connection_free(evhttp_request_get_connection(req));
		return;
	}
	p->state = PEER_HANDLING;
	exchange_open(p, req);
}

/* Has p taken too long for what it does?  Then it goes. */
static void
sweep_one(struct peer *p)
{
	struct http_server *s = p->server;
	const struct config *c = s->config;
	/* since_ms may be a tick early: never close before the time. */
	int64_t age_ms = s->now_ms - p->since_ms - s->tick_ms;
	size_t unsent;

	switch (p->state) {
	case PEER_IDLE:
		if (s->draining || age_ms > c->idle_timeout_ms)
			peer_close(p);
		break;
	case PEER_HEAD:
	case PEER_BODY:
		if (age_ms > c->request_timeout_ms)
			peer_refuse(p, 408, "the request did not arrive in "
			    "time (request-timeout)", NULL);
		break;
	case PEER_WRITING:
		unsent = evbuffer_get_length(p->out);
		if (unsent != p->unsent) {
			p->unsent = unsent;
			p->since_ms = s->now_ms;
		} else if (age_ms > c->write_timeout_ms) {
			log_debug("http", "closed", "reason=\"the client does "
			    "not read its answer\" unsent=%zu", unsent);
			peer_close(p);
		}
		break;
	case PEER_HANDLING:
		break;
	}
}

void
peer_sweep(struct http_server *s, size_t max)
{
	struct peer *p;

	for (; max > 0 && s->sweep_left > 0; max--, s->sweep_left--) {
		if ((p = TAILQ_FIRST(&s->peers)) == NULL) {
			s->sweep_left = 0;
			return;
		}
		TAILQ_REMOVE(&s->peers, p, link);
		TAILQ_INSERT_TAIL(&s->peers, p, link);
		sweep_one(p);
	}
}
