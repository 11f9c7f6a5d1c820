#ifndef WQ_CORE_ARGS_H
#define WQ_CORE_ARGS_H

/* The arguments and results of verbs on messages; see op.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/digest.h"
#include "base/id.h"
#include "core/deadline.h"
#include "core/info.h"
#include "core/message.h"

struct queue;

/* One that waits for a message; the core's alone. */
struct waiter {
	TAILQ_ENTRY(waiter) link;
	struct deadline deadline;
	struct queue *queue;	/* borrowed; NULL: it does not wait */
};

/* Which receive a confirm or an extend speaks of. */
struct op_receipt {
	bool given;		/* false: whichever is the newest */
	uint32_t receives;	/* the count at that receive, from 1 */
	uint32_t receipt;
	int64_t until_ms;	/* epoch: the lock's end, as it was told */
};

struct op_body {
	const void *data;	/* borrowed until done */
	size_t bytes;
	bool is_text;		/* it is no JSON: see message_is_text() */
	const char *attributes;	/* borrowed until done; NULL: none */
	size_t attributes_bytes;
	size_t sent_bytes;	/* as max_message_bytes counts; 0: bytes */
	struct id id;		/* result; of a repeat, the first one's */
	bool duplicate;		/* result: a repeat, and not pushed again */
	int64_t pushed_ns;	/* result: the sequence; of a repeat, the
				 * first one's */
	bool keyed;		/* the backend's: repeats are known by key */
	uint8_t key[DIGEST_BYTES];
};

struct op_push {
	struct op_body *bodies;	/* borrowed until done; all or nothing */
	size_t count;
	int64_t delay_ms;	/* -1: the queue's */
	int64_t lock_ms;	/* the messages' own lock timeout; -1: none */
	int64_t ttl_ms;		/* -1: the queue's; 0: for ever */
	const char *group;	/* borrowed until done; NULL: none */
	size_t group_bytes;
	const char *dedup;	/* borrowed until done; NULL: none */
	size_t dedup_bytes;
	bool no_create;		/* WQ_NO_QUEUE where there is none */
	bool needs_key;		/* WQ_NO_KEY where repeats were not known */
	bool created;		/* the backend's: it made its queue */
	struct message **made;	/* the backend's: NULL for a repeat */
	struct message *one;
};

struct op_receive {
	size_t max;		/* messages, and room in `out` */
	size_t max_bytes;	/* of bodies; one message always fits */
	int64_t lock_ms;	/* -1: the message's, else the queue's */
	int64_t wait_ms;	/* for one to be available; 0: not at all;
				 * -1: the queue's */
	const char *attempt;	/* borrowed until done; see attempt.h; NULL */
	size_t attempt_bytes;
	struct delivery *out;	/* borrowed until done */
	size_t count;		/* result: each with a ref that is the maker's */
	bool over_limit;	/* result: nothing, since max_locked are */
	struct waiter waiter;	/* the backend's */
};

/*
 * Messages that were received and did not reach their client: back to where
 * they were, as if never given out.  Those that moved on since are left alone.
 */
struct op_release {
	const struct delivery *deliveries;	/* borrowed until done */
	size_t count;
};

struct op_confirm_many {
	const struct id *ids;	/* borrowed until done */
	bool *confirmed;	/* result for each; borrowed until done */
	size_t count;
};

struct op_confirm {
	struct id id;
	struct op_receipt receipt;
	bool while_locked;	/* WQ_NOT_LOCKED once its lock ran out */
	bool even_dead;		/* also as a dead letter, if nobody received
				 * it since */
	/* results of WQ_STALE_RECEIPT */
	uint32_t receives_since;
	int64_t ended_ns;	/* when that lock ran out; 0: not known */
};

struct op_extend {
	struct id id;
	struct op_receipt receipt;
	int64_t lock_ms;	/* from now; 0 gives the message back */
	int64_t max_total_ms;	/* since its receive, else WQ_BEYOND; 0: any */
	uint32_t receives_since;	/* as in op_confirm */
	int64_t ended_ns;
};

struct op_look {
	struct id id;
	struct delivery out;	/* result; its ref is the maker's */
	char moved_to[QUEUE_NAME_BYTES];	/* result: see queue_look() */
	bool paused;		/* result: its queue is */
	bool blocked;		/* result: its group waits for blocked_by */
	struct id blocked_by;
};

struct op_peek {
	unsigned states;	/* 1 << MESSAGE_AVAILABLE and so on */
	bool has_after;		/* only those behind this one */
	struct id after;
	size_t max;		/* room in `out` */
	size_t max_bytes;	/* of bodies; one message always fits */
	struct delivery *out;	/* borrowed until done */
	size_t count;		/* result: each with a ref that is the maker's */
};

#endif
