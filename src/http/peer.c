/*
 * A connection from its accept to its end.
 *
 * The way of a request: socket -> readable_cb() -> intake.c -> exchange.c.  The
 * way back is peer_write().  evhttp, which accepts and closes, has a bufferevent
 * without a descriptor: parsing each request once more took a third of the
 * server's own instructions.
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

/* Reading less than this in a write-timeout is not reading. */
#define PROGRESS_MIN_BYTES	65536

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
	if (p->out != NULL) {
		if (p->state == PEER_WRITING)
			s->unsent_bytes -= evbuffer_get_length(p->out);
		evbuffer_free(p->out);
	}
	buf_fini(&p->in);
	buf_fini(&p->head_kept);
	buf_fini(&p->body);
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

static void
pause_reading(struct peer *p)
{
	if (!p->paused)
		event_del(p->readable);
	p->paused = true;
}

static void
go_on_reading(struct peer *p)
{
	if (p->paused && event_add(p->readable, NULL) == 0)
		p->paused = false;
}

static void
readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;
	ssize_t n;

	(void)what;
	if (p->state == PEER_WRITING || p->resuming ||
	    (p->state == PEER_HANDLING &&
	    p->in.bytes >= PEER_SCRATCH_BYTES)) {
		/* More requests wait in the kernel for those before them. */
		pause_reading(p);
		return;
	}
	n = recv(fd, p->server->scratch, PEER_SCRATCH_BYTES, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0 && p->state == PEER_IDLE && p->in.bytes > 0) {
		/* It has sent all its requests, and waits for answers. */
		p->eof = true;
		pause_reading(p);
		peer_resume_later(p);
		return;
	}
	if (n == 0 && p->state == PEER_HANDLING && !p->exchange.is_wait) {
		/* What it asked is done, or will be: it gets its answer. */
		p->eof = true;
		pause_reading(p);
		return;
	}
	if (n <= 0) {	/* a client that waits for a message is gone too */
		peer_close(p);
		return;
	}
	p->busy++;
	p->turn_requests = 0;
	peer_take_new(p, p->server->scratch, (size_t)n);
	peer_leave(p);
}

/* The reply is out: the connection ends, or the next request's turn comes. */
static void
next_request(struct peer *p)
{
	p->state = PEER_IDLE;
	p->since_ms = p->server->now_ms;
	p->exchange.is_open = false;
	buf_fini(&p->head_kept);
	buf_fini(&p->body);
	if (p->close)
		peer_close(p);
	else if (p->in.bytes > 0 || p->eof)
		peer_resume_later(p);
	else
		go_on_reading(p);
}

void
peer_resume_later(struct peer *p)
{
	static const struct timeval next_turn;
	struct http_server *s = p->server;

	if (p->resuming)
		return;
	p->resuming = true;
	TAILQ_INSERT_TAIL(&s->resuming, p, resume_link);
	s->resuming_count++;
	/* Not event_active(): that would be this turn, before the sockets. */
	if (!event_pending(s->resume, EV_TIMEOUT, NULL))
		event_add(s->resume, &next_turn);
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
		p->turn_requests = 0;
		peer_take_kept(p);
		if (!p->dead && !p->resuming && p->state < PEER_HANDLING) {
			if (p->eof)
				peer_close(p);
			else
				go_on_reading(p);
		}
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
	p->server->unsent_bytes -= (size_t)n;
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
	p->server->unsent_bytes += p->unsent;
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

	bufferevent_getcb(p->bev, NULL, NULL, NULL, &evcon);
	p->fd = bufferevent_getfd(p->bev);
	if (evcon != NULL && mem_reserve_fill()) {
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
		if (p->in.bytes > 0)
			break;		/* its next request's turn is near */
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
		if (age_ms <= c->write_timeout_ms)
			break;
		unsent = evbuffer_get_length(p->out);
		if (unsent + PROGRESS_MIN_BYTES > p->unsent) {
			log_debug("http", "closed", "reason=\"the client does "
			    "not read its answer\" unsent=%zu", unsent);
			peer_close(p);
			break;
		}
		p->unsent = unsent;
		p->since_ms = s->now_ms;
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
