#ifndef WQ_CORE_GROUP_H
#define WQ_CORE_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct group;
struct message;
struct queue;

/*
 * Groups of messages within a queue.  In a FIFO queue one waits while any of
 * its messages is locked.  In a standard queue those of a group that holds
 * much of what is locked go behind the others', as SQS fair queues have it:
 * more than 10 % of the locked messages, and at least 30.
 */

/* The group of that name with one more ref; NULL: no memory. */
struct group	*group_get(struct queue *, const char *name, size_t bytes)
		    WQ_MUST;
struct group	*group_ref(struct group *);
void		 group_unref(struct group *);	/* NULL is fine */

/* The group of m, NULL where it has none. */
struct group	*message_group_of(const struct message *);

/* Its line, or the number of its locked messages, has changed. */
void	group_update(struct group *);

/* The next message of q to be given out, over all groups and none; NULL. */
struct message	*queue_next(struct queue *);

/* Its queue goes; it stays without for the gone messages that need it. */
void	group_orphan(struct group *);

#endif
