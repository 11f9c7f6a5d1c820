/* What every backend has: completions that never re-enter their asker. */
#include "backend/backend.h"

#include <event2/event.h>

static void
run(struct backend *b)
{
	struct op *op;

	while ((op = TAILQ_FIRST(&b->finished)) != NULL) {
		TAILQ_REMOVE(&b->finished, op, link);
		b->finished_count--;
		op->done(op, op->arg);
	}
}

static void
wake_cb(evutil_socket_t fd, short what, void *arg)
{
	struct backend *b = arg;
	void (*stopped)(void *);

	(void)fd;
	(void)what;
	run(b);
	if ((stopped = b->stopped) == NULL)
		return;
	b->stopped = NULL;
	stopped(b->stopped_arg);
}

void
backend_stopped(struct backend *b, void (*stopped)(void *), void *arg)
{
	b->stopped = stopped;
	b->stopped_arg = arg;
	event_active(b->wake, 0, 0);
}

void
backend_run(struct backend *b)
{
	if (b->finished_count >= BACKEND_BATCH)
		run(b);
}

void
backend_flush(struct backend *b)
{
	run(b);
}

int
backend_init(struct backend *b, const struct backend_ops *ops,
    struct event_base *base)
{
	b->ops = ops;
	TAILQ_INIT(&b->finished);
	b->finished_count = 0;
	b->trouble = NULL;
	b->durable = "memory";
	b->stopped = b->failed = NULL;
	b->wake = event_new(base, -1, 0, wake_cb, b);
	return b->wake != NULL ? 0 : -1;
}

void
backend_fini(struct backend *b)
{
	if (b->wake != NULL)
		event_free(b->wake);
	b->wake = NULL;
}

void
op_finish(struct backend *b, struct op *op, enum wq_status status)
{
	op->status = status;
	if (b->finished_count++ == 0)
		event_active(b->wake, 0, 0);
	TAILQ_INSERT_TAIL(&b->finished, op, link);
}
