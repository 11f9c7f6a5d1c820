/*
 * A message that was never received, moved or delayed goes to its line at once,
 * for they come in the order of their pushes; so does any of a FIFO queue that
 * is not locked or delayed.  All others wait until they can be sorted by the
 * instant from which, or until which, they are where they are.
 */
#include "core/recover.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/dedup.h"
#include "core/group.h"
#include "core/outside.h"
#include "core/place.h"
#include "core/queue.h"
#include "core/redelay.h"
#include "core/state.h"
#include "core/task.h"

#define PLACES_MIN	1024

struct recovered_place {
	struct message *message;	/* borrowed: the index has it */
	int64_t at_ns;			/* they are put in the order of it */
	int64_t order;			/* of those at one instant */
	int64_t since_ns;		/* available since, or due */
	enum { PLACE_LINE, PLACE_LOCK, PLACE_DELAY } kind;
	bool back;
	int64_t received_ns;
};

struct recovered_id {
	int64_t number;
	struct queue *queue;		/* borrowed */
	UT_hash_handle hh;
};

struct recovery {
	struct registry *registry;	/* borrowed */
	struct recovered_id *queues;	/* owned; uthash by number */
	struct recovered_place *place;	/* owned */
	size_t count, room, done;
	int64_t settled_ns;	/* the latest that any queue knows of */
	bool sorted;
};

struct recovery *
recovery_new(struct registry *r)
{
	struct recovery *rec = mem_zalloc(sizeof(*rec));

	if (rec != NULL)
		rec->registry = r;
	return rec;
}

void
recovery_free(struct recovery *rec)
{
	struct recovered_id *q, *next;

	if (rec == NULL)
		return;
	/* Without memory some have no place yet: no queue would free them. */
	for (; rec->done < rec->count; rec->done++)
		message_gone(rec->place[rec->done].message);
	HASH_ITER(hh, rec->queues, q, next) {
		HASH_DEL(rec->queues, q);
		mem_free(q);
	}
	mem_free(rec->place);
	mem_free(rec);
}

static struct recovered_id *
find(const struct recovery *rec, int64_t number)
{
	struct recovered_id *q;

	HASH_FIND(hh, rec->queues, &number, sizeof(number), q);
	return q;
}

/* No new queue may have the number of one that left something. */
static struct recovered_id *
find_or_skip(struct recovery *rec, int64_t number)
{
	struct recovered_id *id = find(rec, number);

	if (id == NULL && rec->registry->last_number < number)
		rec->registry->last_number = number;
	return id;
}

static enum wq_status
add_id(struct recovery *rec, int64_t number, struct queue *q)
{
	struct recovered_id *id = mem_zalloc(sizeof(*id));

	if (id == NULL)
		return WQ_NOMEM;
	id->number = number;
	id->queue = q;
	HASH_ADD(hh, rec->queues, number, sizeof(id->number), id);
	if (id->hh.tbl != NULL)		/* HASH_NONFATAL_OOM */
		return WQ_OK;
	mem_free(id);
	return WQ_NOMEM;
}

enum wq_status
recover_queue(struct recovery *rec, const struct recovered_queue *in)
{
	struct registry *r = rec->registry;
	struct queue *q;
	int i;

	/* The default queue is there already. */
	q = registry_find(r, in->name);
	if (q == NULL && (q = queue_new(r, in->name, &in->settings)) == NULL)
		return WQ_NOMEM;
	for (i = 0; i < QUEUE_TEXTS; i++)
		if (in->text[i] != NULL &&
		    (q->text[i] = shared_new(in->text[i])) == NULL)
			return WQ_NOMEM;
	q->created_ns = in->created_ns;
	q->changed_ns = in->changed_ns;
	q->settings = in->settings;
	q->paused = in->paused;
	q->totals = in->totals;
	q->number = in->number;
	q->keys_number = in->keys_number;
	q->recovered = true;
	if (r->last_number < in->number)
		r->last_number = in->number;
	if (rec->settled_ns < in->settled_ns)
		rec->settled_ns = in->settled_ns;
	if (in->keys_number != in->number &&
	    add_id(rec, in->keys_number, q) != WQ_OK)
		return WQ_NOMEM;
	return add_id(rec, in->number, q);
}

