#ifndef WQ_BACKEND_PUSH_H
#define WQ_BACKEND_PUSH_H

#include <stdint.h>

#include "base/status.h"
#include "core/op.h"

struct queue;

/*
 * Push all bodies to q, or none.  room is how many bytes of bodies the server
 * has room for.  The results are in push->bodies.  WQ_NOMEM, WQ_NO_DELAY,
 * WQ_FULL_MESSAGES, WQ_FULL_BYTES, WQ_FULL_MEMORY.
 */
enum wq_status	push_to(struct queue *q, struct op_push *push, uint64_t room,
		    int64_t now_ns) WQ_MUST;

#endif
