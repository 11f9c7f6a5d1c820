/* Records that others of the same transaction make needless. */
#include "store/coalesce.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

#define ROOM_MIN	64

static size_t
place_of(const struct coalescer *c, int64_t seq)
{
	/* Stamps are dense in their lower bits; the constant is 2^64/phi. */
	uint64_t hash = (uint64_t)seq * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash >> 32) & (c->room - 1);

	while (c->seq[i] != 0 && c->seq[i] != seq)
		i = (i + 1) & (c->room - 1);
	return i;
}

static size_t
count(const struct store_batches *work, enum store_verb verb)
{
	const struct store_batch *b;
	size_t i, n = 0;

	TAILQ_FOREACH(b, work, link)
		for (i = 0; i < b->count; i++)
			n += b->record[i].verb == verb;
	return n;
}

/* An empty table for n of them.  False: no memory. */
static bool
make_table(struct coalescer *c, size_t n)
{
	size_t room = ROOM_MIN;

	while (room < 2 * n)
		room *= 2;
	if (room != c->room) {
		mem_free(c->seq);
		c->seq = mem_alloc(room * sizeof(*c->seq));
		c->room = c->seq != NULL ? room : 0;
	}
	if (c->seq == NULL)
		return false;
	memset(c->seq, 0, room * sizeof(*c->seq));
	return true;
}

void
coalesce(struct coalescer *c, struct store_batches *work)
{
	size_t i, gone = count(work, STORE_GONE);
	struct store_batch *b;
	struct store_record *r;

	if (gone == 0 || count(work, STORE_LOCK) == 0 || !make_table(c, gone))
		return;
	TAILQ_FOREACH(b, work, link)
		for (i = 0; i < b->count; i++) {
			r = &b->record[i];
			if (r->verb == STORE_GONE)
				c->seq[place_of(c, r->seq)] = r->seq;
		}
	TAILQ_FOREACH(b, work, link)
		for (i = 0; i < b->count; i++) {
			r = &b->record[i];
			if (r->verb == STORE_LOCK &&
			    c->seq[place_of(c, r->seq)] == r->seq)
				r->verb = STORE_NOTHING;
		}
}

void
coalescer_fini(struct coalescer *c)
{
	mem_free(c->seq);
	c->seq = NULL;
	c->room = 0;
}
