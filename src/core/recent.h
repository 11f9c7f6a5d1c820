#ifndef WQ_CORE_RECENT_H
#define WQ_CORE_RECENT_H

#include <stdbool.h>
#include <stdint.h>

struct recent;
struct registry;

/*
 * Names of queues that were deleted a moment ago, for those who want that they
 * are not made again at once.  Kept in memory only.  Source: SQS CreateQueue,
 * QueueDeletedRecently, and PurgeQueue, PurgeQueueInProgress.
 */

/* How long a moment is; 0, the default: deletes and purges leave no trace. */
void	registry_set_moment(struct registry *, int64_t moment_ns);
/* Was a queue of that name deleted within it? */
bool	recent_find(const struct registry *, const char *name);
/* One is; without memory it is not known. */
void	recent_add(struct registry *, const char *name, int64_t now_ns);

/* For core/: its time is over; all go with the registry. */
void	recent_free(struct recent *);
void	recents_free(struct registry *);

#endif
