/*
 * The backend in this process's memory: the core, and a timer with each
 * lock.  Each op first lets what is due take effect, so that it sees the queue
 * as it is at its own instant.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include <event2/event.h>

#include "backend/backend.h"
#include "backend/push.h"
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

struct local {
	struct backend backend;		/* first */
	struct registry *registry;	/* owned */
	struct timers *timers;		/* owned */
	struct event *expire;		/* owned; runs the core's deadlines */
	int64_t expire_ns;		/* when it runs; INT64_MAX: not armed */
	uint64_t max_memory_bytes;	/* 0: no limit */
	bool auto_create;
	bool no_waits;			/* the end is near */
	uint64_t peak_bytes;		/* of all messages, since empty */
	bool drains;			/* below it */
	bool serve_later;		/* no more of it in this turn */
};

typedef enum wq_status (*verb_fn)(struct local *, struct op *, int64_t now_ns);

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

static void
expire_soon(void *arg)
{
	struct local *l = arg;

	expire_by(l, 0, 0);
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
		expire_soon(l);
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
			expire_soon(l);
		}
	}
	l->serve_later = false;
	/* Last: serving may see to deadlines of waits too. */
	finish_timed_out(l);
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
	serve(l, now_ns);
	expire_by(l, registry_next_due_ns(l->registry), now_ns);
}

/* The queue that op names.  WQ_NO_QUEUE, WQ_BAD_NAME. */
static enum wq_status
find(struct local *l, const struct op *op, struct queue **q)
{
	*q = registry_find(l->registry, op->queue);
	if (*q != NULL)
		return WQ_OK;
	return queue_name_is_valid(op->queue) ? WQ_NO_QUEUE : WQ_BAD_NAME;
}

static enum wq_status
queue_for_push(struct local *l, struct op *op, struct queue **q,
    bool *created)
{
	enum wq_status st = find(l, op, q);

	*created = false;
	if (st != WQ_NO_QUEUE || !l->auto_create)
		return st;
	return registry_make(l->registry, op->queue, q, created);
}

/* A queue that was made for what then failed is gone again. */
static void
unmake(struct queue *q)
{
	enum wq_status st = queue_delete(q);

	assert(st == WQ_OK);
	(void)st;
}

/* The bytes of messages that may come yet. */
static uint64_t
room_for(const struct local *l)
{
	uint64_t used = registry_memory_bytes(l->registry);

	if (l->max_memory_bytes == 0)
		return UINT64_MAX;
	return used < l->max_memory_bytes ? l->max_memory_bytes - used : 0;
}

static enum wq_status
local_push(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	bool created;
	enum wq_status st = queue_for_push(l, op, &q, &created);

	if (st != WQ_OK)
		return st;
	if ((st = push_to(q, &op->push, room_for(l), now_ns)) != WQ_OK && created)
		unmake(q);
	return st;
}

static enum wq_status
local_receive(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);
	struct op_receive *r = &op->receive;

	r->count = 0;
	r->waiter.queue = NULL;
	if (st != WQ_OK)
		return st;
	st = queue_receive(q, r->max, r->max_bytes, r->lock_ms, now_ns,
	    r->out, &r->count);
	if (st == WQ_OK && r->count == 0 && r->wait_ms > 0 && !l->no_waits)
		queue_wait(q, &r->waiter, r->wait_ms, now_ns);
	return st;
}

static enum wq_status
local_release(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);
	size_t i;

	(void)now_ns;
	if (st != WQ_OK)
		return st;
	for (i = 0; i < op->release.count; i++)
		queue_release(q, &op->release.deliveries[i]);
	return WQ_OK;
}

static enum wq_status
local_confirm_many(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);
	struct op_confirm_many *many = &op->confirm_many;
	struct op_confirm c;
	size_t i;

	if (st != WQ_OK)
		return st;
	memset(&c, 0, sizeof(c));
	for (i = 0; i < many->count; i++) {
		c.id = many->ids[i];
		many->confirmed[i] = queue_confirm(q, &c, now_ns) == WQ_OK;
	}
	return WQ_OK;
}

static enum wq_status
local_list(struct local *l, struct op *op, int64_t now_ns)
{
	(void)now_ns;
	registry_list(l->registry, &op->list);
	return WQ_OK;
}

