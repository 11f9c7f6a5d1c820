/*
 * Queues that were purged or deleted.  What a million messages hold takes a
 * tenth of a second to free, so it goes in slices: a purge or a delete takes
 * the queue away from its name, which nobody can tell from its messages being
 * gone, and the registry keeps it among the dying until it is empty.
 */
#include "core/group.h"
#include "core/place.h"
#include "core/registry.h"
#include "core/state.h"

static void
reap_one(struct message *m)
{
	struct registry *r = m->queue->registry;

	/* Without room for it, it is of no queue after a restart, and goes. */
	if (r->journal != NULL && journal_reserve(r, 1, 0))
		r->journal->gone(r->journal->arg, m);
	message_gone(m);
}

/* Each returns how much of max is left. */
static size_t
reap_list(struct message_list *list, size_t max)
{
	struct message *m;

	for (; max > 0 && (m = TAILQ_FIRST(list)) != NULL; max--)
		reap_one(m);
	return max;
}

static size_t
reap_holds(struct hold_list *list, size_t max)
{
	struct hold *h;

	for (; max > 0 && (h = TAILQ_FIRST(list)) != NULL; max--)
		reap_one(h->message);
	return max;
}

static size_t
reap_groups(struct queue *q, size_t max)
{
	struct group *g;

	while (max > 0 && (g = q->groups) != NULL) {
		group_ref(g);	/* its last message may be the last ref */
		max = reap_list(&g->line.fresh, max);
		max = reap_list(&g->line.returned, max);
		if (max > 0) {
			group_orphan(g);
			max--;
		}
		group_unref(g);
	}
	return max;
}

static size_t
reap_dedups(struct dedups *all, size_t max)
{
	for (; max > 0 && all->by_key != NULL; max--)
		dedup_free(all->by_key);
	return max;
}

bool
queue_reap(struct queue *q, size_t max)
{
	max = reap_list(&q->line.fresh, max);
	max = reap_list(&q->line.returned, max);
	max = reap_holds(&q->locked, max);
	max = reap_holds(&q->delayed, max);
	max = reap_groups(q, max);
	if (q->dedups != NULL)
		max = reap_dedups(q->dedups, max);
	if (max == 0)
		return false;
	TAILQ_REMOVE(&q->registry->dying, q, list_link);
	queue_free(q);
	return true;
}