enum wq_status
recover_target(struct recovery *rec, int64_t number, const char *name)
{
	struct recovered_id *id = find(rec, number);
	struct queue *target = registry_find(rec->registry, name);

	if (id == NULL || target == NULL)
		return WQ_NO_QUEUE;
	queue_set_target(id->queue, target);
	return WQ_OK;
}

enum wq_status
recover_task(struct recovery *rec, const struct recovered_task *in)
{
	struct registry *r = rec->registry;

	if (r->stamp_ns < in->seq)
		r->stamp_ns = in->seq;
	return task_recover(r, in);
}

enum wq_status
recover_dedup(struct recovery *rec, int64_t number,
    const uint8_t key[DIGEST_BYTES], const struct id *first,
    int64_t pushed_ns, int64_t until_ns)
{
	struct recovered_id *id = find_or_skip(rec, number);

	return id == NULL ? WQ_NO_QUEUE : queue_restore_dedup(id->queue, key,
	    first, pushed_ns, until_ns);
}

static enum wq_status
restore_extra(struct message *m, struct queue *q,
    const struct recovered_message *in)
{
	size_t bytes = in->dead_queue != NULL ? strlen(in->dead_queue) + 1 : 0;
	struct message_extra *extra;

	if (in->lock_ms < 0 && in->ttl_ns == 0 && in->group == NULL &&
	    in->dead_queue == NULL && in->first_pushed_ns == 0 && !q->fifo)
		return WQ_OK;
	if ((extra = message_extra_get(m)) == NULL)
		return WQ_NOMEM;
	extra->lock_ms = in->lock_ms;
	extra->first_pushed_ns = in->first_pushed_ns;
	if ((in->group != NULL || q->fifo) && (extra->group = group_get(q,
	    in->group != NULL ? in->group : "", in->group_bytes)) == NULL)
		return WQ_NOMEM;
	if (in->dead_queue == NULL)
		return WQ_OK;
	if ((extra->dead = mem_alloc(sizeof(*extra->dead) + bytes)) == NULL)
		return WQ_NOMEM;
	extra->dead->receives = in->dead_receives;
	extra->dead->receipt = in->dead_receipt;
	extra->dead->reason = in->dead_reason;
	memcpy(extra->dead->queue, in->dead_queue, bytes);
	return WQ_OK;
}

static enum wq_status
place_later(struct recovery *rec, const struct recovered_place *place)
{
	size_t room = rec->room > 0 ? 2 * rec->room : PLACES_MIN;
	struct recovered_place *grown;

	if (rec->count == rec->room) {
		grown = mem_realloc(rec->place, room * sizeof(*grown));
		if (grown == NULL)
			return WQ_NOMEM;
		rec->place = grown;
		rec->room = room;
	}
	rec->place[rec->count++] = *place;
	return WQ_OK;
}

/* Where m belongs: by its lock, by where it was moved, by its delay. */
static struct recovered_place
place_of(struct message *m, const struct recovered_message *in,
    int64_t settled_ns)
{
	struct recovered_place p = { .message = m, .at_ns = in->seq };

	if (in->lock.given) {
		p.at_ns = in->lock.until_ns;
		p.order = in->lock.order;
		p.kind = p.order >= 0 && p.at_ns > settled_ns ? PLACE_LOCK :
		    PLACE_LINE;
		p.back = in->lock.back;
		p.received_ns = in->lock.received_ns;
	} else if (in->available_ns != 0) {
		p.at_ns = in->available_ns;
		p.order = in->order;
	} else if (in->delay_ns != 0) {
		p.at_ns = in->delay_ns;
		p.kind = p.at_ns > settled_ns ? PLACE_DELAY : PLACE_LINE;
	}
	p.since_ns = p.at_ns;
	return p;
}

/*
 * Where it is not known, which is so of databases of version 1, the end of the
 * lock is near enough, but what has been.
 */
static int64_t
first_received(const struct recovered_message *in, int64_t settled_ns)
{
	const struct recovered_lock *lock = &in->lock;
	int64_t end_ns = lock->until_ns < settled_ns ? lock->until_ns :
	    settled_ns;

	if (lock->first_received_ns != 0)
		return lock->first_received_ns;
	if (lock->received_ns != 0)
		return lock->received_ns;
	return end_ns > in->seq ? end_ns : in->seq;
}

