#ifndef WQ_CORE_RETENTION_H
#define WQ_CORE_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

struct message;
struct message_extra;
struct queue;

/*
 * A queue's retention: what is older is given out no more, and goes, dead
 * letters too.  The age is since pushed_ns, which a dead letter of a standard
 * queue keeps.  What is locked or delayed goes when that ends.  Source: SQS
 * SetQueueAttributes, MessageRetentionPeriod.
 */

/* Is m older than its queue keeps messages? */
bool	message_is_over(const struct message *, int64_t at_ns);
/* m, whose time is over, is gone. */
void	message_expire(struct message *);

/* m is available from now: see to it that it goes in time. */
void	message_retain(struct message *);
/* The retention of q is another now, for the messages that it has too. */
void	queue_retain(struct queue *, int64_t now_ns);
/* q gives up what it keeps for that. */
void	queue_retain_nothing(struct queue *);

/* A deadline of either is due. */
void	message_retention_due(struct message_extra *, int64_t due_ns);
void	queue_retention_due(struct queue *, int64_t due_ns);

#endif
