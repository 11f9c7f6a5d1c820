#ifndef WQ_CORE_REGISTRY_H
#define WQ_CORE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "core/op.h"

struct hold;
struct journal;
struct queue;
struct registry;

/*
 * What the core asks of its host: a timer with each lock.  The timer is only
 * a hint that registry_expire() is worth calling; the deadline decides.
 */
struct lock_timers {
	size_t timer_bytes;	/* room kept behind each lock, zeroed */
	/*
	 * A lock was taken or got another end.  usual_ns is its duration where
	 * that is its queue's own, else -1.  May fail silently.
	 */
	void (*arm)(void *arg, struct hold *, int64_t due_ns,
	    int64_t usual_ns);
	/* The lock ended; its memory goes now. */
	void (*disarm)(void *arg, struct hold *);
	void *arg;		/* borrowed for the registry's life */
};

/*
 * All queues and messages of the process, with the default queue.
 * seed         of the receipts' generator
 * NULL: no memory.
 */
struct registry	*registry_new(const struct queue_settings *defaults,
		    const struct lock_timers *, uint64_t seed) WQ_MUST;
void		 registry_free(struct registry *);	/* NULL is fine */

/* Where ids of messages that a task moves come from; see task.h. */
void	registry_set_ids(struct registry *, struct id (*new_id)(void));

/* The queue of that name, NULL for the default one; NULL when there is none. */
struct queue	*registry_find(struct registry *, const char *name);

/*
 * The same, made with the default settings where there is none.
 * *created tells whether it was.  WQ_NOMEM, WQ_BAD_NAME.
 */
enum wq_status	 registry_make(struct registry *, const char *name,
		    struct queue **, int64_t now_ns, bool *created) WQ_MUST;

/*
 * Queues by name, a page at a time, with their infos; where there is a target,
 * those whose dead letters go to it.
 */
void	registry_list(struct registry *, struct op_list *,
	    const struct queue *target);

/* Could a queue have that name? */
bool	queue_name_is_valid(const char *name);

/*
 * Take a queue that has both waiters and available messages off the list of
 * those, NULL when it is empty.  The caller serves it: its waiters first come,
 * first served.
 */
struct queue	*registry_next_served(struct registry *);

/* Take a waiter whose time is over; NULL when there is none. */
struct waiter	*registry_next_timed_out(struct registry *);

/*
 * Let at most max deadlines that are due by now_ns take effect, in the order
 * in which they fell due, over all queues; more where the last of them are due
 * at one instant.  True: more are due.
 * Call it before each operation, or a message may come back late.  While more
 * are due, operations may share one call: receives then see to a bounded number
 * of deadlines together, until the next one.
 */
bool	registry_expire(struct registry *, int64_t now_ns, size_t max);
/* How many deadlines there have been, modulo 2^32. */
uint32_t	registry_deadlines_made(const struct registry *);

/*
 * Free what purged and deleted queues held, at most about max of it.  True:
 * there is more.  A queue that messages are still coming to stays.
 */
bool	registry_reap(struct registry *, size_t max);

/*
 * The default queue was made now, if it is not known when.  After a recovery,
 * and before registry_attach().
 */
void	registry_make_root(struct registry *, int64_t now_ns);

/*
 * Tell that journal of all changes from now on; borrowed for the registry's
 * life.  It is told of the default queue if that is not as it was recovered.
 * False: no memory.
 */
bool	registry_attach(struct registry *, const struct journal *) WQ_MUST;
/* Tell no more. */
void	registry_detach(struct registry *);
/* Take one whose totals have changed since; NULL when there is none. */
struct queue	*registry_next_touched(struct registry *);
/* All deadlines up to that instant have taken effect. */
int64_t	registry_settled_ns(const struct registry *, int64_t now_ns);

/* The memory of all queues and messages, about. */
uint64_t	registry_memory_bytes(const struct registry *);
/* Of that, what ends with locks and delays. */
uint64_t	registry_hold_bytes(const struct registry *);

/* Nobody waits any longer, in any queue. */
void	registry_end_waits(struct registry *);

/* The instant of the next deadline, INT64_MAX when there is none. */
int64_t	registry_next_due_ns(const struct registry *);

/* The host's room behind a lock, aligned as malloc(3) aligns. */
void	*hold_timer(struct hold *);
int64_t	 hold_due_ns(const struct hold *);

#endif
