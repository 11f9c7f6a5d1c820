/*
 * Delays that change.  One that gets longer does so when its old end comes; of
 * those that get shorter the oldest are first, in slices.  Either way no
 * message of a queue is available before one that was pushed before it.
 */
#include "core/redelay.h"

#include <stddef.h>

#include "core/place.h"
#include "core/queue.h"
#include "core/state.h"

#define NS_PER_MS	INT64_C(1000000)
#define SLICE		20		/* messages with one deadline */

/* A standard queue may be told so, too, where it changes nothing. */
static bool
is_for_all(const struct queue *q)
{
	return q->fifo && q->settings.delay_for_all != 0;
}

static int64_t
end_ns(const struct message *m)
{
	return m->pushed_ns + m->queue->settings.delay_ms * NS_PER_MS;
}

/* Without room for it, m has its old end after a restart. */
static void
tell_end(struct message *m)
{
	struct registry *r = m->queue->registry;

	if (r->journal != NULL && journal_reserve(r, 1, 0))
		r->journal->delay(r->journal->arg, m);
}

/* m, which is delayed, is so until then. */
static void
set_end(struct message *m, int64_t due_ns)
{
	message_set_delay_end(m, due_ns);
	tell_end(m);
}

bool
message_redelay(struct message *m, int64_t due_ns)
{
	struct queue *q = m->queue;
	int64_t end = end_ns(m);

	if (!is_for_all(q) || end <= due_ns)
		return false;
	if (q->last_due_ns < end)
		q->last_due_ns = end;
	set_end(m, end);
	return true;
}

void
message_redelay_coming(struct message *m)
{
	const struct queue *q = m->queue;
	const struct hold *last = TAILQ_LAST(&q->delayed, hold_list);
	int64_t end = end_ns(m);

	if (!is_for_all(q))
		return;
	if (last != NULL && end < hold_due_ns(last))
		end = hold_due_ns(last);
	if (hold_due_ns(m->at.hold) <= end)
		return;
	m->at.hold->deadline.due_ns = end;
	tell_end(m);
}

static void
be_due(struct queue *q, int64_t due_ns)
{
	q->redelays = true;
	deadlines_add(&q->registry->deadlines, &q->redelay, DEADLINE_REDELAY,
	    due_ns, -1);
}

void
queue_redelay(struct queue *q, int64_t now_ns)
{
	queue_redelay_end(q);
	if (!is_for_all(q))
		return;
	/* Not now: what is due now has taken effect. */
	if (q->delayed_count > 0)
		be_due(q, now_ns + 1);
	else
		q->last_due_ns = 0;
}

void
queue_redelay_end(struct queue *q)
{
	if (q->redelays)
		deadlines_remove(&q->registry->deadlines, &q->redelay);
	q->redelays = false;
	message_unref(q->redelay_reached);
	q->redelay_reached = NULL;
}

/* Where the last slice left off; those before it are gone with it. */
static struct hold *
next_hold(const struct queue *q)
{
	struct message *m = q->redelay_reached;

	return m != NULL && m->queue == q && m->state == MESSAGE_DELAYED ?
	    m->at.hold : TAILQ_FIRST(&q->delayed);
}

void
queue_redelay_due(struct queue *q, int64_t due_ns)
{
	struct hold *h = next_hold(q);
	struct message *m = NULL;
	int64_t end;
	size_t n;

	for (n = 0; h != NULL && n < SLICE; n++) {
		m = h->message;
		h = TAILQ_NEXT(h, link);
		end = end_ns(m);
		if (end < due_ns)
			end = due_ns;
		if (hold_due_ns(m->at.hold) > end)
			set_end(m, end);
	}
	queue_redelay_end(q);
	if (h == NULL) {
		q->last_due_ns = m != NULL ? hold_due_ns(m->at.hold) : 0;
		return;
	}
	q->redelay_reached = message_ref(h->message);
	be_due(q, due_ns + 1);
}
