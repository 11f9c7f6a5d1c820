/*
 * The order in which things are due.
 * Invariants: a lane is sorted by due_ns and all in it have its duration;
 * first_ns[i] is the due_ns of lane i's head, or INT64_MAX where it is empty.
 */
#include "core/deadline.h"

#include <assert.h>

#define IN_TREE	DEADLINE_LANES

static int
deadline_compare(const struct deadline *a, const struct deadline *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns ? -1 : 1;
	/* As a difference, so that the counter may wrap around. */
	return (int32_t)(a->order - b->order);
}

RB_GENERATE_INTERNAL(deadline_tree, deadline, at.node, deadline_compare,
    static __attribute__((unused)))

void
deadlines_init(struct deadlines *ds)
{
	int i;

	for (i = 0; i < DEADLINE_LANES; i++) {
		TAILQ_INIT(&ds->lane[i].list);
		ds->lane[i].duration_ns = -1;
		ds->first_ns[i] = INT64_MAX;
	}
	RB_INIT(&ds->tree);
	ds->lanes = 0;
	ds->count = 0;
	ds->order = 0;
}

/* The lane for a duration, else an empty one made its own, else IN_TREE. */
static int
lane_for(struct deadlines *ds, int64_t duration_ns)
{
	int i, empty = IN_TREE;

	for (i = 0; i < ds->lanes; i++) {
		if (ds->lane[i].duration_ns == duration_ns)
			return i;
		if (empty == IN_TREE && ds->first_ns[i] == INT64_MAX)
			empty = i;
	}
	if (empty == IN_TREE && ds->lanes < DEADLINE_LANES)
		empty = ds->lanes++;
	if (empty != IN_TREE)
		ds->lane[empty].duration_ns = duration_ns;
	return empty;
}

void
deadlines_add(struct deadlines *ds, struct deadline *d,
    enum deadline_kind kind, int64_t due_ns, int64_t duration_ns)
{
	int i = lane_for(ds, duration_ns);
	struct deadline *last;

	d->kind = (uint8_t)kind;
	d->due_ns = due_ns;
	d->order = ds->order++;
	ds->count++;
	if (i != IN_TREE) {
		last = TAILQ_LAST(&ds->lane[i].list, deadline_list);
		/* A clock that stands still is fine, one going back is not. */
		if (last != NULL && last->due_ns > due_ns)
			i = IN_TREE;
	}
	d->lane = (uint8_t)i;
	if (i == IN_TREE) {
		RB_INSERT(deadline_tree, &ds->tree, d);
		return;
	}
	if (TAILQ_EMPTY(&ds->lane[i].list))
		ds->first_ns[i] = due_ns;
	TAILQ_INSERT_TAIL(&ds->lane[i].list, d, at.link);
}

void
deadlines_remove(struct deadlines *ds, struct deadline *d)
{
	struct deadline *first;

	assert(ds->count > 0);
	ds->count--;
	if (d->lane == IN_TREE) {
		RB_REMOVE(deadline_tree, &ds->tree, d);
		return;
	}
	TAILQ_REMOVE(&ds->lane[d->lane].list, d, at.link);
	first = TAILQ_FIRST(&ds->lane[d->lane].list);
	ds->first_ns[d->lane] = first != NULL ? first->due_ns : INT64_MAX;
}

static struct deadline *
earlier(struct deadline *a, struct deadline *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return deadline_compare(a, b) < 0 ? a : b;
}

struct deadline *
deadlines_first(const struct deadlines *ds)
{
	struct deadline *d = NULL;
	int64_t due_ns = INT64_MAX;
	int i;

	if (ds->count == 0)
		return NULL;
	for (i = 0; i < ds->lanes; i++)
		if (ds->first_ns[i] != INT64_MAX && ds->first_ns[i] <= due_ns) {
			d = earlier(d, TAILQ_FIRST(&ds->lane[i].list));
			due_ns = d->due_ns;
		}
	if (!RB_EMPTY(&ds->tree))
		d = earlier(d, RB_MIN(deadline_tree,
		    (struct deadline_tree *)(uintptr_t)&ds->tree));
	return d;
}
