#ifndef WQ_BACKEND_PUSH_H
#define WQ_BACKEND_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "core/op.h"

struct queue;

/* The server's memory for bodies. */
struct push_room {
	uint64_t max_bytes;	/* in all */
	uint64_t left_bytes;	/* now */
};

/*
 * Push all bodies to q, or none: the messages are coming, until push_end() has
 * them arrive or turned back.  The results are in push->bodies.  WQ_NOMEM,
 * WQ_NO_DELAY, WQ_TOO_LARGE, WQ_FULL_MESSAGES, WQ_FULL_BYTES, WQ_FULL_MEMORY:
 * nothing is to be ended.
 */
enum wq_status	push_begin(struct queue *q, struct op_push *push,
		    const struct push_room *, int64_t now_ns) WQ_MUST;
/* Is any of its messages a repeat of one of first's? */
bool		push_repeats(const struct op_push *, const struct op_push *first);
/* q is the queue that has the name now, NULL where there is none. */
void		push_end(struct queue *q, struct op_push *push, bool arrives);

#endif
