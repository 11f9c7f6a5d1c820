/* Reading what was kept. */
#include "backend/restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/journal.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/outside.h"
#include "core/recover.h"
#include "core/registry.h"
#include "store/store.h"

#define ORPHANS_MIN	256

/* Which queue's dead letters go where; set when all queues are there. */
struct target {
	int64_t number;
	char name[QUEUE_NAME_BYTES];
};

struct restore {
	struct registry *registry;	/* borrowed */
	struct recovery *recovery;	/* owned */
	struct target *target;		/* owned */
	size_t target_count, target_room;
	bool targets_set;
	int64_t *orphan;		/* owned; seqs */
	size_t orphan_count, orphan_room;
	size_t count;
	int64_t last_ns;
	int64_t order;
};

struct restore *
restore_new(struct registry *registry)
{
	struct restore *r = mem_zalloc(sizeof(*r));

	if (r == NULL)
		return NULL;
	r->registry = registry;
	if ((r->recovery = recovery_new(registry)) != NULL)
		return r;
	restore_free(r);
	return NULL;
}

void
restore_free(struct restore *r)
{
	if (r == NULL)
		return;
	recovery_free(r->recovery);
	mem_free(r->target);
	mem_free(r->orphan);
	mem_free(r);
}

/* Room for one more; -1: no memory. */
static int
grow(void *array, size_t count, size_t *room, size_t item_bytes)
{
	size_t more = *room > 0 ? 2 * *room : ORPHANS_MIN;
	void *old, *grown;

	if (count < *room)
		return 0;
	memcpy(&old, array, sizeof(old));
	if ((grown = mem_realloc(old, more * item_bytes)) == NULL)
		return -1;
	memcpy(array, &grown, sizeof(grown));
	*room = more;
	return 0;
}

static void
see(struct restore *r, int64_t at_ns)
{
	if (r->last_ns < at_ns)
		r->last_ns = at_ns;
}

static void
see_order(struct restore *r, int64_t order)
{
	if (order < 0)
		order = -order;
	if (r->order < order)
		r->order = order;
}

/* A text as the core wants it; NULL for none.  It must fit. */
static const char *
copy_text(struct store_row_text t, char *to, size_t room)
{
	if (t.data == NULL || t.bytes >= room)
		return NULL;
	memcpy(to, t.data, t.bytes);
	to[t.bytes] = '\0';
	return to;
}

/* The texts of a queue, in memory that is the caller's; NULL: there is none. */
static char *
copy_texts(const struct store_row *row, const char *out[QUEUE_TEXTS])
{
	size_t bytes = 1;
	char *memory, *to;
	int i;

	for (i = 0; i < STORE_QUEUE_TEXTS; i++)
		bytes += row->text[i].bytes + 1;
	if ((memory = to = mem_alloc(bytes)) == NULL)
		return NULL;
	for (i = 0; i < STORE_QUEUE_TEXTS; i++) {
		out[i] = copy_text(row->text[i], to, row->text[i].bytes + 1);
		to += row->text[i].bytes + 1;
	}
	return memory;
}

static enum wq_status
read_queue(void *arg, const struct store_row *row)
{
	struct restore *r = arg;
	struct recovered_queue q = { .number = row->queue,
	    .keys_number = row->of_queue.keys,
	    .paused = row->of_queue.paused,
	    .created_ns = row->of_queue.created_ns,
	    .changed_ns = row->of_queue.changed_ns,
	    .settled_ns = row->totals.settled_ns };
	char name[QUEUE_NAME_BYTES], *texts = NULL;
	struct target *t;
	enum wq_status st;

	memcpy(&q.settings, row->of_queue.setting, sizeof(q.settings));
	memcpy(&q.totals, row->totals.total, sizeof(q.totals));
	see(r, row->totals.settled_ns);
	if ((q.name = copy_text(row->name, name, sizeof(name))) == NULL ||
	    !queue_name_is_valid(name))
		return WQ_BAD_ROW;
	if (row->dead_queue.data != NULL) {
		if (grow(&r->target, r->target_count, &r->target_room,
		    sizeof(*t)) == -1)
			return WQ_NOMEM;
		t = &r->target[r->target_count++];
		t->number = row->queue;
		if (copy_text(row->dead_queue, t->name, sizeof(t->name)) ==
		    NULL)
			return WQ_BAD_ROW;
	}
	if ((texts = copy_texts(row, q.text)) == NULL)
		return WQ_NOMEM;
	st = recover_queue(r->recovery, &q);
	mem_free(texts);
	return st;
}

/* Before the first that is no queue. */
static enum wq_status
set_targets(struct restore *r)
{
	enum wq_status st = WQ_OK;
	size_t i;

	if (r->targets_set)
		return WQ_OK;
	r->targets_set = true;
	for (i = 0; i < r->target_count && st == WQ_OK; i++)
		st = recover_target(r->recovery, r->target[i].number,
		    r->target[i].name);
	return st == WQ_NO_QUEUE ? WQ_BAD_ROW : st;
}

