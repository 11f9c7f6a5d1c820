/* The verbs of the local backend: from an op to the core and back. */
#include <string.h>

#include "backend/durable.h"
#include "backend/local.h"
#include "backend/push.h"
#include "core/attempt.h"
#include "core/queue.h"
#include "core/recent.h"
#include "core/registry.h"
#include "core/task.h"

#define REAP_PER_OP	1000		/* messages of purged queues */
#define REDRIVE_PER_TURN 1000		/* messages looked at */

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
    int64_t now_ns, bool *created)
{
	enum wq_status st = find(l, op, q);

	*created = false;
	if (st != WQ_NO_QUEUE || !l->auto_create || op->push.no_create)
		return st;
	return registry_make(l->registry, op->queue, q, now_ns, created);
}

void
local_unmake(struct local *l, const char *name)
{
	struct queue *q = registry_find(l->registry, name);

	/* Others may have come to use it; without memory it stays. */
	if (q != NULL && queue_is_unused(q) &&
	    queue_delete(q, false, 0) == WQ_OK)	/* changes no other */
		registry_reap(l->registry, 1);
}

static struct push_room
room_of(const struct local *l)
{
	uint64_t max = l->max_memory_bytes != 0 ? l->max_memory_bytes :
	    UINT64_MAX;
	uint64_t used = registry_memory_bytes(l->registry);
	struct push_room room = { max, used < max ? max - used : 0 };

	return room;
}

static enum wq_status
local_push(struct local *l, struct op *op, int64_t now_ns)
{
	struct push_room room = room_of(l);
	struct queue *q;
	bool created;
	enum wq_status st = queue_for_push(l, op, &q, now_ns, &created);

	if (st != WQ_OK)
		return st;
	op->push.created = created;
	st = push_begin(q, &op->push, &room, now_ns);
	if (st == WQ_OK && l->durable == NULL)
		push_end(q, &op->push, true);
	else if (st != WQ_OK && created)
		local_unmake(l, op->queue);
	return st;
}

enum wq_status
local_receive_now(struct queue *q, struct op_receive *r, int64_t now_ns)
{
	enum wq_status st;

	r->count = 0;
	r->over_limit = false;
	if (attempt_again(q, r, now_ns))
		return WQ_OK;
	st = queue_receive(q, r->max, r->max_bytes, r->lock_ms, now_ns,
	    r->out, &r->count);
	attempt_keep(q, r, now_ns);
	r->over_limit = st == WQ_OK && r->count == 0 && queue_is_at_limit(q);
	return st;
}

static enum wq_status
local_receive(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);
	struct op_receive *r = &op->receive;

	r->count = 0;
	r->over_limit = false;
	r->waiter.queue = NULL;
	if (st != WQ_OK)
		return st;
	if (r->wait_ms < 0)
		r->wait_ms = queue_settings(q)->wait_ms;
	st = local_receive_now(q, r, now_ns);
	if (st == WQ_OK && r->count == 0 && r->wait_ms > 0 && !l->no_waits) {
		queue_wait(q, &r->waiter, r->wait_ms, now_ns);
		op->stage = STAGE_WAITS;
	}
	return st;
}

static enum wq_status
local_release(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);
	size_t i;

	if (st != WQ_OK)
		return st;
	/* Each goes before those that are available for as long. */
	for (i = op->release.count; i-- > 0; )
		queue_release(q, &op->release.deliveries[i], now_ns);
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
	struct queue *target = NULL;
	enum wq_status st = WQ_OK;

	(void)now_ns;
	op->list.count = 0;
	if (op->list.sources)
		st = find(l, op, &target);
	if (st == WQ_OK)
		registry_list(l->registry, &op->list, target);
	return st;
}

