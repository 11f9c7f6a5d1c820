/*
 * Messages by id.  Ids are version 4 UUIDs that this process or an equal one
 * made, so their random bits are the hash.
 * Invariant while resizing: a message hangs in `bucket`, or in an `old` bucket
 * at or above `moved`.
 */
#include "core/index.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "core/message.h"

#define BUCKETS_MIN	1024
/* Old buckets emptied with each change: more than the 1 that must be. */
#define STEP		4
/* The memory of an old table goes back in pieces of so many buckets. */
#define DISCARD		8192

static size_t
hash(const struct id *id)
{
	size_t h;

	memcpy(&h, id->bytes, sizeof(h));
	return h;
}

static struct message **
table_new(size_t size)
{
	return mem_pages_alloc(size * sizeof(struct message *));
}

static void
table_free(struct message **table, size_t size)
{
	mem_pages_free(table, size * sizeof(*table));
}

int
index_init(struct index *x)
{
	memset(x, 0, sizeof(*x));
	x->bucket = table_new(BUCKETS_MIN);
	if (x->bucket == NULL)
		return -1;
	x->mask = BUCKETS_MIN - 1;
	return 0;
}

void
index_fini(struct index *x)
{
	table_free(x->bucket, x->mask + 1);
	table_free(x->old, x->old_mask + 1);
	memset(x, 0, sizeof(*x));
}

static void
move_some(struct index *x)
{
	struct message *m, *next, **to;
	size_t n;

	for (n = 0; n < STEP && x->moved <= x->old_mask; n++, x->moved++) {
		for (m = x->old[x->moved]; m != NULL; m = next) {
			next = m->index_next;
			to = &x->bucket[hash(&m->id) & x->mask];
			m->index_next = *to;
			*to = m;
		}
		x->old[x->moved] = NULL;
		if ((x->moved + 1) % DISCARD == 0)
			mem_pages_discard(&x->old[x->moved + 1 - DISCARD],
			    DISCARD * sizeof(*x->old));
	}
	if (x->moved > x->old_mask) {
		table_free(x->old, x->old_mask + 1);
		x->old = NULL;
	}
}

/* Begin to resize where the load asks for it and memory allows it. */
static void
resize(struct index *x)
{
	size_t size = x->mask + 1;
	struct message **bucket;

	if (x->count > size)
		size *= 2;
	else if (size > BUCKETS_MIN && x->count < size / 8)
		size /= 2;
	else
		return;
	if ((bucket = table_new(size)) == NULL)
		return;
	x->old = x->bucket;
	x->old_mask = x->mask;
	x->moved = 0;
	x->bucket = bucket;
	x->mask = size - 1;
}

static void
tidy(struct index *x)
{
	if (x->old == NULL)
		resize(x);
	if (x->old != NULL)
		move_some(x);
}

void
index_insert(struct index *x, struct message *m)
{
	struct message **to = &x->bucket[hash(&m->id) & x->mask];

	m->index_next = *to;
	*to = m;
	x->count++;
	tidy(x);
}

static struct message **
find_link(const struct index *x, const struct id *id)
{
	struct message **link;
	size_t h = hash(id);

	for (link = &x->bucket[h & x->mask]; *link != NULL;
	    link = &(*link)->index_next)
		if (memcmp(&(*link)->id, id, sizeof(*id)) == 0)
			return link;
	if (x->old == NULL || (h & x->old_mask) < x->moved)
		return NULL;
	for (link = &x->old[h & x->old_mask]; *link != NULL;
	    link = &(*link)->index_next)
		if (memcmp(&(*link)->id, id, sizeof(*id)) == 0)
			return link;
	return NULL;
}

void
index_remove(struct index *x, struct message *m)
{
	struct message **link = find_link(x, &m->id);

	assert(link != NULL && *link == m);
	*link = m->index_next;
	m->index_next = NULL;
	x->count--;
	tidy(x);
}

struct message *
index_find(const struct index *x, const struct id *id)
{
	struct message **link = find_link(x, id);

	return link != NULL ? *link : NULL;
}
