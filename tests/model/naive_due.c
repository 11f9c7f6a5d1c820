/* What falls due in the model: locks, delays, ttls, ages, keys and waits. */
#include "naive.h"

#include <stdlib.h>

#include "model.h"

#define MS		INT64_C(1000000)
#define REDELAYS	20

static struct naive_queue *
queue_of(const struct naive_message *m)
{
	return &naive.queues[m->queue];
}

bool
naive_retains(int queue)
{
	return naive.queues[queue].settings.retention_ms > 0;
}

/* When m is older than its queue keeps messages; 0: never. */
static int64_t
retention_end(const struct naive_message *m)
{
	return naive_retains(m->queue) ? m->place_ns +
	    queue_of(m)->settings.retention_ms * MS : 0;
}

/* What is locked or delayed goes when that ends. */
static struct naive_deadline
retention(const struct naive_message *m)
{
	struct naive_deadline d = { retention_end(m), INT64_MAX };

	if (d.due_ns != 0 && d.due_ns < m->available_ns)
		d.due_ns = m->available_ns;
	if (m->state != MESSAGE_AVAILABLE)
		d.due_ns = 0;
	return d;
}

bool
naive_goes_old(struct naive_message *m, int64_t at_ns)
{
	int64_t end_ns = retention_end(m);

	if (end_ns == 0 || end_ns > at_ns)
		return false;
	happened(m->state == MESSAGE_AVAILABLE ? TOO_OLD : TOO_OLD_HELD);
	queue_of(m)->totals.timed_out++;
	naive_gone(m);
	return true;
}

/* False: it has nowhere to go. */
static bool
die(struct naive_message *m, enum dead_reason reason, int64_t at_ns)
{
	struct naive_queue *q = queue_of(m);

	if (q->dead_letters == NOWHERE)
		return false;
	if (m->is_dead)
		happened(DEAD_TWICE);
	happened(reason == DEAD_TTL ? DEAD_BY_TTL : DEAD_BY_RECEIVES);
	m->dead.queue = m->queue;
	m->dead.reason = reason;
	m->dead.receives = m->receives;
	m->dead.receipt = m->receipt;
	m->is_dead = true;
	q->totals.dead_lettered++;
	naive_move(m, q->dead_letters, false, at_ns);
	return true;
}

static void
lock_ends(struct naive_message *m)
{
	struct naive_queue *q = queue_of(m);
	int64_t at_ns = m->hold.due_ns;

	if (!m->given_back) {
		q->totals.expired++;
		happened(EXPIRED);
	}
	if (naive_goes_old(m, at_ns))
		return;
	if (q->settings.max_receives == 0 ||
	    m->receives < q->settings.max_receives ||
	    !die(m, DEAD_RECEIVES, at_ns))
		naive_to_line(m, true, at_ns);
}

/* When m's delay should end. */
static int64_t
delay_end(const struct naive_message *m)
{
	return m->place_ns + queue_of(m)->settings.delay_ms * MS;
}

static bool
is_for_all(const struct naive_queue *q)
{
	return q->fifo && q->settings.delay_for_all != 0;
}

static void
set_delay_end(struct naive_message *m, int64_t end_ns)
{
	m->hold.due_ns = end_ns;
	m->hold.order = ++naive.order;
}

static int
compare_places(const void *a, const void *b)
{
	const struct naive_message *m = *(struct naive_message *const *)a;
	const struct naive_message *n = *(struct naive_message *const *)b;

	return m->place_ns < n->place_ns ? -1 : 1;
}

void
naive_redelay(int queue, int64_t at_ns)
{
	static struct naive_message *list[MESSAGES_MAX];
	struct naive_queue *q = &naive.queues[queue];
	int64_t end_ns, first_ns;
	size_t i, n = 0;

	if (!is_for_all(q))
		return;
	for (i = 0; i < naive.count; i++)
		if (naive.messages[i].queue == queue &&
		    naive.messages[i].state == MESSAGE_DELAYED)
			list[n++] = &naive.messages[i];
	qsort(list, n, sizeof(list[0]), compare_places);
	for (i = 0; i < n; i++) {
		/* It takes a nanosecond for so many. */
		first_ns = at_ns + 1 + (int64_t)(i / REDELAYS);
		end_ns = delay_end(list[i]);
		if (end_ns < first_ns)
			end_ns = first_ns;
		if (list[i]->hold.due_ns <= end_ns)
			continue;
		set_delay_end(list[i], end_ns);
		happened(DELAY_SHORTENED);
	}
	q->last_due_ns = n > 0 ? list[n - 1]->hold.due_ns : 0;
}

