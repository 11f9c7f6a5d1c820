#ifndef WQ_CORE_QUEUE_H
#define WQ_CORE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "core/op.h"

struct queue;

/*
 * The semantics of the house.  Every now_ns is of clock_now_ns()'s kind and
 * never decreases; before each call registry_expire() has run.
 */

/*
 * Put m, which is new, at the end of q; takes it.  Cannot fail.
 */
void	queue_push(struct queue *, struct message *m, int64_t now_ns);

/*
 * Lock and give out available messages of q, oldest first, until there are
 * max of them, or their bodies would be over max_bytes (one always fits).
 * lock_ms    0..43200000; -1 is the queue's own
 * out        room for max; each delivery holds a ref, which is the caller's
 * count      how many
 * WQ_NOMEM: not one could be locked for want of memory.
 * Source: SQS ReceiveMessage.
 */
enum wq_status	queue_receive(struct queue *, size_t max, size_t max_bytes,
		    int64_t lock_ms, int64_t now_ns, struct delivery *out,
		    size_t *count) WQ_MUST;

/*
 * A locked message is gone for good.  With a receipt it may also be back in
 * the queue, as long as nobody received it since.
 * WQ_NO_MESSAGE, WQ_NOT_LOCKED, WQ_STALE_RECEIPT (with the two results).
 * Source: SQS DeleteMessage.
 */
enum wq_status	queue_confirm(struct queue *, struct op_confirm *,
		    int64_t now_ns) WQ_MUST;

/*
 * The lock of a message ends lock_ms from now; 0 gives it back at once.
 * Errors as queue_confirm(), but that the lock must not have run out.
 * Source: SQS ChangeMessageVisibility.
 */
enum wq_status	queue_extend(struct queue *, struct op_extend *,
		    int64_t now_ns) WQ_MUST;

/* One message as it is now, with a ref; WQ_NO_MESSAGE. */
enum wq_status	queue_look(struct queue *, struct op_look *) WQ_MUST;

void	queue_info(const struct queue *, struct queue_info *);

/* For tests: abort where the queue's lists, counts and states disagree. */
void	queue_check(const struct queue *);

#endif
