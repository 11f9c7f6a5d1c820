#ifndef WQ_CORE_STATE_H
#define WQ_CORE_STATE_H

/*
 * The core's data, for core/ alone.  The rest of the house sees queue.h,
 * registry.h and message.h.
 */

#include <bsd/sys/tree.h>
#include <sys/queue.h>

/* uthash, with our allocator, and no exit when it has nothing to give. */
#define HASH_NONFATAL_OOM	1
#define uthash_malloc(n)	mem_alloc(n)
#define uthash_free(p, n)	mem_free(p)
#include <uthash.h>

#include "base/digest.h"
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

/* What few messages have. */
struct message_extra {
	struct message *message;	/* borrowed: its owner */
	int64_t lock_ms;		/* its own lock timeout; -1: none */
	struct deadline ttl;
	bool has_ttl;			/* ttl is in the registry */
	struct group *group;		/* owned: one ref; NULL: none */
	struct dead_letter *dead;	/* owned; NULL: it is none */
};

struct group {
	struct queue *queue;		/* borrowed; NULL: it is gone */
	struct line line;
	RB_ENTRY(group) node;		/* in queue.quiet or queue.noisy */
	int64_t key_ns;
	enum { GROUP_NOWHERE, GROUP_QUIET, GROUP_NOISY } place;
	size_t locked_count;
	size_t refs;			/* its messages, and who makes one */
	UT_hash_handle hh;		/* queue.groups, by name */
	size_t name_bytes;
	char name[];
};

/* A push that was, for those who repeat it. */
struct dedup {
	struct deadline deadline;	/* first: they are cast */
	struct queue *queue;		/* borrowed: its owner */
	struct id id;			/* of the first push */
	UT_hash_handle hh;		/* queue.dedups, by key */
	uint8_t key[DIGEST_BYTES];
};

TAILQ_HEAD(waiter_list, waiter);

struct queue {
	struct registry *registry;	/* borrowed */
	RB_ENTRY(queue) by_name;	/* registry.sorted */
	TAILQ_ENTRY(queue) hungry_link;	/* registry.hungry */
	bool hungry;			/* on it */
	bool paused;
	bool fifo;
	struct waiter_list waiters;	/* first come, first served */
	size_t waiter_count;
	struct queue_settings settings;
	struct tags *tags;		/* owned: one ref; NULL: none */
	struct queue *dead_letters;	/* borrowed: where they go; NULL */
	size_t source_count;		/* queues whose dead letters come here */
	struct line line;		/* of messages without a group */
	struct group *groups;		/* uthash; owned by their messages */
	RB_HEAD(group_tree, group) quiet, noisy;
	struct dedup *dedups;		/* owned; uthash */
	struct hold_list locked;	/* in the order of locking */
	struct hold_list delayed;
	size_t available_count, locked_count, delayed_count;
	uint64_t body_bytes;
	struct queue_totals totals;
	UT_hash_handle hh;		/* registry.queues, by name */
	char name[];			/* ends in NUL */
};

struct registry {
	struct queue *queues;		/* owned; uthash */
	RB_HEAD(queue_tree, queue) sorted;	/* the same, by name */
	TAILQ_HEAD(, queue) hungry;	/* have messages and waiters */
	struct waiter_list timed_out;	/* of all queues */
	struct queue_settings defaults;
	struct queue *root;		/* borrowed: the default queue */
	struct index index;		/* messages of all queues, by id */
	struct deadlines deadlines;	/* of all queues */
	struct lock_timers timers;
	uint64_t random;		/* state of the receipts' generator */
	int64_t stamp_ns;		/* of the last push */
	uint64_t memory_bytes;		/* of all messages, about */
};

/* About what a message needs beside its body: header, index, allocator. */
#define MESSAGE_OVERHEAD_BYTES	112

/* registry.c: q is made, q goes. */
int	registry_add(struct registry *, struct queue *) WQ_MUST;
void	registry_remove(struct registry *, struct queue *);

/* queue_life.c: NULL is no memory; its messages go with it; a wait ends. */
struct queue	*queue_new(struct registry *, const char *name,
		    const struct queue_settings *) WQ_MUST;
void		 queue_free(struct queue *);
void		 queue_time_out(struct waiter *);

/* A deadline is due. */
void	queue_due(struct deadline *);

/* letters.c: m is a dead letter.  False: it has nowhere to go, or no memory. */
bool	message_die(struct message *, enum dead_reason, int64_t at_ns);

/* dedup.c: it is over. */
void	dedup_free(struct dedup *);

#endif
