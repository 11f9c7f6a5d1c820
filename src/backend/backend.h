#ifndef WQ_BACKEND_BACKEND_H
#define WQ_BACKEND_BACKEND_H

#include <stddef.h>

#include "base/status.h"
#include "core/op.h"

struct backend;
struct config;
struct event;
struct event_base;

/*
 * The contract of a backend; the loop's thread only.  Queues and messages are
 * behind it, and all that api/ knows of them is the ops.  Ops take effect in
 * the order in which they are submitted.
 */
struct backend_ops {
	const char *name;
	/*
	 * Start op, borrowed until done.  Nothing is refused here: every
	 * result, WQ_NOMEM too, goes to op_finish(), exactly once.
	 */
	void	(*submit)(struct backend *, struct op *);
	/* Stop waiting: WQ_CANCELED, or the true result if too late. */
	void	(*cancel)(struct backend *, struct op *);
	/* Finish all that wait, with what they have; nobody waits again. */
	void	(*end_waits)(struct backend *);
	/* Take nothing new, finish the rest, then call stopped(arg) once. */
	void	(*stop)(struct backend *, void (*stopped)(void *), void *arg);
	void	(*free)(struct backend *);	/* only after stopped() */
};

struct backend {			/* first member of struct local, redis */
	const struct backend_ops *ops;
	struct op_queue finished;	/* links are in the op: no allocation */
	size_t finished_count;
	struct event *wake;		/* owned; runs them */
	const char *trouble;		/* why it takes no push now; NULL: it
					 * does; borrowed until the loop turns */
	const char *durable;		/* what a push's answer promises */
	void (*stopped)(void *arg);	/* NULL: it does not end */
	void *stopped_arg;		/* borrowed */
	/* It can do nothing any more: the process is to end.  May be NULL. */
	void (*failed)(void *arg);
	void *failed_arg;		/* borrowed */
};

/* For backends: set up and tear down what all have in common. */
int	backend_init(struct backend *, const struct backend_ops *,
	    struct event_base *) WQ_MUST;	/* -1: no memory */
void	backend_fini(struct backend *);

/* For free(): call done() of all that is finished, now. */
void	backend_flush(struct backend *);
/* It has stopped: stopped(arg) is called when what is finished has run. */
void	backend_stopped(struct backend *, void (*stopped)(void *), void *arg);

/*
 * op is done with that status.  Its done() is never called from in here: it
 * runs from backend_run(), or in a later callback of this turn of the loop.
 */
void	op_finish(struct backend *, struct op *, enum wq_status);

static inline void
backend_submit(struct backend *b, struct op *op)
{
	b->ops->submit(b, op);
}

/*
 * Call done() of what is finished, once it is a batch.  Who submits calls this
 * as its last statement, when nothing on the stack needs what a done() frees.
 * Answers by the batch share the work of waking their readers; left until the
 * end of a turn they would find all that belongs to their requests gone from
 * the processor's caches (at 256 connections a fifth of the rate).
 */
#define BACKEND_BATCH	16
void	backend_run(struct backend *);

/*
 * Queues in this process's memory, and with a data directory on disk too.
 * NULL: it cannot start; the log says why.
 */
struct backend	*local_new(struct event_base *, const struct config *) WQ_MUST;

#endif
