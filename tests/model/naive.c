/* The model's messages: where they are, who is next, what is due. */
#include "naive.h"

#include <string.h>

#include "model.h"

#define MS		INT64_C(1000000)
#define WINDOW_NS	(300000 * MS)
#define NOISY_MIN	30
#define NOISY_SHARE	10	/* one of so many */

struct naive	naive;

static struct naive_deadline
deadline(int64_t due_ns)
{
	struct naive_deadline d = { due_ns, ++naive.order };

	return d;
}

static struct naive_queue *
queue_of(const struct naive_message *m)
{
	return &naive.queues[m->queue];
}

struct naive_message *
naive_find(const struct id *id)
{
	size_t i;

	for (i = 0; i < naive.count; i++)
		if (memcmp(&naive.messages[i].id, id, sizeof(*id)) == 0)
			return &naive.messages[i];
	return NULL;
}

size_t
naive_count(int queue, enum message_state state)
{
	size_t i, n = 0;

	for (i = 0; i < naive.count; i++)
		n += naive.messages[i].queue == queue &&
		    naive.messages[i].state == state;
	return n;
}

uint64_t
naive_bytes(int queue)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < naive.count; i++)
		if (naive.messages[i].queue == queue)
			n += naive.messages[i].bytes;
	return n;
}

void
naive_to_line(struct naive_message *m, bool returned, int64_t available_ns)
{
	m->state = MESSAGE_AVAILABLE;
	m->available_ns = available_ns;
	m->returned = returned && !queue_of(m)->fifo;
	m->line_order = ++naive.order;
	m->hold.due_ns = 0;
}

/* Pushes have different times, in their order. */
static int64_t
stamp(int64_t at_ns)
{
	naive.stamp_ns = at_ns > naive.stamp_ns ? at_ns : naive.stamp_ns + 1;
	return naive.stamp_ns;
}

/*
 * When m is available.  In a FIFO queue it comes after those that were delayed
 * before it.
 */
static int64_t
delay_end(const struct naive_message *m, int64_t delay_ms)
{
	struct naive_queue *q = queue_of(m);
	int64_t due_ns = m->pushed_ns + delay_ms * MS;

	if (!q->fifo)
		return due_ns;
	if (due_ns < q->last_due_ns) {
		due_ns = q->last_due_ns;
		happened(FIFO_DELAY_RAISED);
	}
	q->last_due_ns = due_ns;
	return due_ns;
}

struct naive_message *
naive_push(int queue, const struct op_body *b, const struct op_push *push,
    int group, int64_t at_ns)
{
	const struct queue_settings *s = &naive.queues[queue].settings;
	int64_t ttl_ms = push->ttl_ms >= 0 ? push->ttl_ms : s->ttl_ms;
	int64_t delay_ms = push->delay_ms >= 0 ? push->delay_ms : s->delay_ms;
	struct naive_message *m = &naive.messages[naive.count];
	int64_t due_ns;

	memset(m, 0, sizeof(*m));
	m->id = b->id;
	m->queue = queue;
	m->group = group == GROUP_NONE && queue_of(m)->fifo ? GROUP_EMPTY :
	    group;
	m->bytes = b->bytes;
	memcpy(m->body, b->data, b->bytes);
	if (b->attributes != NULL)
		memcpy(m->attributes, b->attributes, b->attributes_bytes);
	m->is_text = b->is_text;
	m->lock_ms = push->lock_ms;
	m->pushed_ns = m->place_ns = stamp(at_ns);
	if (ttl_ms > 0)
		m->ttl = deadline(m->pushed_ns + ttl_ms * MS);
	due_ns = delay_end(m, delay_ms);
	if (due_ns > m->pushed_ns) {
		m->state = MESSAGE_DELAYED;
		m->hold = deadline(due_ns);
		m->hold_order = m->hold.order;
		happened(DELAYED);
	} else
		naive_to_line(m, false, m->pushed_ns);
	naive.count++;
	happened(PUSHED);
	queue_of(m)->totals.pushed++;
	return m;
}

