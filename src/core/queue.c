/*
 * What can be done to the messages of a queue.  Where they are is place.c's,
 * the queue itself queue_life.c's.
 */
#include "core/queue.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "core/attempt.h"
#include "core/group.h"
#include "core/place.h"
#include "core/recent.h"
#include "core/redelay.h"
#include "core/retention.h"
#include "core/state.h"
#include "core/task.h"

#define NS_PER_MS	INT64_C(1000000)

void
queue_wait(struct queue *q, struct waiter *w, int64_t wait_ms,
    int64_t now_ns)
{
	int64_t wait_ns = wait_ms * NS_PER_MS;

	w->queue = q;
	TAILQ_INSERT_TAIL(&q->waiters, w, link);
	q->waiter_count++;
	deadlines_add(&q->registry->deadlines, &w->deadline, DEADLINE_WAIT,
	    now_ns + wait_ns, wait_ns);
	/* A receive that gave up in a crowd of deadlines may have left some. */
	queue_be_hungry(q);
}

void
queue_unwait(struct waiter *w)
{
	struct queue *q = w->queue;

	TAILQ_REMOVE(&q->waiters, w, link);
	q->waiter_count--;
	deadlines_remove(&q->registry->deadlines, &w->deadline);
	w->queue = NULL;
}

static bool
may_lock(const struct queue *q)
{
	return !q->paused && (q->settings.max_locked == 0 ||
	    q->locked_count < (size_t)q->settings.max_locked);
}

bool
queue_is_at_limit(const struct queue *q)
{
	return q->settings.max_locked > 0 && q->available_count > 0 &&
	    q->locked_count >= (size_t)q->settings.max_locked;
}

struct waiter *
queue_served_waiter(struct queue *q)
{
	return may_lock(q) && !TAILQ_EMPTY(&q->waiters) &&
	    queue_next(q) != NULL ? TAILQ_FIRST(&q->waiters) : NULL;
}

void
queue_serve_later(struct queue *q)
{
	queue_be_hungry(q);
}

static void
ttl_due(struct message *m, int64_t due_ns)
{
	struct queue *q = m->queue;
	struct message_extra *extra = message_extra(m);

	if (message_die(m, DEAD_TTL, due_ns))
		return;
	if (q->dead_letters != NULL) {
		/* No memory to move it: it stays as it is, and lives on. */
		deadlines_remove(&q->registry->deadlines, &extra->ttl);
		extra->has_ttl = false;
		return;
	}
	message_expire(m);
}

static void
lock_due(struct message *m, int64_t due_ns)
{
	struct queue *q = m->queue;
	int64_t max = q->settings.max_receives;

	if (!m->at.hold->given_back)
		q->totals.expired++;
	queue_touch(q);
	if (message_is_over(m, due_ns))
		message_expire(m);
	else if (max == 0 || m->receives < max ||
	    !message_die(m, DEAD_RECEIVES, due_ns))
		message_to_line(m, true, due_ns);
}

static void
delay_due(struct message *m, int64_t due_ns)
{
	queue_touch(m->queue);	/* so that it is kept that this is settled */
	if (message_is_over(m, due_ns))
		message_expire(m);
	else if (!message_redelay(m, due_ns))
		message_to_line(m, true, due_ns);
}

void
queue_due(struct deadline *d)
{
	struct message_extra *extra;
	struct waiter *w;

	switch ((enum deadline_kind)d->kind) {
	case DEADLINE_LOCK:
		lock_due(((struct hold *)d)->message, d->due_ns);
		break;
	case DEADLINE_DELAY:
		delay_due(((struct hold *)d)->message, d->due_ns);
		break;
	case DEADLINE_WAIT:
		w = (struct waiter *)(void *)((char *)d -
		    offsetof(struct waiter, deadline));
		queue_time_out(w);
		break;
	case DEADLINE_TTL:
		extra = (struct message_extra *)(void *)((char *)d -
		    offsetof(struct message_extra, ttl));
		ttl_due(extra->message, d->due_ns);
		break;
	case DEADLINE_RETENTION:
		extra = (struct message_extra *)(void *)((char *)d -
		    offsetof(struct message_extra, ttl));
		message_retention_due(extra, d->due_ns);
		break;
	case DEADLINE_QUEUE_RETENTION:
		queue_retention_due((struct queue *)(void *)((char *)d -
		    offsetof(struct queue, retention)), d->due_ns);
		break;
	case DEADLINE_TASK:
		task_due((struct task *)d, d->due_ns);
		break;
	case DEADLINE_ATTEMPT:
		attempt_free((struct attempt *)d);
		break;
	case DEADLINE_REDELAY:
		queue_redelay_due((struct queue *)(void *)((char *)d -
		    offsetof(struct queue, redelay)), d->due_ns);
		break;
	case DEADLINE_RECENT:
		recent_free((struct recent *)d);
		break;
	case DEADLINE_DEDUP:
		dedup_free((struct dedup *)d);
		break;
	}
}

