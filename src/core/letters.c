/*
 * Dead letters: messages that used up their receives or their time move to
 * their queue's dead-letter queue, and back by a redrive.  They keep their ids.
 * A full queue takes them too: limits refuse pushes, they lose nothing.
 */
#include <string.h>

#include "base/mem.h"
#include "core/group.h"
#include "core/place.h"
#include "core/queue.h"
#include "core/state.h"
#include "core/walk.h"

/*
 * Get what m needs to be in q: its group there, NULL where it has none.
 * False: no memory.
 */
static bool
group_there(struct message *m, struct queue *q, struct group **out)
{
	struct group *g = message_group_of(m);

	*out = NULL;
	/* One without a name is that of a FIFO queue's who have none. */
	if (!q->fifo && (g == NULL || g->name_bytes == 0))
		return true;
	*out = group_get(q, g != NULL ? g->name : "",
	    g != NULL ? g->name_bytes : 0);
	return *out != NULL;
}

/* m goes to the end of q's line; g, which it takes, is its group there. */
static void
move(struct message *m, struct queue *q, struct group *g, bool renew,
    int64_t at_ns)
{
	struct queue *from = m->queue;
	struct registry *r = q->registry;
	struct message_extra *extra = message_extra(m);
	int64_t was_ns;

	message_leave(m);
	group_unref(extra->group);
	extra->group = g;
	if (extra->has_ttl)
		deadlines_remove(&r->deadlines, &extra->ttl);
	extra->has_ttl = false;
	was_ns = m->pushed_ns;
	from->body_bytes -= m->body_bytes;
	q->body_bytes += m->body_bytes;
	m->queue = q;
	m->receives = 0;
	m->receipt = 0;
	extra->first_received_ns = 0;
	/* In a FIFO queue its place is the end; its age may begin anew. */
	if (q->fifo || renew) {
		if (extra->first_pushed_ns == 0)
			extra->first_pushed_ns = was_ns;
		m->pushed_ns = registry_stamp(r, at_ns);
	}
	message_to_line(m, true, at_ns);
	queue_touch(q);
	if (r->journal != NULL)
		r->journal->move(r->journal->arg, m, was_ns);
}

bool
message_die(struct message *m, enum dead_reason reason, int64_t at_ns)
{
	struct queue *q = m->queue;
	size_t name_bytes = strlen(q->name) + 1;
	struct message_extra *extra;
	struct dead_letter *dead;
	struct group *g;

	if (q->dead_letters == NULL || !journal_reserve(q->registry, 1, 0) ||
	    (extra = message_extra_get(m)) == NULL)
		return false;
	if ((dead = mem_alloc(sizeof(*dead) + name_bytes)) == NULL)
		return false;
	if (!group_there(m, q->dead_letters, &g)) {
		mem_free(dead);
		return false;
	}
	dead->receives = m->receives;
	dead->receipt = m->receipt;
	dead->reason = reason;
	memcpy(dead->queue, q->name, name_bytes);
	mem_free(extra->dead);
	extra->dead = dead;
	q->totals.dead_lettered++;
	queue_touch(q);
	move(m, q->dead_letters, g, false, at_ns);
	return true;
}

/* As a message that is new; whoever holds it sees its new name. */
static void
rename_message(struct message *m)
{
	struct registry *r = m->queue->registry;

	index_remove(&r->index, m);
	m->id = r->new_id();
	index_insert(&r->index, m);
}

/* Move m back, if there is a place for it. */
static bool
redrive_one(struct message *m, struct queue *to, bool renew, int64_t now_ns)
{
	struct queue *from = m->queue;
	const struct dead_letter *dead = message_dead_letter(m);
	struct message_extra *extra;
	struct group *g;

	if (to == NULL && dead != NULL)
		to = registry_find(from->registry, dead->queue);
	if (to == NULL || to == from || !journal_reserve(to->registry, 1, 0) ||
	    (extra = message_extra_get(m)) == NULL ||
	    !group_there(m, to, &g))
		return false;
	mem_free(extra->dead);
	extra->dead = NULL;
	if (renew && from->registry->new_id != NULL)
		rename_message(m);
	/* Or one that is redriven would be too old where it comes to. */
	move(m, to, g, to->settings.retention_ms > 0, now_ns);
	return true;
}

/* Where the last slice left off; it starts anew where that has moved on. */
static void
walk_on(struct walk *w, struct op_redrive *op, struct queue *q)
{
	struct message *m = op->reached;

	if (m != NULL && m->queue == q && m->state == MESSAGE_AVAILABLE)
		walk_after(w, m);
	else
		walk_begin(w, q, MESSAGE_AVAILABLE);
}

static void
reach(struct op_redrive *op, struct message *m)
{
	if (m != NULL)
		message_ref(m);
	message_unref(op->reached);
	op->reached = m;
}

bool
queue_redrive(struct queue *q, struct op_redrive *op, struct queue *to,
    int64_t now_ns, size_t slice)
{
	/* What was due before it comes before what it moves, in all queues. */
	if (registry_expire(q->registry, now_ns, slice))
		return false;
	if (!queue_redrive_slice(q, op, to, now_ns, slice))
		return false;
	redrive_end(op);
	return true;
}

bool
queue_redrive_slice(struct queue *q, struct op_redrive *op, struct queue *to,
    int64_t now_ns, size_t slice)
{
	struct group *held = NULL;
	struct message *m, *stays = NULL;
	struct walk w;

	walk_on(&w, op, q);
	while (slice > 0 && op->moved < op->max && (m = walk_next(&w)) != NULL) {
		slice--;
		if (w.group != held) {
			group_unref(held);
			held = w.group != NULL ? group_ref(w.group) : NULL;
		}
		/* What came back since it began may have been moved before. */
		if (m->available_ns <= op->began_ns &&
		    redrive_one(m, to, op->renew, now_ns))
			op->moved++;
		else
			stays = m;
	}
	if (stays != NULL)
		reach(op, stays);
	group_unref(held);
	return slice > 0 || op->moved == op->max;
}

void
redrive_end(struct op_redrive *op)
{
	reach(op, NULL);
}