static enum wq_status
local_configure(struct local *l, struct op *op, int64_t now_ns)
{
	struct op_configure *c = &op->configure;
	struct queue *q;
	enum wq_status st;

	(void)now_ns;
	st = registry_make(l->registry, op->queue, &q, &c->created);
	if (st != WQ_OK)
		return st;
	if ((st = queue_configure(q, c)) != WQ_OK && c->created)
		unmake(q);
	return st;
}

static enum wq_status
local_peek(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	(void)now_ns;
	op->peek.count = 0;
	return st != WQ_OK ? st : queue_peek(q, &op->peek);
}

static enum wq_status
local_redrive(struct local *l, struct op *op, int64_t now_ns)
{
	struct op_redrive *r = &op->redrive;
	struct queue *q, *to = NULL;
	enum wq_status st = find(l, op, &q);

	r->moved = 0;
	if (st != WQ_OK)
		return st;
	if (r->to != NULL && (to = registry_find(l->registry, r->to)) == NULL)
		return queue_name_is_valid(r->to) ? WQ_NO_QUEUE : WQ_BAD_NAME;
	queue_redrive(q, r, to, now_ns);
	return WQ_OK;
}

static enum wq_status
local_delete(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	(void)now_ns;
	return st != WQ_OK ? st : queue_delete(q);
}

static enum wq_status
local_purge(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	(void)now_ns;
	if (st != WQ_OK)
		return st;
	queue_purge(q);
	return WQ_OK;
}

static enum wq_status
local_pause(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	(void)now_ns;
	if (st != WQ_OK)
		return st;
	queue_pause(q, op->pause.pause);
	return WQ_OK;
}

static enum wq_status
local_confirm(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	return st != WQ_OK ? st :
	    queue_confirm(q, &op->confirm, now_ns);
}

static enum wq_status
local_extend(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	return st != WQ_OK ? st : queue_extend(q, &op->extend, now_ns);
}

static enum wq_status
local_look(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	(void)now_ns;
	return st != WQ_OK ? st : queue_look(q, &op->look);
}

static enum wq_status
local_info(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	(void)now_ns;
	if (st != WQ_OK)
		return st;
	queue_info(q, &op->info);
	return WQ_OK;
}

static const verb_fn verbs[OP_VERBS] = {
	[OP_PUSH] = local_push,
	[OP_RECEIVE] = local_receive,
	[OP_RELEASE] = local_release,
	[OP_CONFIRM] = local_confirm,
	[OP_CONFIRM_MANY] = local_confirm_many,
	[OP_EXTEND] = local_extend,
	[OP_LOOK] = local_look,
	[OP_INFO] = local_info,
	[OP_LIST] = local_list,
	[OP_CONFIGURE] = local_configure,
	[OP_DELETE] = local_delete,
	[OP_PURGE] = local_purge,
	[OP_PAUSE] = local_pause,
	[OP_PEEK] = local_peek,
	[OP_REDRIVE] = local_redrive,
};

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

	if (now > l->peak_bytes || now == 0)
		l->peak_bytes = now;
	if (drains != l->drains) {
		l->drains = drains;
		mem_give_back(drains);
	}
}

static void
local_submit(struct backend *b, struct op *op)
{
	struct local *l = (struct local *)b;
	int64_t now_ns = clock_now_ns();
	enum wq_status st = WQ_UNSUPPORTED;

	registry_expire(l->registry, now_ns, EXPIRE_PER_OP);
	if (verbs[op->verb] != NULL)
		st = verbs[op->verb](l, op, now_ns);
	if (op->verb != OP_RECEIVE || op->receive.waiter.queue == NULL)
		op_finish(b, op, st);
	serve(l, now_ns);
	expire_by(l, registry_next_due_ns(l->registry), now_ns);
	watch_memory(l);
}

static void
local_cancel(struct backend *b, struct op *op)
{
	/* Only receives wait; all else was finished when it was submitted. */
	if (op->verb != OP_RECEIVE || op->receive.waiter.queue == NULL)
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
	(void)b;
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
	l->expire_ns = INT64_MAX;
	l->expire = evtimer_new(base, expire_cb, l);
	l->timers = timers_new(base, expire_soon, l);
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
