/*
 * The backend in this process's memory: the core, and a timer with each
 * lock.  Each op first lets what is due take effect, so that it sees the queue
 * as it is at its own instant.
 */
#include <stddef.h>
#include <string.h>

#include <event2/event.h>

#include "backend/local.h"
#include "backend/timers.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/id.h"
#include "base/mem.h"
#include "core/queue.h"
#include "core/registry.h"

/* Deadlines that one op, or one turn of the loop, lets take effect. */
#define EXPIRE_PER_OP	32
#define EXPIRE_PER_TURN	512
#define MAX_LOCKED	120000		/* of a queue, by default, as in SQS */
#define DRAIN_MIN_BYTES	(16 * 1024 * 1024)
#define SERVE_PER_TURN	512		/* waiting receives */
#define REAP_PER_TURN	5000		/* messages of purged queues */

/*
 * Have `expire` run by the core's next deadline.  It is the safety net under
 * the locks' own timers, and the only timer of what is not a lock.  Nothing is
 * done where it would run early: it then looks again.
 */
static void
expire_by(struct local *l, int64_t due_ns, int64_t now_ns)
{
	struct timeval tv;
	int64_t us;

	if (due_ns == INT64_MAX || due_ns >= l->expire_ns)
		return;
	us = due_ns > now_ns ? (due_ns - now_ns + 999) / 1000 : 0;
	tv.tv_sec = us / 1000000;
	tv.tv_usec = us % 1000000;
	if (event_add(l->expire, &tv) == 0)
		l->expire_ns = due_ns;
}

void
local_expire_soon(struct local *l)
{
	expire_by(l, 0, 0);
}

static void
due_cb(void *arg)
{
	local_expire_soon(arg);
}

static struct op *
op_of(struct waiter *w)
{
	return (struct op *)(void *)((char *)w -
	    offsetof(struct op, receive.waiter));
}

/*
 * Serve the first waiter of q.  False: nobody waits, nothing is there, or a
 * crowd of deadlines must be seen to first, and it goes on in a later turn.
 */
static bool
serve_one(struct local *l, struct queue *q, int64_t now_ns)
{
	struct waiter *w = queue_served_waiter(q);
	struct op_receive *r;
	enum wq_status st;

	if (w == NULL)
		return false;
	r = &op_of(w)->receive;
	st = queue_receive(q, r->max, r->max_bytes, r->lock_ms, now_ns,
	    r->out, &r->count);
	if (w->queue == NULL)		/* its time was over meanwhile */
		return true;
	if (st == WQ_OK && r->count == 0) {
		queue_serve_later(q);
		l->serve_later = true;
		local_expire_soon(l);
		return false;
	}
	queue_unwait(w);
	op_finish(&l->backend, op_of(w), st);
	return true;
}

static void
finish_timed_out(struct local *l)
{
	struct waiter *w;

	while ((w = registry_next_timed_out(l->registry)) != NULL)
		op_finish(&l->backend, op_of(w), WQ_OK);
}

/* Finish the receives that waited: those that can be served, and the rest. */
static void
serve(struct local *l, int64_t now_ns)
{
	size_t left = SERVE_PER_TURN;
	struct queue *q;

	while (left > 0 && !l->serve_later &&
	    (q = registry_next_served(l->registry)) != NULL) {
		while (left > 0 && serve_one(l, q, now_ns))
			left--;
		if (left == 0) {
			queue_serve_later(q);
			local_expire_soon(l);
		}
	}
	l->serve_later = false;
	/* Last: serving may see to deadlines of waits too. */
	finish_timed_out(l);
}

/*
 * While a large backlog is drained its memory goes back to the system; in the
 * steady state that would cost more than it gives.
 */
static void
watch_memory(struct local *l)
{
	uint64_t now = registry_memory_bytes(l->registry);
	bool drains = l->peak_bytes > DRAIN_MIN_BYTES &&
	    now < l->peak_bytes - l->peak_bytes / 16;

	if (now > l->peak_bytes || now < l->peak_bytes / 64)
		l->peak_bytes = now;
	if (drains != l->drains) {
		l->drains = drains;
		mem_give_back(drains);
	}
}

