/* One after the other of a queue's messages. */
#include "core/walk.h"

#include <stddef.h>

#include "core/group.h"
#include "core/state.h"

static void
walk_line(struct walk *w, const struct line *line)
{
	w->fresh = TAILQ_FIRST(&line->fresh);
	w->returned = TAILQ_FIRST(&line->returned);
}

void
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

/* The next of the two lists, as line_first() has it; it is stepped over. */
static struct message *
walk_older(struct walk *w)
{
	struct message *m = w->fresh;

	if (m == NULL || (w->returned != NULL &&
	    w->returned->available_ns <= m->available_ns)) {
		m = w->returned;
		w->returned = TAILQ_NEXT(m, at.line);
	} else
		w->fresh = TAILQ_NEXT(m, at.line);
	return m;
}

struct message *
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

void
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
	/* Of those available for as long, one that came back is first. */
	while (other != NULL && (other->available_ns < m->available_ns ||
	    (other->available_ns == m->available_ns && other->returned)))
		other = TAILQ_NEXT(other, at.line);
	if (m->returned)
		w->fresh = other;
	else
		w->returned = other;
}