static enum wq_status
local_configure(struct local *l, struct op *op, int64_t now_ns)
{
	struct op_configure *c = &op->configure;
	struct queue *q;
	enum wq_status st;

	memset(&c->now, 0, sizeof(c->now));
	c->created = false;
	if (c->only_new && recent_find(l->registry, op->queue))
		return WQ_RECENT;
	st = c->must_exist ? find(l, op, &q) :
	    registry_make(l->registry, op->queue, &q, now_ns, &c->created);
	if (st != WQ_OK)
		return st;
	if (c->only_new && !c->created) {
		queue_tell(q, c);
		return WQ_OK;
	}
	if ((st = queue_configure(q, c, l->auto_create, now_ns)) != WQ_OK &&
	    c->created)
		local_unmake(l, op->queue);
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

bool
local_redrive_slice(struct local *l, struct op *op, int64_t now_ns,
    enum wq_status *st)
{
	struct op_redrive *r = &op->redrive;
	struct queue *q = registry_find(l->registry, op->queue);
	struct queue *to = NULL;

	*st = WQ_NO_QUEUE;
	if (q == NULL || (r->to != NULL &&
	    (to = registry_find(l->registry, r->to)) == NULL)) {
		redrive_end(r);
		return true;
	}
	*st = WQ_OK;
	return queue_redrive(q, r, to, now_ns, REDRIVE_PER_TURN);
}

static enum wq_status
local_redrive(struct local *l, struct op *op, int64_t now_ns)
{
	struct op_redrive *r = &op->redrive;
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	r->moved = 0;
	r->began_ns = now_ns;
	r->reached = NULL;
	if (st != WQ_OK)
		return st;
	if (r->to != NULL && registry_find(l->registry, r->to) == NULL)
		return queue_name_is_valid(r->to) ? WQ_NO_QUEUE : WQ_BAD_NAME;
	if (!local_redrive_slice(l, op, now_ns, &st)) {
		TAILQ_INSERT_TAIL(&l->working, op, link);
		op->stage = STAGE_WORKS;
		local_expire_soon(l);
	}
	return st;
}

/* A small queue is freed at once, a large one in slices. */
static enum wq_status
reap(struct local *l, enum wq_status st)
{
	if (st == WQ_OK && registry_reap(l->registry, REAP_PER_OP))
		local_expire_soon(l);
	return st;
}

static enum wq_status
local_delete(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	if (st == WQ_OK &&
	    (st = queue_delete(q, op->delete.even_target, now_ns)) == WQ_OK)
		recent_add(l->registry, op->queue, now_ns);
	return reap(l, st);
}

static enum wq_status
local_purge(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	(void)now_ns;
	return st != WQ_OK ? st : reap(l, queue_purge(q, now_ns));
}

static enum wq_status
local_pause(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	(void)now_ns;
	return st != WQ_OK ? st : queue_pause(q, op->pause.pause);
}

static enum wq_status
local_backup(struct local *l, struct op *op, int64_t now_ns)
{
	(void)now_ns;
	if (l->durable == NULL)
		return WQ_UNSUPPORTED;
	op->stage = STAGE_COMMITS;
	durable_copy(l->durable, op);
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

static enum wq_status
local_task_start(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	return st != WQ_OK ? st : task_start(q, &op->task_start, now_ns);
}

static enum wq_status
local_task_cancel(struct local *l, struct op *op, int64_t now_ns)
{
	(void)now_ns;
	return task_cancel(l->registry, &op->task_cancel);
}

static enum wq_status
local_task_list(struct local *l, struct op *op, int64_t now_ns)
{
	struct queue *q;
	enum wq_status st = find(l, op, &q);

	(void)now_ns;
	op->task_list.count = 0;
	if (st == WQ_OK)
		tasks_list(q, &op->task_list);
	return st;
}

const local_verb_fn local_verbs[OP_VERBS] = {
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
	[OP_BACKUP] = local_backup,
	[OP_TASK_START] = local_task_start,
	[OP_TASK_CANCEL] = local_task_cancel,
	[OP_TASK_LIST] = local_task_list,
};
