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

static struct message_extra *
extra_get(struct message *m)
{
	if (m->extra == NULL &&
	    (m->extra = mem_zalloc(sizeof(*m->extra))) != NULL) {
		m->extra->message = m;
		m->extra->lock_ms = -1;
	}
	return m->extra;
}

/*
 * Get what m needs to be in q: its group there, NULL where it has none.
 * False: no memory.
 */
static bool
group_there(struct message *m, struct queue *q, struct group **out)
{
	struct group *g = message_group_of(m);

	*out = NULL;
	if (g == NULL && !q->fifo)
		return true;
	*out = group_get(q, g != NULL ? g->name : "",
	    g != NULL ? g->name_bytes : 0);
	return *out != NULL;
}

/* m goes to the end of q's line; g, which it takes, is its group there. */
static void
move(struct message *m, struct queue *q, struct group *g, int64_t at_ns)
{
	struct queue *from = m->queue;
	struct registry *r = q->registry;

	message_leave(m);
	group_unref(m->extra->group);
	m->extra->group = g;
	if (m->extra->has_ttl)
		deadlines_remove(&r->deadlines, &m->extra->ttl);
	m->extra->has_ttl = false;
	from->body_bytes -= m->body_bytes;
	q->body_bytes += m->body_bytes;
	m->queue = q;
	m->receives = 0;
	m->receipt = 0;
	if (q->fifo) {		/* its place there is the end */
		r->stamp_ns = at_ns > r->stamp_ns ? at_ns : r->stamp_ns + 1;
		m->pushed_ns = r->stamp_ns;
	}
	message_to_line(m, true, at_ns);
}

bool
message_die(struct message *m, enum dead_reason reason, int64_t at_ns)
{
	struct queue *q = m->queue;
	size_t name_bytes = strlen(q->name) + 1;
	struct dead_letter *dead;
	struct group *g;

	if (q->dead_letters == NULL || extra_get(m) == NULL)
		return false;
	if ((dead = mem_alloc(sizeof(*dead) + name_bytes)) == NULL)
		return false;
	if (!group_there(m, q->dead_letters, &g)) {
		mem_free(dead);
		return false;
	}
	dead->receives = m->receives;
	dead->reason = reason;
	dead->pushed_ns = message_pushed_ns(m);
	memcpy(dead->queue, q->name, name_bytes);
	mem_free(m->extra->dead);
	m->extra->dead = dead;
	q->totals.dead_lettered++;
	move(m, q->dead_letters, g, at_ns);
	return true;
}

/* Move m back, if there is a place for it. */
static bool
redrive_one(struct message *m, struct queue *to, int64_t now_ns)
{
	struct queue *from = m->queue;
	struct group *g;

	if (to == NULL && m->extra != NULL && m->extra->dead != NULL)
		to = registry_find(from->registry, m->extra->dead->queue);
	if (to == NULL || to == from || extra_get(m) == NULL ||
	    !group_there(m, to, &g))
		return false;
	mem_free(m->extra->dead);
	m->extra->dead = NULL;
	move(m, to, g, now_ns);
	return true;
}

static size_t
redrive_list(struct message_list *list, struct queue *to, size_t max,
    int64_t now_ns)
{
	struct message *m, *next;
	size_t n = 0;

	for (m = TAILQ_FIRST(list); m != NULL && n < max; m = next) {
		next = TAILQ_NEXT(m, at.line);
		n += redrive_one(m, to, now_ns);
	}
	return n;
}

static size_t
redrive_line(struct line *line, struct queue *to, size_t max, int64_t now_ns)
{
	size_t n = redrive_list(&line->returned, to, max, now_ns);

	return n + redrive_list(&line->fresh, to, max - n, now_ns);
}

void
queue_redrive(struct queue *q, struct op_redrive *op, struct queue *to,
    int64_t now_ns)
{
	struct group *g, *next;

	op->moved = redrive_line(&q->line, to, op->max, now_ns);
	HASH_ITER(hh, q->groups, g, next) {
		if (op->moved == op->max)
			break;
		g->refs++;	/* its last message may leave it */
		op->moved += redrive_line(&g->line, to, op->max - op->moved,
		    now_ns);
		group_unref(g);
	}
}
