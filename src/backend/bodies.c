/* Bodies from the store to messages that have none in memory. */
#include "backend/bodies.h"

#include "backend/journal.h"
#include "base/mem.h"
#include "core/outside.h"

#define AHEAD_MAX	256		/* bodies that are read ahead */
#define AHEAD_BYTES	(UINT64_C(1) << 20)

void
bodies_take(struct store_batch *b)
{
	struct store_fetch *f;
	size_t i;

	for (i = 0; i < b->count; i++) {
		if (b->record[i].verb != STORE_FETCH)
			continue;
		f = &b->record[i].fetch;
		if (f->body != NULL)
			message_load(f->cookie, f->body);
		f->body = NULL;
	}
}

void
bodies_end(struct store_batch *b)
{
	size_t i;

	for (i = 0; i < b->count; i++)
		if (b->record[i].verb == STORE_FETCH) {
			mem_free(b->record[i].fetch.body);
			message_unref(b->record[i].fetch.cookie);
		}
}

bool
bodies_ask(struct records *r, struct queue *q, const struct delivery *out,
    size_t count, bool *any)
{
	struct message *ahead[AHEAD_MAX];
	size_t i, n = 0;
	bool good = true;

	*any = false;
	for (i = 0; i < count && good; i++)
		if (message_body(out[i].message) == NULL) {
			good = records_fetch(r, out[i].message);
			*any = true;
		}
	if (*any && good && q != NULL)
		n = queue_ahead(q, ahead, AHEAD_MAX, AHEAD_BYTES);
	for (i = 0; i < n; i++) {
		/* Without memory for it, it is read when it is its turn. */
		if (!records_fetch(r, ahead[i]))
			ahead[i]->ahead = false;
		message_unref(ahead[i]);
	}
	return good;
}
