/* Looking at many messages, a page at a time, and changing nothing. */
#include <stddef.h>

#include "core/queue.h"
#include "core/state.h"
#include "core/walk.h"

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
