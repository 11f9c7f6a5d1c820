/* All queues of the process, and what falls due in them. */
#include "core/registry.h"

#include <string.h>

#include "base/mem.h"
#include "core/state.h"

#define ROOT_NAME	"default"

struct registry *
registry_new(const struct queue_settings *defaults,
    const struct lock_timers *timers, uint64_t seed)
{
	struct registry *r;

	if ((r = mem_zalloc(sizeof(*r))) == NULL)
		return NULL;
	r->timers = *timers;
	r->random = seed;
	deadlines_init(&r->deadlines);
	if (index_init(&r->index) == -1)
		goto fail;
	if ((r->root = queue_new(r, ROOT_NAME, defaults)) == NULL)
		goto fail;
	return r;
fail:
	registry_free(r);
	return NULL;
}

void
registry_free(struct registry *r)
{
	struct queue *q, *next;

	if (r == NULL)
		return;
	HASH_ITER(hh, r->queues, q, next)
		queue_free(q);
	index_fini(&r->index);
	mem_free(r);
}

struct queue *
registry_find(struct registry *r, const char *name)
{
	struct queue *q;

	if (name == NULL)
		return r->root;
	HASH_FIND_STR(r->queues, name, q);
	return q;
}

bool
registry_expire(struct registry *r, int64_t now_ns, size_t max)
{
	struct deadline *d;

	for (; (d = deadlines_first(&r->deadlines)) != NULL &&
	    d->due_ns <= now_ns; max--) {
		if (max == 0)
			return true;
		queue_due(d);
	}
	return false;
}

int64_t
registry_next_due_ns(const struct registry *r)
{
	struct deadline *d = deadlines_first(&r->deadlines);

	return d != NULL ? d->due_ns : INT64_MAX;
}

void *
hold_timer(struct hold *h)
{
	return h + 1;
}

int64_t
hold_due_ns(const struct hold *h)
{
	return h->deadline.due_ns;
}
