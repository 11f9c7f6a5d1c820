/* wq's core, without timers: the responder asks it when the next lock ends. */
#include "rq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/coming.h"
#include "core/queue.h"
#include "core/registry.h"

enum { EXPIRE_AT_ONCE = 1000 };

static const struct push_terms	plain = { .lock_ms = -1 };

void
rq_init(struct rq *q)
{
	struct queue_settings settings = { .lock_timeout_ms = 1000 };
	struct lock_timers none = { .timer_bytes = 0 };

	q->registry = registry_new(&settings, &none, 1);
	if (q->registry == NULL)
		abort();
	q->queue = registry_find(q->registry, NULL);
}

const unsigned char *
rq_push(struct rq *q, const char *body, size_t bytes)
{
	struct message *m = message_new(id_new(), body, bytes);

	if (m == NULL)
		abort();
	queue_push(q->queue, m, &plain, clock_now_ns());
	return m->id.bytes;
}

const struct message *
rq_receive(struct rq *q, int64_t lock_ms)
{
	struct delivery d;
	size_t n;

	if (queue_receive(q->queue, 1, SIZE_MAX, lock_ms, clock_now_ns(), &d,
	    &n) != WQ_OK)
		abort();
	if (n == 0)
		return NULL;
	message_unref(d.message);	/* the queue's own ref keeps it */
	return d.message;
}

bool
rq_confirm(struct rq *q, const unsigned char *id)
{
	struct op_confirm c;

	memset(&c, 0, sizeof(c));
	memcpy(c.id.bytes, id, RQ_ID_BYTES);
	return queue_confirm(q->queue, &c, clock_now_ns()) == WQ_OK;
}

void
rq_expire(struct rq *q)
{
	registry_expire(q->registry, clock_now_ns(), EXPIRE_AT_ONCE);
}

int
rq_wait_ms(const struct rq *q)
{
	int64_t due_ns = registry_next_due_ns(q->registry), ms;

	if (due_ns == INT64_MAX)
		return -1;
	ms = (due_ns - clock_now_ns()) / CLOCK_NS_PER_MS + 1;
	return ms < 0 ? 0 : ms > 1000 ? 1000 : (int)ms;
}
