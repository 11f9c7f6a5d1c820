/*
 * Repeats of a push: for five minutes after it, a push with the same key is
 * not done again.  Source: SQS, "exactly-once processing".
 */
#include "base/mem.h"
#include "core/queue.h"
#include "core/state.h"

#define WINDOW_NS	INT64_C(300000000000)	/* 5 minutes, as SQS has it */

const struct id *
queue_find_dedup(const struct queue *q, const uint8_t key[DIGEST_BYTES])
{
	struct dedup *d;

	HASH_FIND(hh, q->dedups, key, DIGEST_BYTES, d);
	return d != NULL ? &d->id : NULL;
}

enum wq_status
queue_add_dedup(struct queue *q, const uint8_t key[DIGEST_BYTES],
    const struct id *id, int64_t now_ns)
{
	struct dedup *d = mem_zalloc(sizeof(*d));

	if (d == NULL)
		return WQ_NOMEM;
	d->queue = q;
	d->id = *id;
	memcpy(d->key, key, DIGEST_BYTES);
	HASH_ADD(hh, q->dedups, key, DIGEST_BYTES, d);
	if (d->hh.tbl == NULL) {	/* HASH_NONFATAL_OOM */
		mem_free(d);
		return WQ_NOMEM;
	}
	deadlines_add(&q->registry->deadlines, &d->deadline, DEADLINE_DEDUP,
	    now_ns + WINDOW_NS, WINDOW_NS);
	return WQ_OK;
}

void
queue_drop_dedup(struct queue *q, const uint8_t key[DIGEST_BYTES])
{
	struct dedup *d;

	HASH_FIND(hh, q->dedups, key, DIGEST_BYTES, d);
	if (d != NULL)
		dedup_free(d);
}

void
dedup_free(struct dedup *d)
{
	deadlines_remove(&d->queue->registry->deadlines, &d->deadline);
	HASH_DEL(d->queue->dedups, d);
	mem_free(d);
}
