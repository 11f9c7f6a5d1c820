/* Receives that may be repeated. */
#include "core/attempt.h"

#include <string.h>

#include "base/mem.h"
#include "core/place.h"
#include "core/queue.h"
#include "core/state.h"

#define NS_PER_MS	INT64_C(1000000)
#define WINDOW_NS	INT64_C(300000000000)	/* 5 minutes, as SQS has it */

struct attempt {
	struct deadline deadline;	/* first: they are cast */
	struct queue *queue;		/* borrowed: its owner */
	UT_hash_handle hh;		/* queue.attempts, by key */
	uint8_t key[DIGEST_BYTES];
	size_t count;
	struct {
		struct id id;
		uint32_t receipt;
		int64_t until_ns;	/* another one: it was extended */
	} given[];
};

static uint64_t
bytes_of(size_t count)
{
	const struct attempt *a = NULL;

	return sizeof(*a) + count * sizeof(a->given[0]) + THING_OVERHEAD_BYTES;
}

static struct attempt *
find(const struct queue *q, const struct op_receive *op,
    uint8_t key[DIGEST_BYTES])
{
	struct attempt *a;

	digest('a', op->attempt, op->attempt_bytes, key);
	HASH_FIND(hh, q->attempts, key, DIGEST_BYTES, a);
	return a;
}

void
attempt_free(struct attempt *a)
{
	struct queue *q = a->queue;

	deadlines_remove(&q->registry->deadlines, &a->deadline);
	q->registry->memory_bytes -= bytes_of(a->count);
	HASH_DEL(q->attempts, a);
	mem_free(a);
}

void
attempts_free(struct queue *q)
{
	while (q->attempts != NULL)
		attempt_free(q->attempts);
}

/* The i-th message of a, if it is locked as it left it; or NULL. */
static struct message *
held(const struct attempt *a, size_t i, int64_t now_ns)
{
	struct message *m = index_find(&a->queue->registry->index,
	    &a->given[i].id);

	return m != NULL && m->queue == a->queue &&
	    m->state == MESSAGE_LOCKED && m->receipt == a->given[i].receipt &&
	    hold_due_ns(m->at.hold) == a->given[i].until_ns &&
	    a->given[i].until_ns > now_ns ? m : NULL;
}

bool
attempt_again(struct queue *q, struct op_receive *op, int64_t now_ns)
{
	struct registry *r = q->registry;
	uint8_t key[DIGEST_BYTES];
	struct attempt *a;
	struct message *m;
	size_t i;

	if (op->attempt == NULL || !q->fifo ||
	    (a = find(q, op, key)) == NULL || a->count > op->max)
		return false;
	for (i = 0; i < a->count; i++)
		if (held(a, i, now_ns) == NULL) {
			attempt_free(a);
			return false;
		}
	if (!journal_reserve(r, a->count, 0))
		return false;
	for (i = 0; i < a->count; i++) {
		m = held(a, i, now_ns);
		message_set_lock_end(m, now_ns, NS_PER_MS * (op->lock_ms >= 0 ?
		    op->lock_ms : message_lock_ms(m)));
		if (r->journal != NULL)
			r->journal->lock(r->journal->arg, m);
		a->given[i].until_ns = hold_due_ns(m->at.hold);
		message_deliver(m, &op->out[i]);
	}
	op->count = a->count;
	return true;
}

void
attempt_keep(struct queue *q, const struct op_receive *op, int64_t now_ns)
{
	uint8_t key[DIGEST_BYTES];
	struct attempt *a;
	size_t i;

	if (op->attempt == NULL || !q->fifo || op->count == 0)
		return;
	if ((a = find(q, op, key)) != NULL)
		attempt_free(a);
	if ((a = mem_zalloc(sizeof(*a) + op->count * sizeof(a->given[0]))) ==
	    NULL)
		return;
	a->queue = q;
	a->count = op->count;
	memcpy(a->key, key, sizeof(key));
	for (i = 0; i < op->count; i++) {
		a->given[i].id = op->out[i].id;
		a->given[i].receipt = op->out[i].receipt;
		a->given[i].until_ns = op->out[i].until_ns;
	}
	HASH_ADD(hh, q->attempts, key, DIGEST_BYTES, a);
	if (a->hh.tbl == NULL) {	/* HASH_NONFATAL_OOM */
		mem_free(a);
		return;
	}
	q->registry->memory_bytes += bytes_of(a->count);
	deadlines_add(&q->registry->deadlines, &a->deadline, DEADLINE_ATTEMPT,
	    now_ns + WINDOW_NS, WINDOW_NS);
}