/* One slice for one op: others have the loop in between. */
static void
work(struct local *l, int64_t now_ns)
{
	struct op *op = TAILQ_FIRST(&l->working);
	enum wq_status st;

	if (op == NULL)
		return;
	TAILQ_REMOVE(&l->working, op, link);
	if (local_redrive_slice(l, op, now_ns, &st))
		op_finish(&l->backend, op, st);
	else
		TAILQ_INSERT_TAIL(&l->working, op, link);
	if (!TAILQ_EMPTY(&l->working))
		local_expire_soon(l);
}

static void
expire_cb(evutil_socket_t fd, short what, void *arg)
{
	struct local *l = arg;
	int64_t now_ns = clock_now_ns();

	(void)fd;
	(void)what;
	l->expire_ns = INT64_MAX;
	registry_expire(l->registry, now_ns, EXPIRE_PER_TURN);
	work(l, now_ns);
	serve(l, now_ns);
	if (registry_reap(l->registry, REAP_PER_TURN))
		local_expire_soon(l);
	expire_by(l, registry_next_due_ns(l->registry), now_ns);
	watch_memory(l);
}

static void
local_submit(struct backend *b, struct op *op)
{
	struct local *l = (struct local *)b;
	int64_t now_ns = clock_now_ns();
	enum wq_status st = WQ_UNSUPPORTED;

	registry_expire(l->registry, now_ns, EXPIRE_PER_OP);
	op->stage = STAGE_DONE;
	if (local_verbs[op->verb] != NULL)
		st = local_verbs[op->verb](l, op, now_ns);
	if (op->stage == STAGE_DONE)
		op_finish(b, op, st);
	serve(l, now_ns);
	expire_by(l, registry_next_due_ns(l->registry), now_ns);
	watch_memory(l);
}

static void
local_cancel(struct backend *b, struct op *op)
{
	/* What works is finished with its true result. */
	if (op->stage != STAGE_WAITS || op->receive.waiter.queue == NULL)
		return;
	queue_unwait(&op->receive.waiter);
	op_finish(b, op, WQ_CANCELED);
}

static void
local_end_waits(struct backend *b)
{
	struct local *l = (struct local *)b;

	l->no_waits = true;
	registry_end_waits(l->registry);
	serve(l, clock_now_ns());
}

static void
local_stop(struct backend *b, void (*stopped)(void *), void *arg)
{
	struct local *l = (struct local *)b;
	struct op *op;

	while ((op = TAILQ_FIRST(&l->working)) != NULL) {
		TAILQ_REMOVE(&l->working, op, link);
		redrive_end(&op->redrive);
		op_finish(b, op, WQ_OK);
	}
	stopped(arg);
}

static void
local_free(struct backend *b)
{
	struct local *l = (struct local *)b;

	if (l == NULL)
		return;
	registry_free(l->registry);
	timers_free(l->timers);
	if (l->expire != NULL)
		event_free(l->expire);
	backend_fini(b);
	mem_free(l);
}

static const struct backend_ops local_ops = {
	.name = "memory",
	.submit = local_submit,
	.cancel = local_cancel,
	.end_waits = local_end_waits,
	.stop = local_stop,
	.free = local_free,
};

struct backend *
local_new(struct event_base *base, const struct config *config)
{
	struct queue_settings defaults = {
		.lock_timeout_ms = config->lock_timeout_ms,
		.max_locked = MAX_LOCKED,
	};
	struct lock_timers timers;
	struct local *l;
	uint64_t seed;

	if ((l = mem_zalloc(sizeof(*l))) == NULL)
		return NULL;
	if (backend_init(&l->backend, &local_ops, base) == -1)
		goto fail;
	l->max_memory_bytes = (uint64_t)config->max_memory_bytes;
	l->auto_create = config->auto_create;
	TAILQ_INIT(&l->working);
	l->expire_ns = INT64_MAX;
	l->expire = evtimer_new(base, expire_cb, l);
	l->timers = timers_new(base, due_cb, l);
	if (l->expire == NULL || l->timers == NULL)
		goto fail;
	timers = timers_of_locks(l->timers);
	id_random(&seed, sizeof(seed));
	l->registry = registry_new(&defaults, &timers, seed);
	if (l->registry == NULL)
		goto fail;
	return &l->backend;
fail:
	local_free(&l->backend);
	return NULL;
}
