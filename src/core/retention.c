/*
 * Messages older than their queue keeps them.
 *
 * Most messages are plain: no group, never received.  They are in the order of
 * their push in one list, so one deadline of the queue, that of the first, does
 * for all, and none of them needs memory for it.  Those in groups, and those
 * that were received, delayed or moved, are in another order: each has a
 * deadline of its own, in the place of its ttl's; one that has a ttl is seen to
 * when it would be given out.
 */
#include "core/retention.h"

#include <stddef.h>

#include "core/place.h"
#include "core/queue.h"
#include "core/state.h"
#include "core/walk.h"

#define NS_PER_MS	INT64_C(1000000)
#define SLICE		20		/* messages with one deadline */

/* When m's time is over; 0: never. */
static int64_t
end_ns(const struct message *m)
{
	int64_t ms = m->queue->settings.retention_ms;

	return ms > 0 ? m->pushed_ns + ms * NS_PER_MS : 0;
}

bool
message_is_over(const struct message *m, int64_t at_ns)
{
	int64_t end = end_ns(m);

	return end != 0 && end <= at_ns;
}

void
message_expire(struct message *m)
{
	struct registry *r = m->queue->registry;

	m->queue->totals.timed_out++;
	queue_touch(m->queue);
	/* Without room for it the message only goes again after a restart. */
	if (r->journal != NULL && journal_reserve(r, 1, 0))
		r->journal->gone(r->journal->arg, m);
	message_gone(m);
}

static void
be_due(struct queue *q, int64_t due_ns)
{
	struct deadlines *d = &q->registry->deadlines;

	if (q->retains && q->retention.due_ns <= due_ns)
		return;
	if (q->retains)
		deadlines_remove(d, &q->retention);
	q->retains = true;
	deadlines_add(d, &q->retention, DEADLINE_QUEUE_RETENTION, due_ns,
	    q->settings.retention_ms * NS_PER_MS);
}

/* m has no deadline of its own for it any more. */
static void
let_go(struct message *m)
{
	struct message_extra *extra = message_extra(m);

	if (extra == NULL || !extra->has_ttl ||
	    extra->ttl.kind != DEADLINE_RETENTION)
		return;
	deadlines_remove(&m->queue->registry->deadlines, &extra->ttl);
	extra->has_ttl = false;
}

void
message_retain(struct message *m)
{
	struct message_extra *extra = message_extra(m);
	struct queue *q = m->queue;
	int64_t end = end_ns(m);

	let_go(m);	/* of what was before it was locked, or a change */
	if (end == 0)
		return;
	/* Without memory it is seen to when it would be given out. */
	if (extra == NULL && m->returned &&
	    (extra = message_extra_get(m)) == NULL)
		return;
	if (extra == NULL)
		be_due(q, end);
	else if (!extra->has_ttl) {
		extra->has_ttl = true;
		/* Not before it came, or what is settled would go back. */
		if (end < m->available_ns)
			end = m->available_ns;
		deadlines_add(&q->registry->deadlines, &extra->ttl,
		    DEADLINE_RETENTION, end,
		    q->settings.retention_ms * NS_PER_MS);
	}
}

/* As its queue's retention is now. */
static void
look_again(struct message *m, int64_t at_ns)
{
	if (m->state != MESSAGE_AVAILABLE)
		let_go(m);	/* it is looked at when that ends */
	else if (message_is_over(m, at_ns))
		message_expire(m);
	else
		message_retain(m);
}

void
message_retention_due(struct message_extra *extra, int64_t due_ns)
{
	look_again(extra->message, due_ns);
}

/*
 * After a change all of q is looked at, in slices.  True: there is more.  Where
 * the one that is to be next has moved on, it begins anew: to look at one twice
 * changes nothing.
 */
static bool
walk_slice(struct queue *q, int64_t at_ns)
{
	struct message *m = q->retention_reached, *next;
	struct walk w;
	size_t n;

	if (m != NULL && m->queue == q && m->state == MESSAGE_AVAILABLE)
		walk_after(&w, m);
	else {
		walk_begin(&w, q, MESSAGE_AVAILABLE);
		m = walk_next(&w);
	}
	message_unref(q->retention_reached);
	for (n = 0; m != NULL && n < SLICE; n++, m = next) {
		next = walk_next(&w);	/* m, and its group, may go */
		look_again(m, at_ns);
	}
	q->retention_reached = m != NULL ? message_ref(m) : NULL;
	return m != NULL;
}

void
queue_retention_due(struct queue *q, int64_t due_ns)
{
	struct message *m;
	size_t n;

	deadlines_remove(&q->registry->deadlines, &q->retention);
	q->retains = false;
	if (q->retention_walks) {
		q->retention_walks = walk_slice(q, due_ns);
		if (q->retention_walks) {
			/* Others have their turn in between. */
			be_due(q, due_ns + 1);
			return;
		}
	}
	for (n = 0; (m = TAILQ_FIRST(&q->line.fresh)) != NULL && n < SLICE &&
	    message_is_over(m, due_ns); n++)
		message_expire(m);
	if (m != NULL && end_ns(m) != 0)
		be_due(q, end_ns(m) > due_ns ? end_ns(m) : due_ns + 1);
}

void
queue_retain(struct queue *q, int64_t now_ns)
{
	queue_retain_nothing(q);
	q->retention_walks = true;
	/* Not now: what is due now has taken effect. */
	be_due(q, now_ns + 1);
}

void
queue_retain_nothing(struct queue *q)
{
	if (q->retains)
		deadlines_remove(&q->registry->deadlines, &q->retention);
	q->retains = q->retention_walks = false;
	message_unref(q->retention_reached);
	q->retention_reached = NULL;
}
