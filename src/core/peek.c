/* Looking at many messages, a page at a time, and changing nothing. */
#include <stddef.h>

#include "core/group.h"
#include "core/place.h"
#include "core/queue.h"
#include "core/state.h"

/*
 * A walk over the messages of one state.  Of available ones, first those
 * without a group and then group by group, each oldest first.
 */
struct walk {
	struct queue *queue;
	enum message_state state;
	struct group *group;		/* whose line it is in; NULL: none */
	struct message *fresh, *returned;	/* next of each list */
	struct hold *hold;		/* next of the locked or delayed */
};

static void
walk_line(struct walk *w, const struct line *line)
{
	w->fresh = TAILQ_FIRST(&line->fresh);
	w->returned = TAILQ_FIRST(&line->returned);
}

static void
walk_begin(struct walk *w, struct queue *q, enum message_state state)
{
	w->queue = q;
	w->state = state;
	w->group = NULL;
	w->hold = state == MESSAGE_LOCKED ? TAILQ_FIRST(&q->locked) :
	    state == MESSAGE_DELAYED ? TAILQ_FIRST(&q->delayed) : NULL;
	w->fresh = w->returned = NULL;
	if (state == MESSAGE_AVAILABLE)
		walk_line(w, &q->line);
}

/* The older of the two lists' next; it is stepped over. */
static struct message *
walk_older(struct walk *w)
{
	struct message *m = w->fresh;

	if (m == NULL || (w->returned != NULL &&
	    w->returned->available_ns < m->available_ns)) {
		m = w->returned;
		w->returned = TAILQ_NEXT(m, at.line);
	} else
		w->fresh = TAILQ_NEXT(m, at.line);
	return m;
}

static struct message *
walk_next(struct walk *w)
{
	struct message *m;

	if (w->state != MESSAGE_AVAILABLE) {
		if (w->hold == NULL)
			return NULL;
		m = w->hold->message;
		w->hold = TAILQ_NEXT(w->hold, link);
		return m;
	}
	while (w->fresh == NULL && w->returned == NULL) {
		w->group = w->group != NULL ? w->group->hh.next :
		    w->queue->groups;
		if (w->group == NULL)
			return NULL;
		walk_line(w, &w->group->line);
	}
	return walk_older(w);
}

/* Begin behind m. */
static void
walk_after(struct walk *w, struct message *m)
{
	struct message *other;

	walk_begin(w, m->queue, (enum message_state)m->state);
	if (m->state != MESSAGE_AVAILABLE) {
		w->hold = TAILQ_NEXT(m->at.hold, link);
		return;
	}
	w->group = message_group_of(m);
	if (w->group != NULL)
		walk_line(w, &w->group->line);
	if (m->returned)
		w->returned = TAILQ_NEXT(m, at.line);
	else
		w->fresh = TAILQ_NEXT(m, at.line);
	other = m->returned ? w->fresh : w->returned;
	while (other != NULL && other->available_ns <= m->available_ns)
		other = TAILQ_NEXT(other, at.line);
	if (m->returned)
		w->fresh = other;
	else
		w->returned = other;
}

static bool
take(struct walk *w, struct op_peek *p, size_t *bytes)
{
	struct message *m;

	while (p->count < p->max && (m = walk_next(w)) != NULL) {
		if (p->count > 0 && (*bytes >= p->max_bytes ||
		    m->body_bytes > p->max_bytes - *bytes))
			return false;
		*bytes += m->body_bytes;
		message_deliver(m, &p->out[p->count++]);
	}
	return p->count < p->max;
}

enum wq_status
queue_peek(struct queue *q, struct op_peek *p)
{
	static const enum message_state order[] = { MESSAGE_AVAILABLE,
	    MESSAGE_LOCKED, MESSAGE_DELAYED };
	struct message *after = NULL;
	struct walk w;
	size_t i = 0, bytes = 0;

	p->count = 0;
	if (p->has_after) {
		after = index_find(&q->registry->index, &p->after);
		/* One that has moved on is no place to go on from. */
		if (after == NULL || after->queue != q ||
		    !(p->states & 1u << after->state))
			return WQ_NO_MESSAGE;
		while (order[i] != (enum message_state)after->state)
			i++;
	}
	for (; i < sizeof(order) / sizeof(order[0]); i++, after = NULL) {
		if (after != NULL)
			walk_after(&w, after);
		else
			walk_begin(&w, q, order[i]);
		if (p->states & 1u << order[i] && !take(&w, p, &bytes))
			break;
	}
	return WQ_OK;
}
