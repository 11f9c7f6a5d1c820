#ifndef WQ_CORE_REDELAY_H
#define WQ_CORE_REDELAY_H

#include <stdbool.h>
#include <stdint.h>

struct message;
struct queue;

/*
 * FIFO queues whose delay is for the messages that they have, too: with
 * delay_for_all each is available when its push is as long ago as the setting
 * says now.  Source: SQS SetQueueAttributes, DelaySeconds.
 */

/* What q says of delays is new, or it has come back from a journal. */
void	queue_redelay(struct queue *, int64_t now_ns);
/* A part of that is due; q gives it up. */
void	queue_redelay_due(struct queue *, int64_t due_ns);
void	queue_redelay_end(struct queue *);
/* m's delay is over.  True: it is delayed for longer now. */
bool	message_redelay(struct message *, int64_t due_ns);
/* m comes to be delayed; its push may be from before a change. */
void	message_redelay_coming(struct message *);

#endif
