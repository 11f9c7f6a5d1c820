/*
 * Where messages are.
 * Invariants: a message is in exactly one of its line, locked and delayed, as
 * its state says; the counts are the lengths of these; a locked or delayed one
 * has a hold whose deadline is in the registry; every message of a queue is in
 * the registry's index.  queue_check() proves them in tests.
 */
#include "core/place.h"

#include <assert.h>
#include <stddef.h>

#include "base/mem.h"
#include "core/group.h"
#include "core/retention.h"
#include "core/state.h"

#define NS_PER_MS	INT64_C(1000000)
#define RESTORED_NS	INT64_C(-2)	/* a lane of deadlines for them */

void
line_init(struct line *line)
{
	TAILQ_INIT(&line->fresh);
	TAILQ_INIT(&line->returned);
}

struct message *
line_first(const struct line *line)
{
	struct message *fresh = TAILQ_FIRST(&line->fresh);
	struct message *returned = TAILQ_FIRST(&line->returned);

	if (fresh == NULL || returned == NULL)
		return fresh != NULL ? fresh : returned;
	return fresh->available_ns < returned->available_ns ? fresh : returned;
}

static struct message_list *
list_of(const struct message *m)
{
	struct group *g = message_group_of(m);
	struct line *line = g != NULL ? &g->line : &m->queue->line;

	return m->returned ? &line->returned : &line->fresh;
}

void
queue_be_hungry(struct queue *q)
{
	if (q->hungry || q->paused || q->available_count == 0 ||
	    TAILQ_EMPTY(&q->waiters))
		return;
	q->hungry = true;
	TAILQ_INSERT_TAIL(&q->registry->hungry, q, list_link);
}

/* Of a lock, or of a delay. */
static uint64_t
hold_bytes(const struct registry *r, int kind)
{
	return sizeof(struct hold) + THING_OVERHEAD_BYTES +
	    (kind == DEADLINE_LOCK ? r->timers.timer_bytes : 0);
}

static void
hold_free(struct queue *q, struct hold *h)
{
	struct lock_timers *t = &q->registry->timers;

	deadlines_remove(&q->registry->deadlines, &h->deadline);
	if (h->deadline.kind == DEADLINE_LOCK && t->disarm != NULL)
		t->disarm(t->arg, h);
	q->registry->hold_bytes -= hold_bytes(q->registry, h->deadline.kind);
	mem_free(h);
}

void
message_leave(struct message *m)
{
	struct group *g = message_group_of(m);
	struct queue *q = m->queue;
	struct hold *h;

	switch ((enum message_state)m->state) {
	case MESSAGE_AVAILABLE:
		TAILQ_REMOVE(list_of(m), m, at.line);
		q->available_count--;
		break;
	case MESSAGE_LOCKED:
		h = m->at.hold;
		TAILQ_REMOVE(&q->locked, h, link);
		q->locked_count--;
		if (g != NULL) {
			TAILQ_REMOVE(&g->locked, h, group_link);
			g->locked_count--;
		}
		hold_free(q, h);
		/* Its group, or max_locked, has room again. */
		queue_be_hungry(q);
		break;
	case MESSAGE_DELAYED:
		h = m->at.hold;
		TAILQ_REMOVE(&q->delayed, h, link);
		q->delayed_count--;
		hold_free(q, h);
		break;
	case MESSAGE_NEW:
	case MESSAGE_GONE:
		return;
	}
	m->state = MESSAGE_NEW;		/* for whoever puts it elsewhere */
	m->at.hold = NULL;
	if (g != NULL)
		group_update(g);
}

/* In the order of its list, which m goes to: before those available as long. */
static bool
is_before(const struct message *a, const struct message *m)
{
	return m->queue->fifo ? a->pushed_ns < m->pushed_ns :
	    a->available_ns < m->available_ns;
}

/* Its place is near one of the ends, so it is looked for from both. */
static void
insert_in_order(struct message *m)
{
	struct message_list *list = list_of(m);
	struct message *behind = TAILQ_FIRST(list);
	struct message *before = TAILQ_LAST(list, message_list);

	while (before != NULL && !is_before(before, m) &&
	    is_before(behind, m)) {
		behind = TAILQ_NEXT(behind, at.line);
		before = TAILQ_PREV(before, message_list, at.line);
	}
	if (before == NULL)
		TAILQ_INSERT_HEAD(list, m, at.line);
	else if (is_before(before, m))
		TAILQ_INSERT_AFTER(list, before, m, at.line);
	else
		TAILQ_INSERT_BEFORE(behind, m, at.line);
}

static void
be_available(struct message *m)
{
	struct group *g = message_group_of(m);

	m->state = MESSAGE_AVAILABLE;
	m->queue->available_count++;
	if (g != NULL)
		group_update(g);
	message_retain(m);
	queue_be_hungry(m->queue);
}

