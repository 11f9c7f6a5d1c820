/*
 * All semantics of a queue: its line, its locks, its counts.
 * Invariants: a message is in exactly one of line, locked and delayed, as its
 * state says; the counts are the lengths of these; a locked or delayed message
 * has a hold whose deadline is in the registry; every message of a queue is in
 * the registry's index.  queue_check() proves them in tests.
 */
#include "core/queue.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "core/state.h"

#define NS_PER_MS	INT64_C(1000000)

struct queue *
queue_new(struct registry *r, const char *name,
    const struct queue_settings *settings)
{
	size_t name_bytes = strlen(name) + 1;
	struct queue *q;

	if ((q = mem_zalloc(sizeof(*q) + name_bytes)) == NULL)
		return NULL;
	q->registry = r;
	q->settings = *settings;
	TAILQ_INIT(&q->line.fresh);
	TAILQ_INIT(&q->line.returned);
	TAILQ_INIT(&q->locked);
	TAILQ_INIT(&q->delayed);
	memcpy(q->name, name, name_bytes);
	HASH_ADD_STR(r->queues, name, q);
	if (q->hh.tbl == NULL) {	/* HASH_NONFATAL_OOM */
		mem_free(q);
		return NULL;
	}
	return q;
}

static void
hold_free(struct queue *q, struct hold *h)
{
	struct lock_timers *t = &q->registry->timers;

	deadlines_remove(&q->registry->deadlines, &h->deadline);
	if (h->deadline.kind == DEADLINE_LOCK && t->disarm != NULL)
		t->disarm(t->arg, h);
	mem_free(h);
}

static struct message *
line_first(const struct line *line)
{
	struct message *fresh = TAILQ_FIRST(&line->fresh);
	struct message *returned = TAILQ_FIRST(&line->returned);

	if (fresh == NULL || returned == NULL)
		return fresh != NULL ? fresh : returned;
	return fresh->available_ns < returned->available_ns ? fresh : returned;
}

/* Take m out of the place that its state names; its hold goes. */
static void
message_leave(struct message *m)
{
	struct queue *q = m->queue;
	struct hold *h;

	switch ((enum message_state)m->state) {
	case MESSAGE_AVAILABLE:
		TAILQ_REMOVE(m->returned ? &q->line.returned : &q->line.fresh,
		    m, at.line);
		q->available_count--;
		break;
	case MESSAGE_LOCKED:
		h = m->at.hold;
		TAILQ_REMOVE(&q->locked, h, link);
		q->locked_count--;
		hold_free(q, h);
		break;
	case MESSAGE_DELAYED:
		h = m->at.hold;
		TAILQ_REMOVE(&q->delayed, h, link);
		q->delayed_count--;
		hold_free(q, h);
		break;
	case MESSAGE_NEW:
	case MESSAGE_GONE:
		break;
	}
}

/* m goes to the end of its queue's line. */
static void
message_to_line(struct message *m, bool returned, int64_t available_ns)
{
	struct queue *q = m->queue;

	message_leave(m);
	m->state = MESSAGE_AVAILABLE;
	m->returned = returned;
	m->available_ns = available_ns;
	if (returned)
		TAILQ_INSERT_TAIL(&q->line.returned, m, at.line);
	else
		TAILQ_INSERT_TAIL(&q->line.fresh, m, at.line);
	q->available_count++;
}

static void
hold_set_lock(struct queue *q, struct hold *h, int64_t now_ns,
    int64_t duration_ns)
{
	struct registry *r = q->registry;
	bool usual = duration_ns == q->settings.lock_timeout_ms * NS_PER_MS;

	deadlines_add(&r->deadlines, &h->deadline, DEADLINE_LOCK,
	    now_ns + duration_ns, duration_ns);
	if (r->timers.arm != NULL)
		r->timers.arm(r->timers.arg, h, now_ns + duration_ns,
		    usual ? duration_ns : -1);
}

static void
message_to_lock(struct message *m, struct hold *h, int64_t now_ns,
    int64_t duration_ns)
{
	struct queue *q = m->queue;

	message_leave(m);
	m->state = MESSAGE_LOCKED;
	m->at.hold = h;
	h->message = m;
	h->given_back = false;
	TAILQ_INSERT_TAIL(&q->locked, h, link);
	q->locked_count++;
	hold_set_lock(q, h, now_ns, duration_ns);
}

