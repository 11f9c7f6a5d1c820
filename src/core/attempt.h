#ifndef WQ_CORE_ATTEMPT_H
#define WQ_CORE_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

struct attempt;
struct op_receive;
struct queue;

/*
 * Receives from FIFO queues that may be repeated, since their answer may have
 * been lost: for 5 minutes, and while all of its messages are locked as it left
 * them, the same attempt gets the same messages with the same receipts, and
 * their locks begin anew.  An extend ends that.  Kept in memory only.  Source:
 * SQS ReceiveMessage, ReceiveRequestAttemptId.
 */

/* Is it a repeat?  Then op has what the first one had. */
bool	attempt_again(struct queue *, struct op_receive *, int64_t now_ns);
/* It gave what op has.  Without memory a repeat of it is not known. */
void	attempt_keep(struct queue *, const struct op_receive *,
	    int64_t now_ns);

/* For core/: its time is over; all of q's go. */
void	attempt_free(struct attempt *);
void	attempts_free(struct queue *);

#endif
