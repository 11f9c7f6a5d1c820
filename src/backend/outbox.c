/*
 * Records are gathered while the writer is busy, for small commits cost as
 * much as large ones.  They go when it has nothing to do, or once they are
 * enough for its next commit: a part of the clients then waits for the disk
 * while the others are served.
 */
#include "backend/outbox.h"

#include "store/batch.h"

#define ENOUGH_PERCENT	75	/* of the records that are being written */
#define GATHER_MAX	4096	/* records; more go at once */

void
outbox_init(struct outbox *o, struct store *store, void (*begun)(void *),
    void *arg)
{
	records_init(&o->records, store, begun, arg);
	o->handed = o->kept = 0;
	o->in_hand = o->next = 0;
}

void
outbox_fini(struct outbox *o)
{
	batch_free(o->records.batch);
	o->records.batch = NULL;
}

size_t
outbox_gathered(const struct outbox *o)
{
	const struct store_batch *b = o->records.batch;

	return b != NULL ? b->count : 0;
}

size_t
outbox_records(const struct outbox *o)
{
	return store_waiting_records(o->records.store) + outbox_gathered(o);
}

uint64_t
outbox_bytes(const struct outbox *o)
{
	const struct store_batch *b = o->records.batch;

	return store_waiting_bytes(o->records.store) +
	    (b != NULL ? b->body_bytes : 0);
}

uint64_t
outbox_told(const struct outbox *o)
{
	return o->handed + (outbox_gathered(o) > 0);
}

bool
outbox_is_time(const struct outbox *o)
{
	size_t count = outbox_gathered(o);

	return o->in_hand == 0 || count >= GATHER_MAX ||
	    (o->next + count) * 100 >= o->in_hand * ENOUGH_PERCENT;
}

void
outbox_hand_over(struct outbox *o, int64_t now_ns)
{
	struct store_batch *b = o->records.batch;

	if (outbox_gathered(o) == 0)
		return;
	o->records.batch = NULL;
	if (o->in_hand == 0)
		o->in_hand = b->count;
	else
		o->next += b->count;
	o->handed = store_hand_over(o->records.store, b, now_ns);
}

void
outbox_kept(struct outbox *o, uint64_t number)
{
	o->kept = number;
	/* The writer goes on with all that it has. */
	o->in_hand = store_waiting_records(o->records.store);
	o->next = 0;
}