/* m leaves the queue for good; only the refs of others keep it. */
static void
message_gone(struct message *m)
{
	struct queue *q = m->queue;

	message_leave(m);
	index_remove(&q->registry->index, m);
	q->body_bytes -= m->body_bytes;
	m->state = MESSAGE_GONE;
	m->queue = NULL;
	message_unref(m);
}

static void
list_gone(struct message_list *list)
{
	struct message *m;

	while ((m = TAILQ_FIRST(list)) != NULL)
		message_gone(m);
}

void
queue_free(struct queue *q)
{
	struct hold *h;

	list_gone(&q->line.fresh);
	list_gone(&q->line.returned);
	while ((h = TAILQ_FIRST(&q->locked)) != NULL)
		message_gone(h->message);
	while ((h = TAILQ_FIRST(&q->delayed)) != NULL)
		message_gone(h->message);
	HASH_DEL(q->registry->queues, q);
	mem_free(q);
}

void
queue_due(struct deadline *d)
{
	struct hold *h = (struct hold *)d;
	struct message *m = h->message;

	if (d->kind == DEADLINE_LOCK && !h->given_back)
		m->queue->expired++;
	message_to_line(m, true, d->due_ns);
}

void
queue_push(struct queue *q, struct message *m, int64_t now_ns)
{
	struct registry *r = q->registry;

	assert(m->state == MESSAGE_NEW);
	/* Unique and ascending, so that it can serve as a key and an order. */
	r->stamp_ns = now_ns > r->stamp_ns ? now_ns : r->stamp_ns + 1;
	m->pushed_ns = r->stamp_ns;
	m->queue = q;
	index_insert(&r->index, m);
	q->body_bytes += m->body_bytes;
	q->pushed++;
	message_to_line(m, false, m->pushed_ns);
}

