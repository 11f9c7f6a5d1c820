/*
 * The backend in this process's memory: the core, and a timer with each
 * lock.  Each op first lets what is due take effect, so that it sees the queue
 * as it is at its own instant.  Where that is a crowd, `expire` sees to it, a
 * share at each turn of the loop, and ops no longer do.
 */
#include <stddef.h>
#include <string.h>

#include <event2/event.h>

#include "backend/durable.h"
#include "backend/local.h"
#include "backend/push.h"
#include "backend/timers.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/outside.h"
#include "core/queue.h"
#include "core/recent.h"
#include "core/registry.h"
#include "store/store.h"

/* Deadlines that one op, or one turn of the loop, lets take effect. */
#define EXPIRE_PER_OP	32
#define EXPIRE_PER_TURN	512
#define DRAIN_MIN_BYTES	(16 * 1024 * 1024)
#define SERVE_PER_TURN	512		/* waiting receives */
#define MOMENT_NS	INT64_C(60000000000)	/* as SQS has it */
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

	if (due_ns == INT64_MAX || due_ns >= l->expire_ns)
		return;
	clock_timeval(due_ns - now_ns, &tv);
	/* 0: at once, which no other call can make sooner. */
	if (event_add(l->expire, &tv) == 0)
		l->expire_ns = due_ns > now_ns ? due_ns : 0;
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

/* Must the answer of op wait until what it did is on disk? */
static bool
must_be_kept(const struct local *l, const struct op *op)
{
	struct queue *q;

	switch (op->verb) {
	case OP_PUSH:
	case OP_CONFIRM:
	case OP_CONFIRM_MANY:
	case OP_EXTEND:
	case OP_CONFIGURE:
	case OP_DELETE:
	case OP_PURGE:
	case OP_PAUSE:
	case OP_REDRIVE:
	case OP_TASK_START:
	case OP_TASK_CANCEL:
		return true;
	case OP_RECEIVE:
		if (op->receive.count == 0)
			return false;
		/*
		 * In a FIFO queue nobody may see a message before it is on
		 * disk that the one before it was confirmed.
		 */
		q = registry_find(l->registry, op->queue);
		return l->sync_locks || (q != NULL && queue_is_fifo(q));
	case OP_RELEASE:
	case OP_LOOK:
	case OP_INFO:
	case OP_LIST:
	case OP_PEEK:
	case OP_BACKUP:
	case OP_TASK_LIST:
	case OP_VERBS:
		break;
	}
	return false;
}

/* The messages that op gives. */
static struct delivery *
deliveries_of(const struct op *op, size_t *count)
{
	*count = op->verb == OP_RECEIVE ? op->receive.count :
	    op->verb == OP_PEEK ? op->peek.count : op->verb == OP_LOOK;
	return op->verb == OP_RECEIVE ? op->receive.out :
	    op->verb == OP_PEEK ? op->peek.out :
	    (struct delivery *)(uintptr_t)&op->look.out;
}

bool
local_drop_missing(struct op *op)
{
	size_t i, n, left = 0;
	struct delivery *d = deliveries_of(op, &n);
	char id[ID_TEXT_BYTES];

	for (i = 0; i < n; i++) {
		if (message_body(d[i].message) != NULL) {
			d[left++] = d[i];
			continue;
		}
		id_format(&d[i].message->id, id);
		log_error("store", "a body cannot be read", "id=%.*s",
		    ID_TEXT_BYTES, id);
		message_unref(d[i].message);
		d[i].message = NULL;
	}
	if (op->verb == OP_RECEIVE)
		op->receive.count = left;
	else if (op->verb == OP_PEEK)
		op->peek.count = left;
	return left == n || left > 0;
}

void
local_undeliver(struct local *l, struct op *op)
{
	struct queue *q = registry_find(l->registry, op->queue);
	int64_t now_ns = clock_now_ns();
	size_t n;
	struct delivery *d = deliveries_of(op, &n);

	while (n-- > 0 && d[n].message != NULL) {
		if (op->verb == OP_RECEIVE && q != NULL)
			queue_release(q, &d[n], now_ns);
		message_unref(d[n].message);
		d[n].message = NULL;
	}
	if (op->verb == OP_RECEIVE)
		op->receive.count = 0;
	else if (op->verb == OP_PEEK)
		op->peek.count = 0;
}

/* Bodies that are on disk only are read.  WQ_NOMEM: nothing is given. */
static enum wq_status
fetch(struct local *l, struct op *op, bool *any)
{
	size_t n;
	const struct delivery *d = deliveries_of(op, &n);
	struct queue *q = op->verb == OP_RECEIVE ?
	    registry_find(l->registry, op->queue) : NULL;

	*any = false;
	if (n == 0 || durable_fetch(l->durable, q, d, n, any))
		return WQ_OK;
	local_undeliver(l, op);
	return WQ_NOMEM;
}

/* What op says is gone may be so in memory only: that answer waits too. */
static bool
is_told_gone(const struct op *op, enum wq_status st)
{
	return (op->verb == OP_CONFIRM && st == WQ_NO_MESSAGE) ||
	    (op->verb == OP_DELETE && st == WQ_NO_QUEUE);
}

