/*
 * Repeats of a push: for five minutes after it, a push with the same key is
 * not done again.  Source: SQS, "exactly-once processing".
 */
#include <string.h>

#include "base/mem.h"
#include "core/dedup.h"
#include "core/queue.h"
#include "core/state.h"

#define WINDOW_NS	INT64_C(300000000000)	/* 5 minutes, as SQS has it */

static struct dedup *
find(const struct queue *q, const uint8_t key[DIGEST_BYTES])
{
	struct dedup *d;

	if (q->dedups == NULL)
		return NULL;
	HASH_FIND(hh, q->dedups->by_key, key, DIGEST_BYTES, d);
	return d;
}

const struct id *
queue_find_dedup(const struct queue *q, const uint8_t key[DIGEST_BYTES])
{
	struct dedup *d = find(q, key);

	return d != NULL ? &d->id : NULL;
}

int64_t
queue_dedup_pushed_ns(const struct queue *q, const uint8_t key[DIGEST_BYTES])
{
	return find(q, key)->pushed_ns;
}

int64_t
queue_number_dedup(struct queue *q, const uint8_t key[DIGEST_BYTES],
    int64_t pushed_ns)
{
	struct dedup *d = find(q, key);

	d->pushed_ns = pushed_ns;
	return d->deadline.due_ns;
}

enum wq_status
queue_add_dedup(struct queue *q, const uint8_t key[DIGEST_BYTES],
    const struct id *id, int64_t now_ns)
{
	/* Its sequence: from queue_number_dedup(). */
	return queue_restore_dedup(q, key, id, 0, now_ns + WINDOW_NS);
}

enum wq_status
queue_restore_dedup(struct queue *q, const uint8_t key[DIGEST_BYTES],
    const struct id *id, int64_t pushed_ns, int64_t until_ns)
{
	struct dedup *d;

	if (q->dedups == NULL) {
		q->dedups = mem_zalloc(sizeof(*q->dedups));
		if (q->dedups == NULL)
			return WQ_NOMEM;
		q->dedups->registry = q->registry;
	}
	if ((d = mem_zalloc(sizeof(*d))) == NULL)
		return WQ_NOMEM;
	d->owner = q->dedups;
	d->id = *id;
	d->pushed_ns = pushed_ns;
	memcpy(d->key, key, DIGEST_BYTES);
	HASH_ADD(hh, d->owner->by_key, key, DIGEST_BYTES, d);
	if (d->hh.tbl == NULL) {	/* HASH_NONFATAL_OOM */
		mem_free(d);
		return WQ_NOMEM;
	}
	q->registry->memory_bytes += sizeof(*d) + THING_OVERHEAD_BYTES;
	deadlines_add(&q->registry->deadlines, &d->deadline, DEADLINE_DEDUP,
	    until_ns, WINDOW_NS);
	return WQ_OK;
}

void
queue_drop_dedup(struct queue *q, const uint8_t key[DIGEST_BYTES],
    const struct id *id)
{
	struct dedup *d = find(q, key);

	if (d != NULL && memcmp(&d->id, id, sizeof(*id)) == 0)
		dedup_free(d);
}

void
dedup_free(struct dedup *d)
{
	deadlines_remove(&d->owner->registry->deadlines, &d->deadline);
	d->owner->registry->memory_bytes -= sizeof(*d) + THING_OVERHEAD_BYTES;
	HASH_DEL(d->owner->by_key, d);
	mem_free(d);
}

void
queue_count_duplicate(struct queue *q)
{
	q->totals.duplicates++;
	queue_touch(q);
}