static enum wq_status
read_task(void *arg, const struct store_row *row)
{
	struct restore *r = arg;
	struct recovered_task t = { .seq = row->seq,
	    .info = { .id = row->task.id,
	    .state = (enum task_state)row->task.state,
	    .rate = row->task.rate,
	    .moved = (uint64_t)row->task.moved,
	    .to_move = (uint64_t)row->task.to_move,
	    .started_ns = row->task.started_ns,
	    .failure = row->task.state == TASK_FAILED ? WQ_NO_QUEUE : WQ_OK },
	    .now_ns = clock_now_ns() };
	char source[QUEUE_NAME_BYTES];
	enum wq_status st = set_targets(r);

	if (st != WQ_OK)
		return st;
	t.source = copy_text(row->source, source, sizeof(source));
	if (t.source == NULL || t.info.rate < 0 ||
	    row->task.state < TASK_RUNNING || row->task.state > TASK_FAILED ||
	    (row->to.data != NULL &&
	    copy_text(row->to, t.info.to, sizeof(t.info.to)) == NULL))
		return WQ_BAD_ROW;
	see(r, row->seq);
	return recover_task(r->recovery, &t);
}

static enum wq_status
read_key(void *arg, const struct store_row *row)
{
	struct restore *r = arg;
	enum wq_status st = set_targets(r);

	if (st != WQ_OK)
		return st;
	st = recover_dedup(r->recovery, row->queue, row->key.key,
	    &row->key.id, row->seq, row->key.until_ns);
	/* Its queue was deleted: it goes when its time is over. */
	return st == WQ_NO_QUEUE ? WQ_OK : st;
}

static void
fill(struct recovered_message *m, const struct store_row *row)
{
	m->seq = row->seq;
	m->queue = row->queue;
	m->id = row->push.id;
	m->body = row->push.body;
	m->body_bytes = row->push.body_bytes;
	m->available_ns = row->move.available_ns;
	m->order = row->move.order;
	m->delay_ns = row->push.delay_ns;
	m->ttl_ns = row->push.ttl_ns;
	m->lock_ms = row->push.lock_ms;
	m->group = row->group.data;
	m->group_bytes = row->group.bytes;
	m->text = row->push.text;
	m->attributes = row->attributes.data;
	m->attributes_bytes = row->attributes.bytes;
	m->dead_receives = row->move.dead_receives;
	m->dead_receipt = row->move.dead_receipt;
	m->dead_reason = (enum dead_reason)row->move.dead_reason;
	m->first_pushed_ns = row->move.first_pushed_ns;
	m->lock.given = row->locked;
	m->lock.back = row->lock.back;
	m->lock.until_ns = row->lock.until_ns;
	m->lock.order = row->lock.order;
	m->lock.receives = row->lock.receives;
	m->lock.receipt = row->lock.receipt;
	m->lock.received_ns = row->lock.received_ns;
	m->lock.first_received_ns = row->lock.first_received_ns;
}

static enum wq_status
read_message(void *arg, const struct store_row *row)
{
	struct restore *r = arg;
	struct recovered_message m;
	char dead_queue[QUEUE_NAME_BYTES];
	enum wq_status st = set_targets(r);

	if (st != WQ_OK)
		return st;
	memset(&m, 0, sizeof(m));
	fill(&m, row);
	m.dead_queue = copy_text(row->dead_queue, dead_queue,
	    sizeof(dead_queue));
	see(r, m.seq);
	see(r, m.available_ns);
	see_order(r, m.order);
	see_order(r, m.lock.order);
	r->count++;
	st = recover_message(r->recovery, &m);
	if (st != WQ_NO_QUEUE)
		return st;
	r->count--;
	if (grow(&r->orphan, r->orphan_count, &r->orphan_room,
	    sizeof(*r->orphan)) == -1)
		return WQ_NOMEM;
	r->orphan[r->orphan_count++] = m.seq;
	return WQ_OK;
}

static bool
wants_bodies(void *arg)
{
	struct restore *r = arg;

	return !registry_is_over_cap(r->registry);
}

int
restore_read(struct restore *r, struct store *store, int max, bool *more,
    char *error)
{
	const struct store_reader reader = { .queue = read_queue,
	    .task = read_task, .key = read_key, .message = read_message,
	    .wants_bodies = wants_bodies, .arg = r };

	if (store_read(store, &reader, max, more, error) == -1)
		return -1;
	if (*more || set_targets(r) == WQ_OK)
		return 0;
	snprintf(error, STORE_ERROR_BYTES, "a dead-letter queue is missing");
	return -1;
}

int
restore_places(struct restore *r, size_t max, bool *more, char *error)
{
	if (recover_places(r->recovery, max, more) == WQ_OK)
		return 0;
	snprintf(error, STORE_ERROR_BYTES, "no memory for all that is kept");
	return -1;
}

bool
restore_drop_orphans(struct restore *r, struct records *records, size_t max)
{
	for (; max > 0 && r->orphan_count > 0; max--)
		if (!records_orphan(records, r->orphan[--r->orphan_count]))
			r->orphan_count = 0;	/* the next start sees them */
	return r->orphan_count > 0;
}

size_t
restore_count(const struct restore *r)
{
	return r->count;
}

int64_t
restore_last_ns(const struct restore *r)
{
	return r->last_ns;
}

int64_t
restore_order(const struct restore *r)
{
	return r->order;
}