enum wq_status
naive_push_status(int queue, const struct op_push *push, size_t n,
    uint64_t bytes, const struct push_room *room)
{
	const struct queue_settings *s = &naive.queues[queue].settings;
	size_t count = naive_count(queue, MESSAGE_AVAILABLE) +
	    naive_count(queue, MESSAGE_LOCKED) +
	    naive_count(queue, MESSAGE_DELAYED);

	if (push->delay_ms >= 0 && naive.queues[queue].fifo)
		return WQ_NO_DELAY;
	if (n == 0)
		return WQ_OK;
	if (bytes > room->max_bytes)
		return WQ_TOO_LARGE;
	if (bytes > room->left_bytes)
		return WQ_FULL_MEMORY;
	if ((s->max_messages > 0 && n > (size_t)s->max_messages) ||
	    (s->max_bytes > 0 && bytes > (uint64_t)s->max_bytes))
		return WQ_TOO_LARGE;
	if (s->max_messages > 0 && count + n > (size_t)s->max_messages)
		return WQ_FULL_MESSAGES;
	if (s->max_bytes > 0 &&
	    naive_bytes(queue) + bytes > (uint64_t)s->max_bytes)
		return WQ_FULL_BYTES;
	return WQ_OK;
}

struct naive_dedup *
naive_find_dedup(int queue, const char *key)
{
	struct naive_dedup *d;

	for (d = naive.dedups; d < naive.dedups + naive.dedup_count; d++)
		if (d->queue == queue && strcmp(d->key, key) == 0)
			return d;
	return NULL;
}

void
naive_add_dedup(int queue, const char *key, const struct id *id,
    int64_t at_ns)
{
	struct naive_dedup *d = &naive.dedups[naive.dedup_count++];

	d->queue = queue;
	strcpy(d->key, key);
	d->id = *id;
	d->end = deadline(at_ns + WINDOW_NS);
}

bool
naive_may_lock(int queue)
{
	struct naive_queue *q = &naive.queues[queue];

	return !q->paused && (q->settings.max_locked == 0 ||
	    naive_count(queue, MESSAGE_LOCKED) <
	    (size_t)q->settings.max_locked);
}

/* Of one group: which of the two is given out first? */
static bool
is_before(const struct naive_message *a, const struct naive_message *b)
{
	if (queue_of(a)->fifo)
		return a->place_ns < b->place_ns;
	if (a->available_ns != b->available_ns)
		return a->available_ns < b->available_ns;
	/* Of one pushed and one that came back in one instant, that one. */
	if (a->returned != b->returned)
		return a->returned;
	if (a->line_order != b->line_order)
		return a->line_order < b->line_order;
	return a->place_ns < b->place_ns;
}

void
naive_lines(int queue, struct naive_lines *l)
{
	const struct naive_message *m;
	int g;

	memset(l, 0, sizeof(*l));
	for (m = naive.messages; m < naive.messages + naive.count; m++) {
		if (m->queue != queue || m->state == MESSAGE_DELAYED)
			continue;
		if (m->state == MESSAGE_LOCKED) {
			l->locked[m->group]++;
			l->locked_all++;
			continue;
		}
		l->available[m->group]++;
		if (l->first[m->group] == NULL ||
		    is_before(m, l->first[m->group]))
			l->first[m->group] = m;
	}
	for (g = 0; g < GROUPS; g++)
		l->noisy[g] = g != GROUP_NONE && !naive.queues[queue].fifo &&
		    l->locked[g] >= NOISY_MIN &&
		    l->locked[g] * NOISY_SHARE > l->locked_all;
}

static bool
may_begin(const struct naive_lines *l, int group, bool fifo)
{
	return l->available[group] > 0 && (!fifo || l->locked[group] == 0);
}

bool
naive_has_next(int queue, const struct naive_lines *l, int begun)
{
	int g;

	if (begun != GROUP_NONE && l->available[begun] > 0)
		return true;
	for (g = 0; g < GROUPS; g++)
		if (may_begin(l, g, naive.queues[queue].fifo))
			return true;
	return false;
}

bool
naive_is_next(const struct naive_message *m, const struct naive_lines *l,
    int begun)
{
	bool fifo = queue_of(m)->fifo, noisy = l->noisy[m->group];
	int g;

	if (l->first[m->group] != m)
		return false;
	if (begun != GROUP_NONE && l->available[begun] > 0)
		return m->group == begun;
	if (!may_begin(l, m->group, fifo))
		return false;
	for (g = 0; g < GROUPS; g++) {
		if (!may_begin(l, g, fifo))
			continue;
		/* Of two groups that have waited for as long, either. */
		if (l->noisy[g] != noisy ? noisy :
		    l->first[g]->available_ns < m->available_ns)
			return false;
	}
	return true;
}

