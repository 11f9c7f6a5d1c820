/* What there is to tell of a message, and of a queue. */
#include "core/journal.h"

#include <string.h>

#include "core/state.h"

void
message_facts(const struct message *m, struct message_facts *out)
{
	const struct message_extra *extra = message_extra(m);
	const struct hold *h = m->state == MESSAGE_AVAILABLE ? NULL :
	    m->at.hold;

	memset(out, 0, sizeof(*out));
	out->queue = m->queue->number;
	out->keys_queue = m->queue->keys_number;
	out->lock_ms = -1;
	if (h != NULL && m->state == MESSAGE_LOCKED) {
		out->until_ns = h->deadline.due_ns;
		out->received_ns = h->received_ns;
		out->given_back = h->given_back;
	} else if (h != NULL)
		out->delay_ns = h->deadline.due_ns;
	out->first_received_ns = message_first_received_ns(m);
	if (extra == NULL)
		return;
	out->attributes = message_attributes(m, &out->attributes_bytes);
	out->lock_ms = extra->lock_ms;
	out->first_pushed_ns = extra->first_pushed_ns;
	out->ttl_ns = extra->has_ttl && extra->ttl.kind == DEADLINE_TTL ?
	    extra->ttl.due_ns : 0;
	out->group = message_group(m, &out->group_bytes);
	out->dead = extra->dead;
}

void
queue_facts(const struct queue *q, struct queue_facts *out)
{
	int i;

	out->number = q->number;
	out->keys_number = q->keys_number;
	out->name = q->name;
	out->dead_letter_queue = q->dead_letters != NULL ?
	    q->dead_letters->name : NULL;
	for (i = 0; i < QUEUE_TEXTS; i++)
		out->text[i] = q->text[i] != NULL ? q->text[i]->text : NULL;
	out->created_ns = q->created_ns;
	out->changed_ns = q->changed_ns;
	out->paused = q->paused;
	out->settings = &q->settings;
	out->totals = &q->totals;
}
