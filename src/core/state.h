#ifndef WQ_CORE_STATE_H
#define WQ_CORE_STATE_H

/*
 * The core's data, for core/ alone.  The rest of the house sees queue.h,
 * registry.h and message.h.
 */

#include <sys/queue.h>

/* uthash, with our allocator, and no exit when it has nothing to give. */
#define HASH_NONFATAL_OOM	1
#define uthash_malloc(n)	mem_alloc(n)
#define uthash_free(p, n)	mem_free(p)
#include <uthash.h>

#include "base/mem.h"
#include "core/deadline.h"
#include "core/index.h"
#include "core/message.h"
#include "core/op.h"
#include "core/registry.h"

TAILQ_HEAD(message_list, message);

/*
 * Available messages, oldest first: those never given out in the order of
 * their push, and those that came back in the order in which they did.  The
 * next one is the head of the two that has been available for longer, which
 * is the order of one FIFO with all re-pushes at its tail.  Two lists keep it
 * exact when pushes overtake a crowd of expiries that takes several turns.
 */
struct line {
	struct message_list fresh;	/* ascending pushed_ns */
	struct message_list returned;	/* ascending available_ns */
};

/* What a locked or delayed message has; a lock's timer follows it. */
struct hold {
	struct deadline deadline;	/* first: they are cast */
	struct message *message;	/* borrowed: its owner */
	TAILQ_ENTRY(hold) link;		/* in queue.locked or .delayed */
	bool given_back;		/* ended by its receiver */
} __attribute__((aligned(16)));

TAILQ_HEAD(hold_list, hold);

struct queue {
	struct registry *registry;	/* borrowed */
	struct queue_settings settings;
	struct line line;
	struct hold_list locked;	/* in the order of locking */
	struct hold_list delayed;
	size_t available_count, locked_count, delayed_count;
	uint64_t body_bytes;
	uint64_t pushed, received, confirmed, expired;
	UT_hash_handle hh;		/* registry.queues, by name */
	char name[];			/* ends in NUL */
};

struct registry {
	struct queue *queues;		/* owned; uthash */
	struct queue *root;		/* borrowed: the default queue */
	struct index index;		/* messages of all queues, by id */
	struct deadlines deadlines;	/* of all queues */
	struct lock_timers timers;
	uint64_t random;		/* state of the receipts' generator */
	int64_t stamp_ns;		/* of the last push */
};

/* NULL: no memory. */
struct queue	*queue_new(struct registry *, const char *name,
		    const struct queue_settings *) WQ_MUST;
void		 queue_free(struct queue *);	/* and its messages */

/* The deadline of one of q's messages is due. */
void	queue_due(struct deadline *);

#endif
