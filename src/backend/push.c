/*
 * A push of one message or many: its terms, its limits, its repeats.  All that
 * may fail comes before anything is changed.
 */
#include "backend/push.h"

#include <stdbool.h>
#include <string.h>

#include "base/digest.h"
#include "base/id.h"
#include "base/mem.h"
#include "core/coming.h"
#include "core/dedup.h"
#include "core/queue.h"

/* The terms of a push to q.  WQ_NO_DELAY. */
static enum wq_status
terms_of(const struct op_push *push, const struct queue *q,
    struct push_terms *out)
{
	const struct queue_settings *s = queue_settings(q);

	if (push->delay_ms >= 0 && queue_is_fifo(q))
		return WQ_NO_DELAY;
	out->delay_ms = push->delay_ms >= 0 ? push->delay_ms : s->delay_ms;
	out->ttl_ms = push->ttl_ms >= 0 ? push->ttl_ms : s->ttl_ms;
	out->lock_ms = push->lock_ms;
	out->group = push->group;
	out->group_bytes = push->group_bytes;
	return WQ_OK;
}

/* The key by which a repeat of this body's push is known; false: none. */
static bool
dedup_key(const struct op_push *push, const void *body, size_t bytes,
    const struct queue *q, uint8_t key[DIGEST_BYTES])
{
	if (push->dedup != NULL)
		digest('i', push->dedup, push->dedup_bytes, key);
	else if (queue_settings(q)->content_based_dedup)
		digest('b', body, bytes, key);
	else
		return false;
	return true;
}

/* One message of a push, ready for queue_come(); *m is NULL for a repeat. */
static enum wq_status
make_message(struct queue *q, const struct op_push *push, struct op_body *b,
    const struct push_terms *terms, int64_t now_ns, struct message **m)
{
	uint8_t key[DIGEST_BYTES];
	bool keyed = dedup_key(push, b->data, b->bytes, q, key);
	const struct id *first = keyed ? queue_find_dedup(q, key) : NULL;

	*m = NULL;
	b->duplicate = first != NULL;
	if (first != NULL) {
		b->id = *first;
		return WQ_OK;
	}
	b->id = id_new();
	if ((*m = message_new(b->id, b->data, b->bytes)) == NULL)
		return WQ_NOMEM;
	if (queue_prepare(q, *m, terms) == WQ_OK && (!keyed ||
	    queue_add_dedup(q, key, &b->id, now_ns) == WQ_OK))
		return WQ_OK;
	message_unref(*m);
	*m = NULL;
	return WQ_NOMEM;
}

/* Is there room for those that are not repeats? */
static enum wq_status
has_room(const struct queue *q, struct message *const *made, size_t count,
    const struct push_room *room)
{
	uint64_t bytes = 0;
	size_t i, n = 0;

	for (i = 0; i < count; i++)
		if (made[i] != NULL) {
			n++;
			bytes += made[i]->body_bytes;
		}
	if (n == 0)
		return WQ_OK;
	if (bytes > room->max_bytes)
		return WQ_TOO_LARGE;
	if (bytes > room->left_bytes)
		return WQ_FULL_MEMORY;
	return queue_has_room(q, n, bytes);
}

static void
drop_all(struct queue *q, struct op_push *push, size_t count)
{
	uint8_t key[DIGEST_BYTES];
	struct message *m;
	size_t i;

	for (i = 0; i < count; i++) {
		if ((m = push->made[i]) == NULL)
			continue;
		/* Its key, whatever the queue's settings are by now. */
		if (push->dedup != NULL)
			digest('i', push->dedup, push->dedup_bytes, key);
		else
			digest('b', m->body, m->body_bytes, key);
		if (q != NULL)
			queue_drop_dedup(q, key, &m->id);
		if (m->queue != NULL)
			message_turn_back(m);
		else
			message_unref(m);
	}
}

static void
free_made(struct op_push *push)
{
	if (push->made != &push->one)
		mem_free(push->made);
	push->made = NULL;
}

/* All that may fail. */
static enum wq_status
make_all(struct queue *q, struct op_push *push,
    const struct push_terms *terms, const struct push_room *room,
    int64_t now_ns)
{
	enum wq_status st = WQ_OK;
	size_t n;

	for (n = 0; n < push->count && st == WQ_OK; n++)
		st = make_message(q, push, &push->bodies[n], terms, now_ns,
		    &push->made[n]);
	if (st == WQ_OK)
		st = has_room(q, push->made, n, room);
	if (st == WQ_OK && !queue_reserve(q, n, push->group_bytes))
		st = WQ_NOMEM;
	if (st != WQ_OK)
		drop_all(q, push, n);
	return st;
}

enum wq_status
push_begin(struct queue *q, struct op_push *push, const struct push_room *room,
    int64_t now_ns)
{
	uint8_t key[DIGEST_BYTES];
	struct push_terms terms;
	struct message *m;
	enum wq_status st;
	size_t i;

	if ((st = terms_of(push, q, &terms)) != WQ_OK)
		return st;
	push->made = push->count == 1 ? &push->one :
	    mem_alloc(push->count * sizeof(*push->made));
	if (push->made == NULL)
		return WQ_NOMEM;
	if ((st = make_all(q, push, &terms, room, now_ns)) != WQ_OK) {
		free_made(push);
		return st;
	}
	for (i = 0; i < push->count; i++) {
		if ((m = push->made[i]) == NULL)
			queue_count_duplicate(q);
		else
			queue_come(q, m, &terms, dedup_key(push, m->body,
			    m->body_bytes, q, key) ? key : NULL, now_ns);
	}
	return WQ_OK;
}

bool
push_repeats(const struct op_push *push, const struct op_push *first)
{
	const struct op_body *b;
	size_t i, j;

	for (i = 0; i < push->count; i++) {
		b = &push->bodies[i];
		for (j = 0; b->duplicate && j < first->count; j++)
			if (first->made[j] != NULL && memcmp(&b->id,
			    &first->made[j]->id, sizeof(b->id)) == 0)
				return true;
	}
	return false;
}

void
push_end(struct queue *q, struct op_push *push, bool arrives)
{
	size_t i;

	if (!arrives)
		drop_all(q, push, push->count);
	else
		for (i = 0; i < push->count; i++)
			if (push->made[i] != NULL)
				message_arrive(push->made[i]);
	free_made(push);
}