void
message_to_line(struct message *m, bool returned, int64_t available_ns)
{
	struct message_list *list;
	const struct message *last;

	message_leave(m);
	m->available_ns = available_ns;
	/* In a FIFO queue it goes back to its own place. */
	m->returned = returned && !m->queue->fifo;
	list = list_of(m);
	last = TAILQ_LAST(list, message_list);
	/* A delay may be over before its message arrives. */
	if (m->queue->fifo ||
	    (last != NULL && last->available_ns > available_ns))
		insert_in_order(m);
	else
		TAILQ_INSERT_TAIL(list, m, at.line);
	be_available(m);
}

void
message_to_front(struct message *m)
{
	message_leave(m);
	insert_in_order(m);
	be_available(m);
}

static void
set_lock(struct message *m, int64_t due_ns, int64_t duration_ns)
{
	struct queue *q = m->queue;
	struct registry *r = q->registry;
	struct hold *h = m->at.hold;
	bool usual = duration_ns == q->settings.lock_timeout_ms * NS_PER_MS;

	deadlines_add(&r->deadlines, &h->deadline, DEADLINE_LOCK, due_ns,
	    duration_ns);
	if (r->timers.arm != NULL)
		r->timers.arm(r->timers.arg, h, due_ns,
		    usual ? duration_ns : -1);
}

static void
be_locked(struct message *m, struct hold *h, int64_t due_ns,
    int64_t duration_ns)
{
	struct group *g = message_group_of(m);
	struct queue *q = m->queue;

	m->state = MESSAGE_LOCKED;
	m->at.hold = h;
	h->message = m;
	h->taken_ns = due_ns;
	TAILQ_INSERT_TAIL(&q->locked, h, link);
	q->locked_count++;
	q->registry->hold_bytes += hold_bytes(q->registry, DEADLINE_LOCK);
	if (g != NULL) {
		TAILQ_INSERT_TAIL(&g->locked, h, group_link);
		g->locked_count++;
		group_update(g);
	}
	set_lock(m, due_ns, duration_ns);
}

void
message_to_lock(struct message *m, struct hold *h, int64_t now_ns,
    int64_t duration_ns)
{
	message_leave(m);
	h->received_ns = now_ns;
	be_locked(m, h, now_ns + duration_ns, duration_ns);
}

void
message_restore_lock(struct message *m, struct hold *h, int64_t until_ns,
    int64_t received_ns, bool given_back)
{
	h->received_ns = received_ns;
	be_locked(m, h, until_ns, RESTORED_NS);
	h->given_back = given_back;
}

void
message_set_lock_end(struct message *m, int64_t now_ns, int64_t duration_ns)
{
	deadlines_remove(&m->queue->registry->deadlines,
	    &m->at.hold->deadline);
	set_lock(m, now_ns + duration_ns, duration_ns);
}

void
message_to_delay(struct message *m)
{
	struct queue *q = m->queue;
	struct hold *h = m->at.hold;
	int64_t due_ns = h->deadline.due_ns;

	assert(m->state == MESSAGE_NEW);
	m->state = MESSAGE_DELAYED;
	h->message = m;
	TAILQ_INSERT_TAIL(&q->delayed, h, link);
	q->delayed_count++;
	q->registry->hold_bytes += hold_bytes(q->registry, DEADLINE_DELAY);
	deadlines_add(&q->registry->deadlines, &h->deadline, DEADLINE_DELAY,
	    due_ns, due_ns - m->pushed_ns);
}

void
message_set_delay_end(struct message *m, int64_t due_ns)
{
	struct registry *r = m->queue->registry;
	struct hold *h = m->at.hold;

	assert(m->state == MESSAGE_DELAYED);
	deadlines_remove(&r->deadlines, &h->deadline);
	deadlines_add(&r->deadlines, &h->deadline, DEADLINE_DELAY, due_ns,
	    due_ns - m->pushed_ns);
}

uint64_t
message_bytes(const struct message *m)
{
	const struct message_extra *extra = message_extra(m);

	return (message_body(m) != NULL ? m->body_bytes : 0) +
	    MESSAGE_OVERHEAD_BYTES + (extra != NULL ?
	    sizeof(*extra) + extra->attributes_bytes +
	    THING_OVERHEAD_BYTES : 0);
}

void
message_gone(struct message *m)
{
	struct queue *q = m->queue;
	struct registry *r = q->registry;
	struct message_extra *extra = message_extra(m);

	message_leave(m);
	if (extra != NULL && extra->has_ttl)
		deadlines_remove(&r->deadlines, &extra->ttl);
	index_remove(&r->index, m);
	q->body_bytes -= m->body_bytes;
	r->memory_bytes -= message_bytes(m);
	m->state = MESSAGE_GONE;
	m->queue = NULL;
	message_unref(m);
}
