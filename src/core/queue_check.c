/* What must hold of a queue at any time, for tests. */
#include <assert.h>

#include "core/group.h"
#include "core/place.h"
#include "core/queue.h"
#include "core/state.h"

/* What is too old goes by itself, whether anybody asks for it or not. */
static void
check_retention(const struct queue *q, const struct message *m)
{
	const struct message_extra *extra = message_extra(m);

	if (q->retention_walks)
		return;
	if (q->settings.retention_ms == 0)
		assert(extra == NULL || !extra->has_ttl ||
		    extra->ttl.kind == DEADLINE_TTL);
	else if (extra != NULL)
		assert(extra->has_ttl);
	else		/* for one that returned there was no memory */
		assert(q->retains || m->returned);
	(void)extra, (void)m;
}

static size_t
check_list(const struct queue *q, const struct group *g,
    const struct message_list *list, bool returned)
{
	const struct message *m;
	int64_t last_ns = INT64_MIN;
	size_t n = 0;

	TAILQ_FOREACH(m, list, at.line) {
		assert(m->queue == q && m->state == MESSAGE_AVAILABLE);
		assert(m->returned == returned && m->refs > 0);
		assert((q->fifo ? m->pushed_ns : m->available_ns) >=
		    last_ns);
		assert(message_group_of(m) == g);
		assert(index_find(&q->registry->index, &m->id) == m);
		check_retention(q, m);
		last_ns = q->fifo ? m->pushed_ns : m->available_ns;
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

static void
check_waiters(const struct queue *q)
{
	const struct waiter *w;
	size_t n = 0;

	TAILQ_FOREACH(w, &q->waiters, link) {
		assert(w->queue == q);
		n++;
	}
	assert(n == q->waiter_count);
	/* Nobody waits beside a message that could be had, unnoticed. */
	assert(q->hungry || q->paused || n == 0 || q->available_count == 0 ||
	    q->settings.max_locked != 0 || q->fifo);
	(void)n;
}

static size_t
check_groups(const struct queue *q, size_t *locked)
{
	const struct group *g;
	size_t n = 0;

	*locked = 0;
	for (g = q->groups; g != NULL; g = g->hh.next) {
		assert(g->queue == q && g->refs > 0);
		n += check_list(q, g, &g->line.fresh, false) +
		    check_list(q, g, &g->line.returned, true);
		*locked += g->locked_count;
		assert((g->place == GROUP_NOWHERE) ==
		    (line_first(&g->line) == NULL ||
		    (q->fifo && g->locked_count > 0)));
	}
	return n;
}

void
queue_check(const struct queue *q)
{
	size_t locked = check_holds(q, &q->locked, MESSAGE_LOCKED);
	size_t delayed = check_holds(q, &q->delayed, MESSAGE_DELAYED);
	size_t grouped, line = check_groups(q, &grouped) +
	    check_list(q, NULL, &q->line.fresh, false) +
	    check_list(q, NULL, &q->line.returned, true);

	assert(line == q->available_count);
	assert(locked == q->locked_count);
	assert(delayed == q->delayed_count);
	assert(grouped <= locked && (!q->fifo || grouped == locked));
	assert(!q->fifo || TAILQ_EMPTY(&q->line.fresh));
	check_waiters(q);
	(void)line, (void)locked, (void)delayed, (void)grouped;
}