static enum wq_status
restore_place(struct recovery *rec, struct message *m,
    const struct recovered_message *in)
{
	struct recovered_place p = place_of(m, in, rec->settled_ns);
	struct queue *q = m->queue;

	if (p.kind == PLACE_DELAY && q->fifo) {
		if (q->last_due_ns < p.since_ns)
			q->last_due_ns = p.since_ns;
		/* Ends that change may be in another order; see redelay.c. */
		p.at_ns = in->seq;
	}
	if (p.kind != PLACE_LINE || (p.at_ns != in->seq && !q->fifo))
		return place_later(rec, &p);
	message_to_line(m, q->fifo, p.since_ns);
	return WQ_OK;
}

enum wq_status
recover_message(struct recovery *rec, const struct recovered_message *in)
{
	struct registry *r = rec->registry;
	struct recovered_id *id = find_or_skip(rec, in->queue);
	struct message_extra *extra;
	struct message *m;

	/* Not what was purged, though the keys of that time are kept. */
	if (id == NULL || id->queue->number != in->queue)
		return WQ_NO_QUEUE;
	m = in->body != NULL ? message_new(in->id, in->body, in->body_bytes) :
	    message_new_outside(in->id, in->body_bytes);
	if (m == NULL)
		return WQ_NOMEM;
	m->text = in->text;
	if (message_set_attributes(m, in->attributes, in->attributes_bytes) !=
	    WQ_OK || restore_extra(m, id->queue, in) != WQ_OK) {
		message_unref(m);
		return WQ_NOMEM;
	}
	m->queue = id->queue;
	m->pushed_ns = in->seq;
	m->receives = in->lock.receives;
	m->receipt = in->lock.receipt;
	if (m->receives > 0)
		message_set_first_received(m, first_received(in,
		    rec->settled_ns));
	if (r->stamp_ns < in->seq)
		r->stamp_ns = in->seq;
	index_insert(&r->index, m);
	id->queue->body_bytes += m->body_bytes;
	r->memory_bytes += message_bytes(m);
	if (in->ttl_ns != 0) {
		extra = message_extra(m);
		extra->has_ttl = true;
		deadlines_add(&r->deadlines, &extra->ttl, DEADLINE_TTL,
		    in->ttl_ns, in->ttl_ns - in->seq);
	}
	if (restore_place(rec, m, in) == WQ_OK)
		return WQ_OK;
	message_gone(m);
	return WQ_NOMEM;
}

static int
place_compare(const void *a, const void *b)
{
	const struct recovered_place *p = a, *q = b;

	if (p->at_ns != q->at_ns)
		return p->at_ns < q->at_ns ? -1 : 1;
	if (p->order != q->order)
		return p->order < q->order ? -1 : 1;
	return p->message->pushed_ns < q->message->pushed_ns ? -1 : 1;
}

static enum wq_status
put(struct registry *r, const struct recovered_place *p)
{
	struct hold *h;

	if (p->kind == PLACE_LINE) {
		message_to_line(p->message, true, p->since_ns);
		return WQ_OK;
	}
	h = mem_zalloc(sizeof(*h) + (p->kind == PLACE_LOCK ?
	    r->timers.timer_bytes : 0));
	if (h == NULL)
		return WQ_NOMEM;
	if (p->kind == PLACE_LOCK)
		message_restore_lock(p->message, h, p->since_ns, p->received_ns,
		    p->back);
	else {
		h->deadline.due_ns = p->since_ns;
		p->message->at.hold = h;
		message_to_delay(p->message);
	}
	return WQ_OK;
}

enum wq_status
recover_places(struct recovery *rec, size_t max, bool *more)
{
	struct queue *q, *next;

	if (!rec->sorted && rec->count > 0)
		qsort(rec->place, rec->count, sizeof(*rec->place),
		    place_compare);
	rec->sorted = true;
	for (; max > 0 && rec->done < rec->count; max--, rec->done++)
		if (put(rec->registry, &rec->place[rec->done]) != WQ_OK)
			return WQ_NOMEM;
	*more = rec->done < rec->count;
	/* A change of delays may have been half done. */
	if (!*more)
		HASH_ITER(hh, rec->registry->queues, q, next)
			queue_redelay(q, rec->settled_ns);
	return WQ_OK;
}
