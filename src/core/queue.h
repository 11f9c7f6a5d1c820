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
 * Is there room for so many messages more, with bodies of so many bytes?
 * WQ_FULL_MESSAGES, WQ_FULL_BYTES; WQ_TOO_LARGE: there never will be.
 */
enum wq_status	queue_has_room(const struct queue *, size_t messages,
		    uint64_t bytes) WQ_MUST;

/* Is something available that is not given out, since max_locked are? */
bool	queue_is_at_limit(const struct queue *);
bool	queue_is_fifo(const struct queue *);
/* Has it neither messages nor waiters, nor ever been set to anything? */
bool	queue_is_unused(const struct queue *);
const struct queue_settings	*queue_settings(const struct queue *);

/*
 * A message that was received did not reach its client: it goes back to where
 * it was, its count too, if it is not too old by now.  Nothing happens where it
 * moved on since.
 */
void	queue_release(struct queue *, const struct delivery *, int64_t now_ns);

/*
 * Wait for a message for that long; w belongs to the core until it is served,
 * has timed out (registry_next_timed_out()) or is taken back.
 */
void	queue_wait(struct queue *, struct waiter *, int64_t wait_ms,
	    int64_t now_ns);
void	queue_unwait(struct waiter *);
/* The first that waits, where there is a message for it; else NULL. */
struct waiter	*queue_served_waiter(struct queue *);
/* Not all could be served now: registry_next_served() is to give q again. */
void	queue_serve_later(struct queue *);
/* Those that wait have waited long enough. */
void	queue_end_waits(struct queue *);

/*
 * Change the settings that are given; all of them are the result.  Where
 * there is no such dead-letter queue it is made, if it may be.  Nothing is
 * changed on WQ_CYCLE, WQ_NO_TARGET, WQ_TARGET_MISSING, WQ_BAD_TARGET,
 * WQ_TARGET_KIND, WQ_TARGET_DENIES, WQ_CHANGED, WQ_NOMEM.
 */
enum wq_status	queue_configure(struct queue *, struct op_configure *,
		    bool may_make, int64_t now_ns) WQ_MUST;
/* The results of that, of a queue that is left as it is. */
void		queue_tell(struct queue *, struct op_configure *);
/*
 * Dead letters, or all where `to` is given, go back; see op_redrive.  Looks at
 * `slice` messages at most, and waits until all that is due has taken effect.
 * False: call it again, in a later turn.  Before the first call `moved` is 0,
 * `reached` NULL and `began_ns` now.
 */
bool	queue_redrive(struct queue *, struct op_redrive *, struct queue *to,
	    int64_t now_ns, size_t slice) WQ_MUST;
/* It ends here, with what was moved. */
void	redrive_end(struct op_redrive *);
/*
 * A page of messages.  WQ_NO_MESSAGE: `after` is not in q, or not in a state
 * that is asked for.
 */
enum wq_status	queue_peek(struct queue *, struct op_peek *) WQ_MUST;
/* A paused queue takes and confirms, but gives out nothing. */
enum wq_status	queue_pause(struct queue *, bool pause) WQ_MUST;
/*
 * All its messages are gone: q is, too, and its name has a new queue with all
 * else.  WQ_NOMEM; WQ_RECENT: see recent.h.  registry_reap() frees them.
 */
enum wq_status	queue_purge(struct queue *, int64_t now_ns) WQ_MUST;
/*
 * It, its messages and its tasks are gone; those that wait time out.  WQ_ROOT:
 * the default queue stays.  WQ_IS_TARGET: dead letters of another come here;
 * with even_target that one has no deadLetterQueue and no maxReceives any more.
 */
enum wq_status	queue_delete(struct queue *, bool even_target,
		    int64_t now_ns) WQ_MUST;

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
 * Source: SQS DeleteMessage; while_locked is what its FIFO queues ask for.
 */
enum wq_status	queue_confirm(struct queue *, struct op_confirm *,
		    int64_t now_ns) WQ_MUST;

/*
 * The lock of a message ends lock_ms from now; 0 gives it back at once.
 * Errors as queue_confirm(), but that the lock must not have run out; and
 * WQ_BEYOND, where it would end more than max_total_ms after the receive.
 * Source: SQS ChangeMessageVisibility.
 */
enum wq_status	queue_extend(struct queue *, struct op_extend *,
		    int64_t now_ns) WQ_MUST;

/*
 * One message as it is now, with a ref.  WQ_NO_MESSAGE: it is not in q;
 * moved_to is where it is as a dead letter of q, else "".
 */
enum wq_status	queue_look(struct queue *, struct op_look *) WQ_MUST;

void	queue_info(struct queue *, struct queue_info *);

/* For core/: what is told of m, with a ref. */
void	message_deliver(struct message *, struct delivery *);

/* For tests: abort where the queue's lists, counts and states disagree. */
void	queue_check(const struct queue *);

#endif
