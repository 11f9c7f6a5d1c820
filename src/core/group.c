/*
 * Groups, and who is next among them.
 * Invariants: a group with an available message that may be given out is in
 * one of its queue's trees, keyed by since when its first is available; `key`
 * is what it was inserted with.
 */
#include "core/group.h"

#include <string.h>

#include "base/mem.h"
#include "core/place.h"
#include "core/state.h"

/* SQS developer guide, "fair queues": the thresholds are approximate there. */
#define NOISY_LOCKED_MIN	30
#define NOISY_SHARE		10	/* one of so many */

static int
group_compare(const struct group *a, const struct group *b)
{
	if (a->key_ns != b->key_ns)
		return a->key_ns < b->key_ns ? -1 : 1;
	return (uintptr_t)a < (uintptr_t)b ? -1 : (uintptr_t)a > (uintptr_t)b;
}

RB_GENERATE_INTERNAL(group_tree, group, node, group_compare,
    static __attribute__((unused)))

static uint64_t
group_bytes(const struct group *g)
{
	return sizeof(*g) + g->name_bytes + THING_OVERHEAD_BYTES;
}

struct group *
group_get(struct queue *q, const char *name, size_t bytes)
{
	struct group *g;

	HASH_FIND(hh, q->groups, name, bytes, g);
	if (g == NULL) {
		if ((g = mem_zalloc(sizeof(*g) + bytes + 1)) == NULL)
			return NULL;
		g->queue = q;
		g->name_bytes = bytes;
		memcpy(g->name, name, bytes);
		line_init(&g->line);
		TAILQ_INIT(&g->locked);
		HASH_ADD_KEYPTR(hh, q->groups, g->name, bytes, g);
		if (g->hh.tbl == NULL) {	/* HASH_NONFATAL_OOM */
			mem_free(g);
			return NULL;
		}
		q->registry->memory_bytes += group_bytes(g);
	}
	g->refs++;
	return g;
}

struct group *
group_ref(struct group *g)
{
	g->refs++;
	return g;
}

void
group_unref(struct group *g)
{
	if (g == NULL || --g->refs > 0)
		return;
	if (g->queue != NULL)
		group_orphan(g);
	mem_free(g);
}

void
group_orphan(struct group *g)
{
	g->queue->registry->memory_bytes -= group_bytes(g);
	HASH_DEL(g->queue->groups, g);
	g->queue = NULL;
}

struct group *
message_group_of(const struct message *m)
{
	return m->has_extra ? m->more.extra->group : NULL;
}

static bool
is_noisy(const struct group *g)
{
	return !g->queue->fifo && g->locked_count >= NOISY_LOCKED_MIN &&
	    g->locked_count * NOISY_SHARE > g->queue->locked_count;
}

void
group_update(struct group *g)
{
	struct queue *q = g->queue;
	struct message *first = line_first(&g->line);

	if (g->place == GROUP_QUIET)
		RB_REMOVE(group_tree, &q->quiet, g);
	else if (g->place == GROUP_NOISY)
		RB_REMOVE(group_tree, &q->noisy, g);
	g->place = GROUP_NOWHERE;
	if (first == NULL || (q->fifo && g->locked_count > 0))
		return;
	g->key_ns = first->available_ns;
	g->place = is_noisy(g) ? GROUP_NOISY : GROUP_QUIET;
	if (g->place == GROUP_NOISY)
		RB_INSERT(group_tree, &q->noisy, g);
	else
		RB_INSERT(group_tree, &q->quiet, g);
}

struct message *
queue_next(struct queue *q)
{
	struct message *plain = line_first(&q->line), *m;
	struct group *g, *next;

	if (q->groups == NULL)
		return plain;
	/*
	 * What others lock changes who is noisy.  More than 10 % each: those
	 * that are can be no more than nine, so all are looked at.
	 */
	for (g = RB_MIN(group_tree, &q->noisy); g != NULL; g = next) {
		next = RB_NEXT(group_tree, &q->noisy, g);
		if (!is_noisy(g))
			group_update(g);
	}
	while ((g = RB_MIN(group_tree, &q->quiet)) != NULL && is_noisy(g))
		group_update(g);
	if (g == NULL && plain == NULL)
		g = RB_MIN(group_tree, &q->noisy);
	if (g == NULL)
		return plain;
	m = line_first(&g->line);
	return plain != NULL && plain->available_ns < m->available_ns ?
	    plain : m;
}
