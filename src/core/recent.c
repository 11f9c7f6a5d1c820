/* What was deleted a moment ago. */
#include "core/recent.h"

#include <string.h>

#include "base/mem.h"
#include "core/state.h"

struct recent {
	struct deadline deadline;	/* first: they are cast */
	struct registry *registry;	/* borrowed: its owner */
	UT_hash_handle hh;		/* registry.recents, by name */
	char name[QUEUE_NAME_BYTES];
};

static const uint64_t	recent_bytes = sizeof(struct recent) +
			    THING_OVERHEAD_BYTES;

void
registry_set_moment(struct registry *r, int64_t moment_ns)
{
	r->moment_ns = moment_ns;
}

static struct recent *
find(const struct registry *r, const char *name)
{
	struct recent *d;

	HASH_FIND_STR(r->recents, name, d);
	return d;
}

bool
recent_find(const struct registry *r, const char *name)
{
	return find(r, name) != NULL;
}

void
recent_free(struct recent *d)
{
	struct registry *r = d->registry;

	deadlines_remove(&r->deadlines, &d->deadline);
	r->memory_bytes -= recent_bytes;
	HASH_DEL(r->recents, d);
	mem_free(d);
}

void
recents_free(struct registry *r)
{
	while (r->recents != NULL)
		recent_free(r->recents);
}

void
recent_add(struct registry *r, const char *name, int64_t now_ns)
{
	struct recent *d;

	if (r->moment_ns == 0)
		return;
	if ((d = find(r, name)) != NULL)
		recent_free(d);
	if ((d = mem_zalloc(sizeof(*d))) == NULL)
		return;
	d->registry = r;
	strcpy(d->name, name);
	HASH_ADD_STR(r->recents, name, d);
	if (d->hh.tbl == NULL) {	/* HASH_NONFATAL_OOM */
		mem_free(d);
		return;
	}
	r->memory_bytes += recent_bytes;
	deadlines_add(&r->deadlines, &d->deadline, DEADLINE_RECENT,
	    now_ns + r->moment_ns, r->moment_ns);
}