static void
hold_ends(struct naive_message *m)
{
	struct naive_queue *q = queue_of(m);

	if (m->state == MESSAGE_LOCKED) {
		lock_ends(m);
		return;
	}
	happened(DELAY_ENDED);
	if (naive_goes_old(m, m->hold.due_ns))
		return;
	if (!is_for_all(q) || delay_end(m) <= m->hold.due_ns) {
		naive_to_line(m, true, m->hold.due_ns);
		return;
	}
	set_delay_end(m, delay_end(m));
	if (q->last_due_ns < m->hold.due_ns)
		q->last_due_ns = m->hold.due_ns;
	happened(DELAY_LENGTHENED);
}

static void
ttl_ends(struct naive_message *m)
{
	if (die(m, DEAD_TTL, m->ttl.due_ns))
		return;
	happened(TIMED_OUT);
	queue_of(m)->totals.timed_out++;
	naive_gone(m);
}

/* What is due first. */
struct first {
	struct naive_deadline end;	/* due_ns 0: nothing is */
	enum { FIRST_HOLD, FIRST_TTL, FIRST_AGE, FIRST_KEY, FIRST_WAIT } kind;
	struct naive_message *message;
	struct naive_dedup *dedup;
	int queue;
	size_t waiter;
};

static bool
is_first(struct first *f, const struct naive_deadline *d)
{
	if (d->due_ns == 0 || (f->end.due_ns != 0 &&
	    (d->due_ns > f->end.due_ns || (d->due_ns == f->end.due_ns &&
	    d->order > f->end.order))))
		return false;
	f->end = *d;
	return true;
}

static void
see_message(struct first *f, struct naive_message *m)
{
	struct naive_deadline age = retention(m);
	int kind = -1;

	if (is_first(f, &m->hold))
		kind = FIRST_HOLD;
	if (is_first(f, &m->ttl))
		kind = FIRST_TTL;
	if (is_first(f, &age))
		kind = FIRST_AGE;
	if (kind == -1)
		return;
	f->kind = kind;
	f->message = m;
}

static struct first
first_due(void)
{
	struct first f = { .end = { 0, 0 } };
	struct naive_message *m;
	struct naive_dedup *d;
	size_t i;
	int q;

	for (m = naive.messages; m < naive.messages + naive.count; m++)
		see_message(&f, m);
	for (d = naive.dedups; d < naive.dedups + naive.dedup_count; d++)
		if (is_first(&f, &d->end)) {
			f.kind = FIRST_KEY;
			f.dedup = d;
		}
	for (q = 0; q < QUEUES; q++)
		for (i = 0; i < naive.queues[q].waiter_count; i++)
			if (is_first(&f, &naive.queues[q].waiters[i].end)) {
				f.kind = FIRST_WAIT;
				f.queue = q;
				f.waiter = i;
			}
	return f;
}

static void
take_effect(const struct first *f)
{
	struct naive_queue *q;

	switch (f->kind) {
	case FIRST_HOLD:
		hold_ends(f->message);
		break;
	case FIRST_TTL:
		ttl_ends(f->message);
		break;
	case FIRST_AGE:
		naive_goes_old(f->message, f->end.due_ns);
		break;
	case FIRST_KEY:
		happened(DEDUP_ENDED);
		*f->dedup = naive.dedups[--naive.dedup_count];
		break;
	case FIRST_WAIT:
		q = &naive.queues[f->queue];
		naive.timed_out[naive.timed_out_count++] =
		    q->waiters[f->waiter].waiter;
		naive_unwait(f->queue, f->waiter);
		break;
	}
}

int64_t
naive_expire(int64_t at_ns, size_t max)
{
	int64_t last_ns = INT64_MIN;
	struct first f;

	for (;; max -= max > 0) {
		f = first_due();
		if (f.end.due_ns == 0 || f.end.due_ns > at_ns ||
		    (max == 0 && f.end.due_ns != last_ns))
			return last_ns;
		last_ns = f.end.due_ns;
		take_effect(&f);
	}
}

int64_t
naive_next_due_ns(void)
{
	struct first f = first_due();

	return f.end.due_ns != 0 ? f.end.due_ns : INT64_MAX;
}