enum wq_status
queue_has_room(const struct queue *q, size_t messages, uint64_t bytes)
{
	const struct queue_settings *s = &q->settings;
	size_t count = q->available_count + q->locked_count +
	    q->delayed_count + q->coming_count;
	uint64_t held = q->body_bytes + q->coming_bytes;

	if ((s->max_messages > 0 && messages > (size_t)s->max_messages) ||
	    (s->max_bytes > 0 && bytes > (uint64_t)s->max_bytes))
		return WQ_TOO_LARGE;
	if (s->max_messages > 0 && count > (size_t)s->max_messages - messages)
		return WQ_FULL_MESSAGES;
	if (s->max_bytes > 0 &&
	    held > (uint64_t)s->max_bytes - bytes)
		return WQ_FULL_BYTES;
	return WQ_OK;
}

bool
queue_is_fifo(const struct queue *q)
{
	return q->fifo;
}

bool
queue_is_unused(const struct queue *q)
{
	return q->untouched && q->available_count + q->locked_count +
	    q->delayed_count + q->coming_count + q->waiter_count == 0;
}

const struct queue_settings *
queue_settings(const struct queue *q)
{
	return &q->settings;
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

void
message_deliver(struct message *m, struct delivery *out)
{
	out->message = message_ref(m);
	out->until_ns = m->state == MESSAGE_LOCKED ||
	    m->state == MESSAGE_DELAYED ? hold_due_ns(m->at.hold) : 0;
	out->taken_ns = m->state == MESSAGE_LOCKED ? m->at.hold->taken_ns :
	    m->available_ns;
	out->receives = m->receives;
	out->receipt = m->receipt;
	out->state = (enum message_state)m->state;
	out->first_received_ns = message_first_received_ns(m);
	/* What may be another by the time that this is told. */
	out->pushed_ns = m->pushed_ns;
	out->id = m->id;
	out->is_dead = message_dead_letter(m) != NULL;
}

void
queue_release(struct queue *q, const struct delivery *d, int64_t now_ns)
{
	struct message *m = d->message;
	struct registry *r = q->registry;

	if (m->queue != q || m->state != MESSAGE_LOCKED ||
	    m->receipt != d->receipt)
		return;
	m->receives--;
	m->receipt = m->at.hold->old_receipt;
	q->totals.received--;
	queue_touch(q);
	if (message_is_over(m, now_ns)) {
		message_expire(m);
		return;
	}
	message_to_front(m);
	/* Without room for it the message is locked again after a restart. */
	if (r->journal != NULL && journal_reserve(r, 1, 0))
		r->journal->unlock(r->journal->arg, m);
}

int64_t
message_lock_ms(const struct message *m)
{
	const struct message_extra *extra = message_extra(m);

	return extra != NULL && extra->lock_ms >= 0 ? extra->lock_ms :
	    m->queue->settings.lock_timeout_ms;
}

/* The next of a receive: in a FIFO queue, of the group it has begun. */
static struct message *
next_of(struct queue *q, const struct group *g)
{
	struct message *next = g != NULL ? line_first(&g->line) : NULL;

	return next != NULL ? next : queue_next(q);
}

/*
 * Is something due that changes what next is, whenever next came?  Its ttl; or
 * a delay, since in a FIFO queue a message may go before dead letters that have
 * been available for longer.
 */
static bool
is_in_question(const struct message *next, int64_t now_ns)
{
	const struct queue *q = next->queue;
	const struct message_extra *extra = message_extra(next);
	const struct hold *delay = q->fifo ? TAILQ_FIRST(&q->delayed) : NULL;

	return (extra != NULL && extra->has_ttl &&
	    extra->ttl.due_ns < now_ns) ||
	    (delay != NULL && hold_due_ns(delay) < now_ns) ||
	    (q->redelays && q->redelay.due_ns < now_ns);
}

/*
 * The same, when all that is due and would come before it has come.  In a crowd
 * of expiries the registry may not be there yet; *left bounds what this receive
 * does for it.  NULL: there is none, or it is not known which.
 */
static struct message *
next_in_order(struct queue *q, const struct group *g, int64_t now_ns,
    size_t *left)
{
	struct registry *r = q->registry;
	struct message *next;
	int64_t due_ns;
	size_t n;

	for (;;) {
		next = may_lock(q) ? next_of(q, g) : NULL;
		due_ns = registry_next_due_ns(r);
		/* Not those of now: this receive may have taken them. */
		if (due_ns >= now_ns || (next != NULL &&
		    due_ns > next->available_ns &&
		    !is_in_question(next, now_ns))) {
			if (next == NULL || !message_is_over(next, now_ns))
				return next;
			if (*left == 0)
				return NULL;
			--*left;
			message_expire(next);
			continue;
		}
		if (*left == 0)
			return NULL;
		n = registry_expire_first(r);
		*left -= n < *left ? n : *left;
	}
}

enum wq_status
queue_receive(struct queue *q, size_t max, size_t max_bytes, int64_t lock_ms,
    int64_t now_ns, struct delivery *out, size_t *count)
{
	struct registry *r = q->registry;
	struct group *g = NULL;
	struct message *m;
	struct hold *h = NULL;
	size_t n, bytes = 0, left = r->due_left > 0 ? r->due_left + max : 0;
	enum wq_status st = WQ_OK;

	for (n = 0; n < max && !q->paused &&
	    (m = next_in_order(q, g, now_ns, &left)) != NULL; n++) {
		if (n > 0 && m->body_bytes > max_bytes - bytes)
			break;
		if (!journal_reserve(r, 1, 0) || (h = mem_zalloc(sizeof(*h) +
		    r->timers.timer_bytes)) == NULL) {
			st = n > 0 ? WQ_OK : WQ_NOMEM;
			break;
		}
		if (q->fifo) {
			/* Kept, since what falls due may move all of it. */
			group_unref(g);
			g = group_ref(message_group_of(m));
		}
		bytes += m->body_bytes;
		if (bytes > max_bytes)
			bytes = max_bytes;
		m->ahead = false;
		h->old_receipt = m->receipt;
		if (m->receives++ == 0)
			message_set_first_received(m, now_ns);
		m->receipt = receipt_new(r);
		q->totals.received++;
		queue_touch(q);
		message_to_lock(m, h, now_ns, NS_PER_MS *
		    (lock_ms >= 0 ? lock_ms : message_lock_ms(m)));
		if (r->journal != NULL)
			r->journal->lock(r->journal->arg, m);
		message_deliver(m, &out[n]);
	}
	group_unref(g);
	if (left < r->due_left)
		r->due_left = left;
	*count = n;
	return st;
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

/* The queue that has m, a dead letter of q; or NULL.  m may be NULL. */
static const struct queue *
letter_place(const struct queue *q, const struct message *m)
{
	const struct dead_letter *dead = m != NULL ? message_dead_letter(m) :
	    NULL;

	/* One that was purged is in a queue that nobody can name any more. */
	return dead != NULL && strcmp(dead->queue, q->name) == 0 &&
	    registry_find(q->registry, m->queue->name) == m->queue ?
	    m->queue : NULL;
}

/*
 * Is m what c speaks of, which became a dead letter of q when its lock ran
 * out, and was not received since?
 */
static bool
is_late_letter(const struct queue *q, const struct message *m,
    const struct op_confirm *c)
{
	return c->even_dead && c->receipt.given && m->receives == 0 &&
	    letter_place(q, m) != NULL &&
	    message_dead_letter(m)->receipt == c->receipt.receipt;
}

/* May m, which is in its queue, be confirmed by c? */
static enum wq_status
check_confirm(const struct message *m, struct op_confirm *c, int64_t now_ns)
{
	if (!receipt_is_newest(m, &c->receipt, &c->receives_since,
	    &c->ended_ns))
		return WQ_STALE_RECEIPT;
	return is_locked(m, now_ns) || (!c->while_locked && c->receipt.given &&
	    m->receives > 0) ? WQ_OK : WQ_NOT_LOCKED;
}

enum wq_status
queue_confirm(struct queue *q, struct op_confirm *c, int64_t now_ns)
{
	struct registry *r = q->registry;
	struct message *m = index_find(&r->index, &c->id);
	enum wq_status st;

	if (m == NULL)
		return WQ_NO_MESSAGE;
	if (!is_late_letter(q, m, c)) {
		if (m->queue != q)
			return WQ_NO_MESSAGE;
		if ((st = check_confirm(m, c, now_ns)) != WQ_OK)
			return st;
	}
	if (!journal_reserve(r, 1, 0))
		return WQ_NOMEM;
	if (r->journal != NULL)
		r->journal->gone(r->journal->arg, m);
	queue_touch(m->queue);
	m->queue->totals.confirmed++;
	message_gone(m);
	return WQ_OK;
}

enum wq_status
queue_extend(struct queue *q, struct op_extend *e, int64_t now_ns)
{
	struct registry *r = q->registry;
	struct message *m;

	if ((m = find(q, &e->id)) == NULL)
		return WQ_NO_MESSAGE;
	if (!receipt_is_newest(m, &e->receipt, &e->receives_since,
	    &e->ended_ns))
		return WQ_STALE_RECEIPT;
	if (!is_locked(m, now_ns))
		return WQ_NOT_LOCKED;
	if (e->max_total_ms > 0 && now_ns + e->lock_ms * NS_PER_MS >
	    m->at.hold->received_ns + e->max_total_ms * NS_PER_MS)
		return WQ_BEYOND;
	if (!journal_reserve(r, 1, 0))
		return WQ_NOMEM;
	m->at.hold->given_back = e->lock_ms == 0;
	message_set_lock_end(m, now_ns, e->lock_ms * NS_PER_MS);
	if (r->journal != NULL)
		r->journal->lock(r->journal->arg, m);
	/* Given back: due at once, by the door that keeps the order. */
	if (e->lock_ms == 0)
		registry_expire(r, now_ns, 1);
	return WQ_OK;
}

enum wq_status
queue_look(struct queue *q, struct op_look *look)
{
	const struct queue *place;
	struct message *m;
	struct group *g;

	look->moved_to[0] = '\0';
	m = index_find(&q->registry->index, &look->id);
	if (m == NULL || m->queue != q) {
		if ((place = letter_place(q, m)) != NULL)
			strcpy(look->moved_to, place->name);
		return WQ_NO_MESSAGE;
	}
	message_deliver(m, &look->out);
	look->paused = q->paused;
	look->blocked = false;
	g = message_group_of(m);
	if (!q->fifo || m->state != MESSAGE_AVAILABLE || g->locked_count == 0)
		return WQ_OK;
	look->blocked = true;
	look->blocked_by = TAILQ_FIRST(&g->locked)->message->id;
	return WQ_OK;
}

void
queue_info(struct queue *q, struct queue_info *out)
{
	const struct message *next = queue_next(q);
	int i;

	memset(out, 0, sizeof(*out));
	out->settings = q->settings;
	for (i = 0; i < QUEUE_TEXTS; i++)
		out->text[i] = shared_ref(q->text[i]);
	if (q->dead_letters != NULL)
		strcpy(out->dead_letter_queue, q->dead_letters->name);
	out->fifo = q->fifo;
	out->paused = q->paused;
	out->available_count = q->available_count;
	out->locked_count = q->locked_count;
	out->delayed_count = q->delayed_count;
	out->waiter_count = q->waiter_count;
	out->body_bytes = q->body_bytes;
	out->oldest_ns = next != NULL ? message_pushed_ns(next) : 0;
	out->created_ns = q->created_ns;
	out->changed_ns = q->changed_ns;
	out->is_target = !LIST_EMPTY(&q->sources);
	out->totals = q->totals;
}