/* splitmix64: receipts must differ, not be secret. */
static uint32_t
receipt_new(struct registry *r)
{
	uint64_t z = (r->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(z >> 32);
}

static void
deliver(struct message *m, struct delivery *out)
{
	out->message = message_ref(m);
	out->until_ns = m->state == MESSAGE_LOCKED ||
	    m->state == MESSAGE_DELAYED ? hold_due_ns(m->at.hold) : 0;
	out->receives = m->receives;
	out->receipt = m->receipt;
	out->state = (enum message_state)m->state;
}

enum wq_status
queue_receive(struct queue *q, size_t max, size_t max_bytes, int64_t lock_ms,
    int64_t now_ns, struct delivery *out, size_t *count)
{
	struct registry *r = q->registry;
	int64_t lock_ns = NS_PER_MS *
	    (lock_ms >= 0 ? lock_ms : q->settings.lock_timeout_ms);
	struct message *m;
	struct hold *h;
	size_t n, bytes = 0;

	for (n = 0; n < max && (m = line_first(&q->line)) != NULL; n++) {
		if (n > 0 && m->body_bytes > max_bytes - bytes)
			break;
		h = mem_zalloc(sizeof(*h) + r->timers.timer_bytes);
		if (h == NULL) {
			*count = n;
			return n > 0 ? WQ_OK : WQ_NOMEM;
		}
		bytes += m->body_bytes;
		if (bytes > max_bytes)
			bytes = max_bytes;
		m->receives++;
		m->receipt = receipt_new(r);
		q->received++;
		message_to_lock(m, h, now_ns, lock_ns);
		deliver(m, &out[n]);
	}
	*count = n;
	return WQ_OK;
}

static struct message *
find(const struct queue *q, const struct id *id)
{
	struct message *m = index_find(&q->registry->index, id);

	return m != NULL && m->queue == q ? m : NULL;
}

/* A lock that is due is over, though the registry did not come to it yet. */
static bool
is_locked(const struct message *m, int64_t now_ns)
{
	return m->state == MESSAGE_LOCKED && hold_due_ns(m->at.hold) > now_ns;
}

/*
 * Is the receipt of m's newest receive?  If not, say how many came since, and
 * when its lock ended, which is known for the last but one.
 */
static bool
receipt_is_newest(const struct message *m, const struct op_receipt *given,
    uint32_t *receives_since, int64_t *ended_ns)
{
	if (!given->given || given->receipt == m->receipt)
		return true;
	*receives_since = m->receives > given->receives ?
	    m->receives - given->receives : 0;
	*ended_ns = *receives_since == 1 ? m->available_ns : 0;
	return false;
}

enum wq_status
queue_confirm(struct queue *q, struct op_confirm *c, int64_t now_ns)
{
	struct message *m;

	if ((m = find(q, &c->id)) == NULL)
		return WQ_NO_MESSAGE;
	if (!receipt_is_newest(m, &c->receipt, &c->receives_since,
	    &c->ended_ns))
		return WQ_STALE_RECEIPT;
	if (!is_locked(m, now_ns) && (!c->receipt.given || m->receives == 0))
		return WQ_NOT_LOCKED;
	q->confirmed++;
	message_gone(m);
	return WQ_OK;
}

enum wq_status
queue_extend(struct queue *q, struct op_extend *e, int64_t now_ns)
{
	struct registry *r = q->registry;
	int64_t lock_ns = e->lock_ms * NS_PER_MS;
	struct message *m;
	struct hold *h;

	if ((m = find(q, &e->id)) == NULL)
		return WQ_NO_MESSAGE;
	if (!receipt_is_newest(m, &e->receipt, &e->receives_since,
	    &e->ended_ns))
		return WQ_STALE_RECEIPT;
	if (!is_locked(m, now_ns))
		return WQ_NOT_LOCKED;
	h = m->at.hold;
	h->given_back = lock_ns == 0;
	deadlines_remove(&r->deadlines, &h->deadline);
	hold_set_lock(q, h, now_ns, lock_ns);
	/* Given back: due at once, by the door that keeps the order. */
	if (lock_ns == 0)
		registry_expire(r, now_ns, 1);
	return WQ_OK;
}

enum wq_status
queue_look(struct queue *q, struct op_look *look)
{
	struct message *m;

	if ((m = find(q, &look->id)) == NULL)
		return WQ_NO_MESSAGE;
	deliver(m, &look->out);
	return WQ_OK;
}

void
queue_info(const struct queue *q, struct queue_info *out)
{
	const struct message *next = line_first(&q->line);

	memset(out, 0, sizeof(*out));
	out->settings = q->settings;
	out->available_count = q->available_count;
	out->locked_count = q->locked_count;
	out->delayed_count = q->delayed_count;
	out->body_bytes = q->body_bytes;
	out->oldest_ns = next != NULL ? next->pushed_ns : 0;
	out->pushed = q->pushed;
	out->received = q->received;
	out->confirmed = q->confirmed;
	out->expired = q->expired;
}

static size_t
check_list(const struct queue *q, const struct message_list *list,
    bool returned)
{
	const struct message *m;
	int64_t last_ns = INT64_MIN;
	size_t n = 0;

	TAILQ_FOREACH(m, list, at.line) {
		assert(m->queue == q && m->state == MESSAGE_AVAILABLE);
		assert(m->returned == returned && m->refs > 0);
		assert(m->available_ns >= last_ns);
		assert(index_find(&q->registry->index, &m->id) == m);
		last_ns = m->available_ns;
		n++;
	}
	return n;
}

static size_t
check_holds(const struct queue *q, const struct hold_list *list,
    enum message_state state)
{
	const struct hold *h;
	size_t n = 0;

	TAILQ_FOREACH(h, list, link) {
		assert(h->message->queue == q && h->message->at.hold == h);
		assert(h->message->state == state);
		assert(index_find(&q->registry->index, &h->message->id) ==
		    h->message);
		n++;
	}
	return n;
}

void
queue_check(const struct queue *q)
{
	size_t line = check_list(q, &q->line.fresh, false) +
	    check_list(q, &q->line.returned, true);
	size_t locked = check_holds(q, &q->locked, MESSAGE_LOCKED);
	size_t delayed = check_holds(q, &q->delayed, MESSAGE_DELAYED);

	assert(line == q->available_count);
	assert(locked == q->locked_count);
	assert(delayed == q->delayed_count);
	(void)line, (void)locked, (void)delayed;
}
