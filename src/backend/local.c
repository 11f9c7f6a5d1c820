/*
 * The backend in this process's memory: the core, and a timer with each
 * lock.  Each op first lets what is due take effect, so that it sees the queue
 * as it is at its own instant.
 */
#include <event2/event.h>

#include "backend/backend.h"
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

struct local {
	struct backend backend;		/* first */
	struct registry *registry;	/* owned */
	struct timers *timers;		/* owned */
	struct event *expire;		/* owned; runs the core's deadlines */
	int64_t expire_ns;		/* when it runs; INT64_MAX: not armed */
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

static void
expire_cb(evutil_socket_t fd, short what, void *arg)
{
	struct local *l = arg;
	int64_t now_ns = clock_now_ns();

	(void)fd;
	(void)what;
	l->expire_ns = INT64_MAX;
	registry_expire(l->registry, now_ns, EXPIRE_PER_TURN);
	expire_by(l, registry_next_due_ns(l->registry), now_ns);
}

static enum wq_status
local_push(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q = registry_find(l->registry, op->queue);
	struct op_push *push = &op->push;
	struct message **made, *one;
	enum wq_status st = WQ_NOMEM;
	size_t i, n = 0;

	if (q == NULL)
		return WQ_NO_QUEUE;
	made = push->count == 1 ? &one :
	    mem_alloc(push->count * sizeof(*made));
	if (made == NULL)
		return WQ_NOMEM;
	for (; n < push->count; n++) {
		push->bodies[n].id = id_new();
		made[n] = message_new(push->bodies[n].id, push->bodies[n].data,
		    push->bodies[n].bytes);
		if (made[n] == NULL)
			goto out;
	}
	for (i = 0; i < n; i++)
		queue_push(q, made[i], now_ns);
	n = 0;
	st = WQ_OK;
out:
	while (n > 0)
		message_unref(made[--n]);
	if (made != &one)
		mem_free(made);
	return st;
}

static enum wq_status
local_receive(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q = registry_find(l->registry, op->queue);
	struct op_receive *r = &op->receive;

	r->count = 0;
	if (q == NULL)
		return WQ_NO_QUEUE;
	return queue_receive(q, r->max, r->max_bytes, r->lock_ms, now_ns,
	    r->out, &r->count);
}

static enum wq_status
local_confirm(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q = registry_find(l->registry, op->queue);

	return q == NULL ? WQ_NO_QUEUE :
	    queue_confirm(q, &op->confirm, now_ns);
}

static enum wq_status
local_extend(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q = registry_find(l->registry, op->queue);

	return q == NULL ? WQ_NO_QUEUE : queue_extend(q, &op->extend, now_ns);
}

static enum wq_status
local_look(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q = registry_find(l->registry, op->queue);

	(void)now_ns;
	return q == NULL ? WQ_NO_QUEUE : queue_look(q, &op->look);
}

static enum wq_status
local_info(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q = registry_find(l->registry, op->queue);

	(void)now_ns;
	if (q == NULL)
		return WQ_NO_QUEUE;
	queue_info(q, &op->info);
	return WQ_OK;
}

static const verb_fn verbs[OP_VERBS] = {
	[OP_PUSH] = local_push,
	[OP_RECEIVE] = local_receive,
	[OP_CONFIRM] = local_confirm,
	[OP_EXTEND] = local_extend,
	[OP_LOOK] = local_look,
	[OP_INFO] = local_info,
};

static void
local_submit(struct backend *b, struct op *op)
{
	struct local *l = (struct local *)b;
	int64_t now_ns = clock_now_ns();
	enum wq_status st = WQ_UNSUPPORTED;

	registry_expire(l->registry, now_ns, EXPIRE_PER_OP);
	if (verbs[op->verb] != NULL)
		st = verbs[op->verb](l, op, now_ns);
	expire_by(l, registry_next_due_ns(l->registry), now_ns);
	op_finish(b, op, st);
}

static void
local_cancel(struct backend *b, struct op *op)
{
	/* Nothing waits here: each op was finished when it was submitted. */
	(void)b;
	(void)op;
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
	.stop = local_stop,
	.free = local_free,
};

struct backend *
local_new(struct event_base *base, const struct config *config)
{
	struct queue_settings defaults = {
		.lock_timeout_ms = config->lock_timeout_ms,
	};
	struct lock_timers timers;
	struct local *l;
	uint64_t seed;

	if ((l = mem_zalloc(sizeof(*l))) == NULL)
		return NULL;
	if (backend_init(&l->backend, &local_ops, base) == -1)
		goto fail;
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
