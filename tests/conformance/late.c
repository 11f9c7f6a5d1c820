/*
 * A backend around the one in memory that holds its answers back.
 * Invariants: an op is with the inner backend, which then has `answered` and
 * one's own `whom` in its place, or in `held`, or finished.
 */
#include "late.h"

#include <event2/event.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "base/id.h"

#define HOLD_MAX_US	2000

struct late {
	struct backend backend;		/* first */
	struct backend *inner;		/* owned */
	struct event *timer;		/* owned; answers all that is held */
	struct op_queue held;
	size_t pending;			/* submitted and not yet finished */
	void (*stopped)(void *);	/* NULL: not asked to stop */
	void *stopped_arg;
};

/* Whom an op is to be told to in the end; owned by the op's way. */
struct whom {
	struct late *late;
	op_done_fn done;
	void *arg;
};

static void
arm(struct late *l)
{
	struct timeval tv = { 0 };
	uint32_t random;

	if (event_pending(l->timer, EV_TIMEOUT, NULL))
		return;
	id_random(&random, sizeof(random));
	tv.tv_usec = random % HOLD_MAX_US;
	if (event_add(l->timer, &tv) == -1)
		abort();
}

static void
answered(struct op *op, void *arg)
{
	struct whom *w = arg;
	struct late *l = w->late;

	op->done = w->done;
	op->arg = w->arg;
	free(w);
	TAILQ_INSERT_TAIL(&l->held, op, link);
	arm(l);
}

static void
timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct late *l = arg;
	struct op *op;

	(void)fd;
	(void)what;
	if (l->stopped != NULL && l->pending == 0) {
		l->inner->ops->stop(l->inner, l->stopped, l->stopped_arg);
		return;
	}
	while ((op = TAILQ_FIRST(&l->held)) != NULL) {
		TAILQ_REMOVE(&l->held, op, link);
		l->pending--;
		op_finish(&l->backend, op, op->status);
	}
	if (l->stopped != NULL)
		arm(l);		/* once more, behind the last done() */
}

static void
late_submit(struct backend *b, struct op *op)
{
	struct late *l = (struct late *)b;
	struct whom *w = malloc(sizeof(*w));

	if (w == NULL)
		abort();
	w->late = l;
	w->done = op->done;
	w->arg = op->arg;
	op->done = answered;
	op->arg = w;
	l->pending++;
	backend_submit(l->inner, op);
}

static void
late_cancel(struct backend *b, struct op *op)
{
	struct late *l = (struct late *)b;

	if (op->done == answered)
		l->inner->ops->cancel(l->inner, op);
}

static void
late_end_waits(struct backend *b)
{
	struct late *l = (struct late *)b;

	l->inner->ops->end_waits(l->inner);
}

static void
late_stop(struct backend *b, void (*stopped)(void *), void *arg)
{
	struct late *l = (struct late *)b;

	l->stopped = stopped;
	l->stopped_arg = arg;
	arm(l);
}

static void
late_free(struct backend *b)
{
	struct late *l = (struct late *)b;

	l->inner->ops->free(l->inner);
	event_free(l->timer);
	backend_fini(b);
	free(l);
}

static const struct backend_ops late_ops = {
	.name = "late",
	.submit = late_submit,
	.cancel = late_cancel,
	.end_waits = late_end_waits,
	.stop = late_stop,
	.free = late_free,
};

struct backend *
late_new(struct event_base *base, const struct config *config)
{
	struct late *l = calloc(1, sizeof(*l));

	if (l == NULL || backend_init(&l->backend, &late_ops, base) == -1)
		abort();
	TAILQ_INIT(&l->held);
	l->inner = local_new(base, config);
	l->timer = evtimer_new(base, timer_cb, l);
	if (l->inner == NULL || l->timer == NULL)
		abort();
	return &l->backend;
}
