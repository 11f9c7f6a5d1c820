#ifndef WQ_CORE_PARTS_H
#define WQ_CORE_PARTS_H

/* What queues are made of; see state.h. */

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
	TAILQ_ENTRY(hold) group_link;	/* in group.locked, if it has one */
	bool given_back;		/* ended by its receiver */
	int64_t received_ns;		/* when it was taken */
	int64_t taken_ns;		/* its end, as it was taken */
	uint32_t old_receipt;		/* of the receive before */
} __attribute__((aligned(16)));

TAILQ_HEAD(hold_list, hold);

/* What few messages have; counted as memory while it is in a queue. */
struct message_extra {
	struct message *message;	/* borrowed: its owner */
	int64_t lock_ms;		/* its own lock timeout; -1: none */
	int64_t first_pushed_ns;	/* before FIFO queues gave it other
					 * places; 0: none did */
	int64_t first_received_ns;	/* where receives > 0 */
	char *attributes;		/* owned; NULL: none */
	uint32_t attributes_bytes;
	bool has_ttl;			/* ttl is in the registry */
	struct deadline ttl;
	struct group *group;		/* owned: one ref; NULL: none */
	struct dead_letter *dead;	/* owned; NULL: it is none */
};

/* NULL: it has none. */
static inline struct message_extra *
message_extra(const struct message *m)
{
	return m->has_extra ? m->more.extra : NULL;
}

struct group {
	struct queue *queue;		/* borrowed; NULL: it is gone */
	struct line line;
	RB_ENTRY(group) node;		/* in queue.quiet or queue.noisy */
	int64_t key_ns;
	enum { GROUP_NOWHERE, GROUP_QUIET, GROUP_NOISY } place;
	size_t locked_count;
	struct hold_list locked;	/* in the order of locking */
	size_t refs;			/* its messages, and who makes one */
	UT_hash_handle hh;		/* queue.groups, by name */
	size_t name_bytes;
	char name[];
};

/* A push that was, for those who repeat it. */
struct dedup {
	struct deadline deadline;	/* first: they are cast */
	struct dedups *owner;		/* borrowed */
	struct id id;			/* of the first push */
	int64_t pushed_ns;		/* its sequence */
	UT_hash_handle hh;		/* owner->by_key */
	uint8_t key[DIGEST_BYTES];
};

/* Those of one queue; a purge leaves them to the name's next queue. */
struct dedups {
	struct registry *registry;	/* borrowed */
	struct dedup *by_key;		/* owned; uthash */
};

/* About what a message needs beside its body: header, index, allocator. */
#define MESSAGE_OVERHEAD_BYTES	112
/* What the allocator and a hash table take for one thing, about. */
#define THING_OVERHEAD_BYTES	24

#endif