/* op has done what it does in memory. */
static void
finish(struct local *l, struct op *op, enum wq_status st)
{
	bool any = false;

	if (l->durable != NULL && st == WQ_OK)
		st = fetch(l, op, &any);
	if (l->durable != NULL && (any || (must_be_kept(l, op) &&
	    (st == WQ_OK || is_told_gone(op, st))))) {
		op->status = st;
		op->stage = STAGE_COMMITS;
		if (durable_wait(l->durable, op))
			return;
		/* It changed nothing, and what it saw is kept. */
		if (op->verb == OP_PUSH)
			push_end(NULL, &op->push, true);
	}
	op_finish(&l->backend, op, st);
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
	st = local_receive_now(q, r, now_ns);
	if (w->queue == NULL)		/* its time was over meanwhile */
		return true;
	if (st == WQ_OK && r->count == 0) {
		queue_serve_later(q);
		l->serve_later = true;
		local_expire_soon(l);
		return false;
	}
	queue_unwait(w);
	finish(l, op_of(w), st);
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
 * While a large backlog is drained its memory goes back to the system at once;
 * in the steady state that would cost more than it gives.  So it would when
 * many locks end: each call for it may stop a virtual machine for milliseconds.
 */
static void
watch_memory(struct local *l)
{
	uint64_t now = registry_memory_bytes(l->registry) -
	    registry_hold_bytes(l->registry);
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
		finish(l, op, st);
	else
		TAILQ_INSERT_TAIL(&l->working, op, link);
	if (!TAILQ_EMPTY(&l->working))
		local_expire_soon(l);
}

/* The end of whatever may have changed something. */
static void
end_turn(struct local *l, int64_t now_ns)
{
	expire_by(l, registry_next_due_ns(l->registry), now_ns);
	watch_memory(l);
	if (l->durable != NULL)
		durable_turn(l->durable, now_ns);
}

void
local_serve(struct local *l)
{
	int64_t now_ns = clock_now_ns();

	serve(l, now_ns);
	if (registry_reap(l->registry, 0))
		local_expire_soon(l);
	end_turn(l, now_ns);
}

/*
 * What is due in this turn: as much as ops have made since the last one, so
 * that it does not fall behind them, and some more.
 */
static void
expire_share(struct local *l, int64_t now_ns)
{
	uint32_t made = registry_deadlines_made(l->registry);

	l->is_behind = registry_expire(l->registry, now_ns,
	    EXPIRE_PER_TURN + (made - l->deadlines_made));
	l->deadlines_made = made;
}

/* An op comes. */
static void
expire_first(struct local *l, int64_t now_ns)
{
	if (l->is_behind && l->expire_ns != INT64_MAX)
		return;
	l->is_behind = registry_expire(l->registry, now_ns, EXPIRE_PER_OP);
	l->deadlines_made = registry_deadlines_made(l->registry);
	if (l->is_behind)
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
	if (l->durable != NULL && !durable_is_open(l->durable))
		return;		/* what is due then was read in part only */
	expire_share(l, now_ns);
	work(l, now_ns);
	serve(l, now_ns);
	if ((l->durable == NULL || durable_has_room(l->durable)) &&
	    registry_reap(l->registry, REAP_PER_TURN))
		local_expire_soon(l);
	end_turn(l, now_ns);
}

/* Nothing was done; the results say so. */
static void
refuse(struct local *l, struct op *op, enum wq_status st)
{
	if (op->verb == OP_RECEIVE)
		op->receive.count = 0;
	else if (op->verb == OP_PEEK)
		op->peek.count = 0;
	else if (op->verb == OP_LIST)
		op->list.count = 0;
	op_finish(&l->backend, op, st);
}

static void
local_submit(struct backend *b, struct op *op)
{
	struct local *l = (struct local *)b;
	int64_t now_ns = clock_now_ns();
	enum wq_status st = WQ_UNSUPPORTED;

	op->stage = STAGE_DONE;
	if (l->durable != NULL &&
	    (st = durable_admits(l->durable, op)) != WQ_OK) {
		refuse(l, op, st);
		return;
	}
	expire_first(l, now_ns);
	st = WQ_UNSUPPORTED;
	if (local_verbs[op->verb] != NULL)
		st = local_verbs[op->verb](l, op, now_ns);
	if (op->stage == STAGE_DONE)
		finish(l, op, st);
	serve(l, now_ns);
	end_turn(l, now_ns);
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
kept_cb(void *arg)
{
	struct local *l = arg;

	backend_stopped(&l->backend, l->stopped, l->stopped_arg);
}

static void
local_stop(struct backend *b, void (*stopped)(void *), void *arg)
{
	struct local *l = (struct local *)b;
	struct op *op;

	while ((op = TAILQ_FIRST(&l->working)) != NULL) {
		TAILQ_REMOVE(&l->working, op, link);
		redrive_end(&op->redrive);
		finish(l, op, WQ_OK);
	}
	if (l->durable == NULL) {
		backend_stopped(b, stopped, arg);
		return;
	}
	l->stopped = stopped;
	l->stopped_arg = arg;
	durable_stop(l->durable, kept_cb, l);
}

static void
local_free(struct backend *b)
{
	struct local *l = (struct local *)b;

	if (l == NULL)
		return;
	durable_free(l->durable);
	l->durable = NULL;
	backend_flush(b);
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
		.max_locked = QUEUE_MAX_LOCKED,
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
	registry_set_ids(l->registry, id_new);
	registry_set_moment(l->registry, config->sqs_waits ? MOMENT_NS : 0);
	if (*config->data == '\0') {
		registry_make_root(l->registry, clock_now_ns());
		return &l->backend;
	}
	/* Bodies over it stay on disk: nothing is refused for it. */
	registry_set_cap(l->registry, l->max_memory_bytes);
	l->max_memory_bytes = 0;
	l->backend.durable = config->sync == STORE_SYNC_FULL ? "fsync" :
	    "write";
	l->sync_locks = config->sync_locks;
	l->durable = durable_new(l, base, config);
	if (l->durable != NULL)
		return &l->backend;
	local_free(&l->backend);
	return NULL;
fail:
	log_error("main", "start failed", "err=\"no memory\"");
	local_free(&l->backend);
	return NULL;
}