bool
naive_overtakes(const struct naive_message *m, const struct naive_lines *l)
{
	int g;

	for (g = 0; g < GROUPS; g++)
		if (l->noisy[g] && !l->noisy[m->group] &&
		    l->available[g] > 0 &&
		    l->first[g]->available_ns < m->available_ns)
			return true;
	return false;
}

void
naive_lock(struct naive_message *m, int64_t lock_ms, uint32_t receipt,
    int64_t at_ns)
{
	struct naive_queue *q = queue_of(m);

	if (lock_ms < 0)
		lock_ms = m->lock_ms >= 0 ? m->lock_ms :
		    q->settings.lock_timeout_ms;
	m->state = MESSAGE_LOCKED;
	m->given_back = false;
	m->hold = deadline(at_ns + lock_ms * MS);
	m->hold_order = m->hold.order;
	m->kept_order = m->hold.order;
	m->received_ns = at_ns;
	if (m->receives++ == 0)
		m->first_received_ns = at_ns;
	m->old_receipt = m->receipt;
	m->receipt = receipt;
	memmove(m->history + 1, m->history,
	    (HISTORY - 1) * sizeof(m->history[0]));
	m->history[0] = (struct op_receipt){ .given = true,
	    .receives = m->receives, .receipt = receipt };
	q->totals.received++;
}

enum wq_status
naive_receipt_status(const struct naive_message *m,
    const struct op_receipt *r, bool extend)
{
	if (r->given && r->receipt != m->receipt)
		return WQ_STALE_RECEIPT;
	if (m->state == MESSAGE_LOCKED)
		return WQ_OK;
	return !extend && r->given && m->receives > 0 ? WQ_OK :
	    WQ_NOT_LOCKED;
}

bool
naive_is_beyond(const struct naive_message *m, const struct op_extend *e,
    int64_t at_ns)
{
	return e->max_total_ms > 0 && at_ns - m->received_ns >
	    (e->max_total_ms - e->lock_ms) * MS;
}

void
naive_extend(struct naive_message *m, int64_t lock_ms, int64_t at_ns)
{
	m->given_back = lock_ms == 0;
	m->hold = deadline(at_ns + lock_ms * MS);
	m->kept_order = m->hold.order;
	if (lock_ms == 0)
		naive_expire(at_ns, 1);
}

void
naive_release(struct naive_message *m, int64_t at_ns)
{
	m->state = MESSAGE_AVAILABLE;
	m->hold.due_ns = 0;
	if (--m->receives == 0)
		m->first_received_ns = 0;
	m->receipt = m->old_receipt;
	queue_of(m)->totals.received--;
	if (naive_goes_old(m, at_ns))
		return;
	/* Before those that are available for as long. */
	m->line_order = m->kept_order = -++naive.order;
}

void
naive_gone(struct naive_message *m)
{
	remember_gone(&m->id);
	*m = naive.messages[--naive.count];
}

void
naive_move(struct naive_message *m, int queue, bool renew, int64_t at_ns)
{
	m->queue = queue;
	if (queue_of(m)->fifo || renew)
		m->place_ns = stamp(at_ns);
	if (queue_of(m)->fifo) {
		if (m->group == GROUP_NONE)
			m->group = GROUP_EMPTY;
	} else if (m->group == GROUP_EMPTY)
		m->group = GROUP_NONE;
	m->ttl.due_ns = 0;
	m->receives = m->receipt = 0;
	m->first_received_ns = 0;
	naive_to_line(m, true, at_ns);
	m->kept_order = m->line_order;
}

int
naive_compare(const struct naive_message *a, const struct naive_message *b)
{
	if (a->group != b->group)
		return a->group - b->group;
	return is_before(a, b) ? -1 : is_before(b, a);
}

void
naive_wait(int queue, struct waiter *w, int64_t wait_ms, int64_t at_ns)
{
	struct naive_queue *q = &naive.queues[queue];

	q->waiters[q->waiter_count].waiter = w;
	q->waiters[q->waiter_count++].end = deadline(at_ns + wait_ms * MS);
}

void
naive_unwait(int queue, size_t i)
{
	struct naive_queue *q = &naive.queues[queue];

	memmove(&q->waiters[i], &q->waiters[i + 1],
	    (--q->waiter_count - i) * sizeof(q->waiters[0]));
}
