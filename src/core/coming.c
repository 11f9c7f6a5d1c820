/*
 * Messages on their way into a queue.  One that comes has its stamp, which is
 * its place for ever, but is in the queue, to be seen and received, only when
 * it has arrived: a host that keeps messages on disk lets it arrive when it is
 * there, or turns it back.  They arrive in the order of their stamps.
 */
#include "core/coming.h"

#include <assert.h>

#include "base/mem.h"
#include "core/dedup.h"
#include "core/group.h"
#include "core/outside.h"
#include "core/place.h"
#include "core/redelay.h"
#include "core/state.h"

#define NS_PER_MS	INT64_C(1000000)

enum wq_status
queue_prepare(struct queue *q, struct message *m, const struct push_terms *t)
{
	struct message_extra *extra;

	assert(m->state == MESSAGE_NEW);
	/* In a FIFO queue nothing overtakes what is delayed. */
	if ((t->delay_ms > 0 || q->last_due_ns > q->registry->stamp_ns) &&
	    (m->at.hold = mem_zalloc(sizeof(*m->at.hold))) == NULL)
		return WQ_NOMEM;
	if (t->lock_ms < 0 && t->ttl_ms == 0 && t->group == NULL && !q->fifo)
		return WQ_OK;
	if ((extra = message_extra_get(m)) == NULL)
		return WQ_NOMEM;
	extra->lock_ms = t->lock_ms;
	if (t->group == NULL && !q->fifo)
		return WQ_OK;
	extra->group = group_get(q, t->group != NULL ? t->group : "",
	    t->group != NULL ? t->group_bytes : 0);
	return extra->group != NULL ? WQ_OK : WQ_NOMEM;
}

/* When m, which is stamped, becomes available, if that is not at once. */
static void
set_delay(struct queue *q, struct message *m, int64_t delay_ms)
{
	int64_t due_ns = m->pushed_ns + delay_ms * NS_PER_MS;

	if (m->at.hold == NULL)
		return;
	if (q->fifo) {
		if (due_ns < q->last_due_ns)
			due_ns = q->last_due_ns;
		else
			q->last_due_ns = due_ns;
	}
	if (due_ns > m->pushed_ns)
		m->at.hold->deadline.due_ns = due_ns;
	else {
		mem_free(m->at.hold);
		m->at.hold = NULL;
	}
}

void
queue_come(struct queue *q, struct message *m, const struct push_terms *t,
    const uint8_t *key, int64_t now_ns)
{
	struct registry *r = q->registry;
	struct message_extra *extra;
	int64_t until_ns = 0;

	assert(m->state == MESSAGE_NEW && m->queue == NULL);
	m->pushed_ns = registry_stamp(r, now_ns);
	m->queue = q;
	set_delay(q, m, t->delay_ms);
	if (t->ttl_ms > 0) {
		extra = message_extra(m);
		extra->has_ttl = true;
		extra->ttl.kind = DEADLINE_TTL;
		extra->ttl.due_ns = m->pushed_ns + t->ttl_ms * NS_PER_MS;
	}
	/* Counted now, so that it is kept with the message. */
	q->totals.pushed++;
	queue_touch(q);
	q->coming_count++;
	q->coming_bytes += m->body_bytes;
	r->memory_bytes += message_bytes(m);
	if (key != NULL)
		until_ns = queue_number_dedup(q, key, m->pushed_ns);
	if (r->journal != NULL)
		r->journal->push(r->journal->arg, m, key,
		    until_ns);
}

bool
queue_reserve(const struct queue *q, size_t messages, size_t text_bytes)
{
	return journal_reserve(q->registry, messages, text_bytes);
}

static void
come_no_more(struct message *m)
{
	m->queue->coming_count--;
	m->queue->coming_bytes -= m->body_bytes;
}

void
message_arrive(struct message *m)
{
	struct queue *q = m->queue;
	struct registry *r = q->registry;
	struct message_extra *extra;

	if (registry_is_over_cap(r))
		m = message_put_outside(m);
	come_no_more(m);
	index_insert(&r->index, m);
	q->body_bytes += m->body_bytes;
	extra = message_extra(m);
	if (extra != NULL && extra->has_ttl)
		deadlines_add(&r->deadlines, &extra->ttl, DEADLINE_TTL,
		    extra->ttl.due_ns, extra->ttl.due_ns - m->pushed_ns);
	if (m->at.hold != NULL) {
		message_redelay_coming(m);
		message_to_delay(m);
	} else
		/* In a FIFO queue dead letters may have come meanwhile. */
		message_to_line(m, q->fifo, m->pushed_ns);
}

void
message_turn_back(struct message *m)
{
	come_no_more(m);
	m->queue->totals.pushed--;
	queue_touch(m->queue);
	m->queue->registry->memory_bytes -= message_bytes(m);
	m->queue = NULL;
	message_unref(m);
}

void
queue_push(struct queue *q, struct message *m, const struct push_terms *t,
    int64_t now_ns)
{
	queue_come(q, m, t, NULL, now_ns);
	message_arrive(m);
}
