/*
 * A step of the model test that ends the process and starts it again.  The
 * model hardly knows it: all that lasts is as before.  What does not, it
 * forgets: who waits, and the order of what is due, or has been available,
 * since one and the same instant, where that is not told.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "verbs.h"

#define MS	1000000

/* What a message's hold is by, among those that end at one instant. */
static int64_t
kept_order(const struct naive_message *m)
{
	return m->state == MESSAGE_LOCKED ? m->kept_order : 0;
}

/* Delays of a FIFO queue keep the order of its messages. */
static int64_t
hold_key(const struct naive_message *m)
{
	return m->state == MESSAGE_DELAYED && naive.queues[m->queue].fifo ?
	    m->place_ns : m->hold.due_ns;
}

static int
compare_holds(const void *a, const void *b)
{
	const struct naive_message *m = *(struct naive_message *const *)a;
	const struct naive_message *n = *(struct naive_message *const *)b;

	if (hold_key(m) != hold_key(n))
		return hold_key(m) < hold_key(n) ? -1 : 1;
	if (kept_order(m) != kept_order(n))
		return kept_order(m) < kept_order(n) ? -1 : 1;
	return m->place_ns < n->place_ns ? -1 : 1;
}

static int
compare_places(const void *a, const void *b)
{
	const struct naive_message *m = *(struct naive_message *const *)a;
	const struct naive_message *n = *(struct naive_message *const *)b;

	return m->place_ns < n->place_ns ? -1 : 1;
}

static void
restart_message(struct naive_message *m)
{
	if (m->state != MESSAGE_AVAILABLE) {
		m->available_ns = 0;	/* when it was last, is not told */
		return;
	}
	m->line_order = m->kept_order;
	if (!naive.queues[m->queue].fifo)
		m->returned = m->available_ns != m->place_ns;
}

void
naive_restart(void)
{
	static struct naive_message *all[MESSAGES_MAX];
	struct naive_queue *q;
	size_t i;

	for (i = 0; i < naive.count; i++) {
		all[i] = &naive.messages[i];
		restart_message(all[i]);
	}
	for (q = naive.queues; q < naive.queues + QUEUES; q++) {
		q->waiter_count = 0;
		q->last_due_ns = 0;
	}
	naive.timed_out_count = 0;
	qsort(all, naive.count, sizeof(all[0]), compare_places);
	for (i = 0; i < naive.count; i++)
		all[i]->ttl.order = ++naive.order;
	naive.stamp_ns = naive.count > 0 ? all[naive.count - 1]->place_ns : 0;
	qsort(all, naive.count, sizeof(all[0]), compare_holds);
	for (i = 0; i < naive.count; i++) {
		all[i]->hold_order = all[i]->hold.order = ++naive.order;
		q = &naive.queues[all[i]->queue];
		if (all[i]->state == MESSAGE_DELAYED && q->fifo &&
		    q->last_due_ns < all[i]->hold.due_ns)
			q->last_due_ns = all[i]->hold.due_ns;
	}
}

void
do_restart(bool in_crowd)
{
	size_t i;

	release_all_refs();
	forget_waits();
	core_restart(&naive.defaults, next_random(), now_ns);
	/* A stamp is unique, though its message is gone: time has passed. */
	if (now_ns <= naive.stamp_ns)
		now_ns = naive.stamp_ns + 1;
	naive_restart();
	if (chance(4))
		now_ns += (int64_t)below(2000) * MS;
	/* Delays are looked at after a start, some each nanosecond. */
	now_ns += MESSAGES_MAX;
	happened(in_crowd ? RESTARTED_IN_CROWD : RESTARTED);
	for (i = 0; i < QUEUES; i++)
		if (naive.queues[i].exists)
			check_counts((int)i);
	for (i = 0; i < naive.count; i++)
		check_look(&naive.messages[i]);
}
