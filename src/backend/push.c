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

/* Repeats are those of one group only. */
static void
add_group(const struct op_push *push, uint8_t key[DIGEST_BYTES])
{
	uint8_t both[2 * DIGEST_BYTES];

	memcpy(both, key, DIGEST_BYTES);
	digest('g', push->group, push->group_bytes, both + DIGEST_BYTES);
	digest('c', both, sizeof(both), key);
}

/* The key by which a repeat of this body's push is known, if it is by any. */
static void
set_key(const struct op_push *push, const struct queue *q, struct op_body *b)
{
	const struct queue_settings *s = queue_settings(q);

	b->keyed = push->dedup != NULL || s->content_based_dedup;
	if (push->dedup != NULL)
		digest('i', push->dedup, push->dedup_bytes, b->key);
	else if (b->keyed)
		digest('b', b->data, b->bytes, b->key);
	if (b->keyed && s->dedup_by_group && push->group != NULL)
		add_group(push, b->key);
}

/* One message of a push, ready for queue_come(); *m is NULL for a repeat. */
static enum wq_status
make_message(struct queue *q, const struct op_push *push, struct op_body *b,
    const struct push_terms *terms, int64_t now_ns, struct message **m)
{
	int64_t max = queue_settings(q)->max_message_bytes;
	const struct id *first;

	*m = NULL;
	set_key(push, q, b);
	first = b->keyed ? queue_find_dedup(q, b->key) : NULL;
	b->duplicate = first != NULL;
	b->pushed_ns = 0;
	if (push->needs_key && !b->keyed && queue_is_fifo(q))
		return WQ_NO_KEY;
	if (max > 0 && (b->sent_bytes > 0 ? b->sent_bytes : b->bytes) >
	    (size_t)max)
		return WQ_MESSAGE_TOO_LARGE;
	if (first != NULL) {
		b->id = *first;
		return WQ_OK;
	}
	b->id = id_new();
	if ((*m = message_new(b->id, b->data, b->bytes)) == NULL)
		return WQ_NOMEM;
	(*m)->text = b->is_text;
	if (message_set_attributes(*m, b->attributes, b->attributes_bytes) ==
	    WQ_OK && queue_prepare(q, *m, terms) == WQ_OK && (!b->keyed ||
	    queue_add_dedup(q, b->key, &b->id, now_ns) == WQ_OK))
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
	struct message *m;
	size_t i;

	for (i = 0; i < count; i++) {
		if ((m = push->made[i]) == NULL)
			continue;
		if (q != NULL && push->bodies[i].keyed)
			queue_drop_dedup(q, push->bodies[i].key, &m->id);
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

static size_t
attributes_bytes(const struct op_push *push)
{
	size_t i, bytes = 0;

	for (i = 0; i < push->count; i++)
		bytes += push->bodies[i].attributes_bytes;
	return bytes;
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
	if (st == WQ_OK && !queue_reserve(q, n, n * push->group_bytes +
	    attributes_bytes(push)))
		st = WQ_NOMEM;
	if (st != WQ_OK)
		drop_all(q, push, n);
	return st;
}

enum wq_status
push_begin(struct queue *q, struct op_push *push, const struct push_room *room,
    int64_t now_ns)
{
	struct push_terms terms;
	struct op_body *b;
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
		b = &push->bodies[i];
		if ((m = push->made[i]) == NULL) {
			/* The first may be one of these. */
			b->pushed_ns = queue_dedup_pushed_ns(q, b->key);
			queue_count_duplicate(q);
		} else {
			queue_come(q, m, &terms, b->keyed ? b->key : NULL,
			    now_ns);
			b->pushed_ns = m->pushed_ns;
		}
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
