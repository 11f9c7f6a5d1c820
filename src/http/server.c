/*
 * The server: its listeners, when it accepts and when not, the sweep that
 * closes the slow, and the drain.
 */
#include "http/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/listener.h"
#include "http/peer.h"
#include "http/state.h"

#define SWEEP_PER_TURN	1024
#define TICK_MAX_MS	1000
#define TICK_MIN_MS	10
#define REPLY_RESERVE_BYTES	8192
#define STARVED_MS	200		/* pause when descriptors ran out */

/* Small answers must not want for memory once their op has taken effect. */
void
server_reserve(struct buf *b)
{
	buf_fini(b);
	buf_reserve(b, REPLY_RESERVE_BYTES);
}

static void
set_timer(struct event *ev, int64_t ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	event_add(ev, &tv);
}

/* Accept while there is room, descriptors and no end in sight. */
static void
update_accepting(struct http_server *s)
{
	bool on = !s->full && !s->starved && !s->draining;
	struct listener *l;

	TAILQ_FOREACH(l, &s->listeners, link)
		listener_enable(l, on);
}

void
server_peer_came(struct http_server *s)
{
	s->peer_count++;
	if (!s->full &&
	    s->peer_count >= (size_t)s->config->max_connections) {
		s->full = true;
		log_warn("http", "full", "connections=%zu "
		    "hint=\"others wait; see max-connections\"",
		    s->peer_count);
		update_accepting(s);
	}
}

static void
drained(struct http_server *s)
{
	void (*call)(void *) = s->drained;

	s->drained = NULL;
	event_del(s->drain_end);
	call(s->drained_arg);
}

void
server_peer_left(struct http_server *s)
{
	s->peer_count--;
	if (s->full || s->starved) {
		s->full = s->starved = false;
		update_accepting(s);
	}
	if (s->draining && s->peer_count == 0 && s->drained != NULL)
		drained(s);
}

static void
set_date(struct http_server *s)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(s->date, sizeof(s->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static void
sweep_cb(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;

	(void)fd;
	(void)what;
	if (s->sweep_left == 0) {
		s->now_ms = clock_now_ns() / CLOCK_NS_PER_MS;
		s->sweep_left = s->peer_count;
		set_date(s);
		if (!mem_reserve_fill())
			server_starved(s, ENOMEM);
		else if (s->starved) {
			s->starved = false;
			update_accepting(s);
		}
	}
	peer_sweep(s, SWEEP_PER_TURN);
	set_timer(s->sweep, s->sweep_left > 0 ? 0 : s->tick_ms);
}

/* accept(2) failed: without a pause the loop would spin on it. */
void
server_starved(struct http_server *s, int err)
{
	if (!s->starved)
		log_warn("http", "accept failed", "err=\"%s\" connections=%zu",
		    strerror(err), s->peer_count);
	s->starved = true;
	update_accepting(s);
	if (s->sweep_left == 0)
		set_timer(s->sweep, s->tick_ms < STARVED_MS ? s->tick_ms :
		    STARVED_MS);
}

static void
drain_end_cb(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	struct peer *p, *next;

	(void)fd;
	(void)what;
	log_warn("http", "drain ended", "unfinished=%zu", s->peer_count);
	for (p = TAILQ_FIRST(&s->peers); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		peer_close(p);
	}
}

void
http_server_drain(struct http_server *s, void (*call)(void *), void *arg)
{
	struct peer *p, *next;

	s->draining = true;
	s->drained = call;
	s->drained_arg = arg;
	listeners_close(s);
	set_timer(s->drain_end, s->config->drain_timeout_ms);
	for (p = TAILQ_FIRST(&s->peers); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		/* One with a request that came already is served, and told. */
		if (p->state == PEER_IDLE && p->in.bytes == 0)
			peer_close(p);
	}
	if (s->peer_count == 0 && s->drained != NULL)
		drained(s);
}

static int64_t
min_ms(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct http_server *
http_server_new(struct event_base *base, const struct config *config,
    const struct http_route *routes, void *arg)
{
	struct http_server *s;

	if ((s = mem_zalloc(sizeof(*s))) == NULL)
		return NULL;
	s->base = base;
	s->config = config;
	s->routes = routes;
	s->arg = arg;
	s->large_max_bytes = config->max_body_bytes;
	TAILQ_INIT(&s->listeners);
	TAILQ_INIT(&s->fresh);
	TAILQ_INIT(&s->peers);
	TAILQ_INIT(&s->resuming);
	lingers_init(&s->lingers, base);
	s->tick_ms = min_ms(config->idle_timeout_ms, min_ms(
	    config->request_timeout_ms, config->write_timeout_ms)) / 4;
	s->tick_ms = s->tick_ms > TICK_MAX_MS ? TICK_MAX_MS :
	    s->tick_ms < TICK_MIN_MS ? TICK_MIN_MS : s->tick_ms;
	s->now_ms = clock_now_ns() / CLOCK_NS_PER_MS;
	set_date(s);
	server_reserve(&s->out);
	server_reserve(&s->head);
	server_reserve(&s->extra);
	s->greet = event_new(base, -1, 0, peer_greet_cb, s);
	s->resume = evtimer_new(base, peer_resume_cb, s);
	s->scratch = mem_alloc(PEER_SCRATCH_BYTES);
	s->sweep = evtimer_new(base, sweep_cb, s);
	s->drain_end = evtimer_new(base, drain_end_cb, s);
	s->http = evhttp_new(base);
	if (s->greet == NULL || s->resume == NULL || s->sweep == NULL ||
	    s->drain_end == NULL || s->http == NULL || s->scratch == NULL ||
	    s->out.failed || s->head.failed || s->extra.failed) {
		http_server_free(s);
		return NULL;
	}
	evhttp_set_bevcb(s->http, peer_accept_cb, s);
	set_timer(s->sweep, s->tick_ms);
	return s;
}

void
http_server_take_large(struct http_server *s, int64_t max_bytes,
    bool (*is_large)(const struct guard_head *, struct text head))
{
	if (max_bytes <= s->large_max_bytes)
		return;
	s->large_max_bytes = max_bytes;
	s->is_large = is_large;
}

void
http_server_free(struct http_server *s)
{
	if (s == NULL)
		return;
	s->drained = NULL;
	s->draining = true;
	if (s->http != NULL) {
		listeners_close(s);
		/* Those that were accepted in this very turn, too. */
		peer_greet_cb(-1, 0, s);
		evhttp_free(s->http);
	}
	lingers_fini(&s->lingers);
	if (s->greet != NULL)
		event_free(s->greet);
	if (s->resume != NULL)
		event_free(s->resume);
	if (s->sweep != NULL)
		event_free(s->sweep);
	if (s->drain_end != NULL)
		event_free(s->drain_end);
	buf_fini(&s->out);
	buf_fini(&s->head);
	buf_fini(&s->extra);
	mem_free(s->scratch);
	mem_free(s);
}

int
http_server_listen(struct http_server *s)
{
	return listeners_open(s);
}
