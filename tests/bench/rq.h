#ifndef WQ_TESTS_BENCH_RQ_H
#define WQ_TESTS_BENCH_RQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/message.h"

struct queue;
struct registry;

/*
 * The queue of the responder: wq's own core, so that what the comparison shows
 * is the cost of HTTP alone.  Without memory it ends the program.
 */
struct rq {
	struct registry *registry;	/* owned */
	struct queue *queue;		/* borrowed */
};

enum { RQ_ID_BYTES = sizeof(struct id) };

void	 rq_init(struct rq *);

/* The id of the new message, RQ_ID_BYTES long, borrowed until the next call. */
const unsigned char	*rq_push(struct rq *, const char *body, size_t bytes);

/* Lock the oldest message for so long; NULL when none waits.  Borrowed too. */
const struct message	*rq_receive(struct rq *, int64_t lock_ms);

/* false: no such message, or it is not locked. */
bool	 rq_confirm(struct rq *, const unsigned char *id);

/* Let a few of the locks that are over go back. */
void	 rq_expire(struct rq *);

/* Milliseconds to the end of the next lock, 1000 at most; -1: none. */
int	 rq_wait_ms(const struct rq *);

#endif
