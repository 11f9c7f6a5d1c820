#ifndef WQ_CORE_OP_H
#define WQ_CORE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/id.h"
#include "base/status.h"
#include "core/message.h"

struct op;

typedef void (*op_done_fn)(struct op *, void *arg);

/* The verbs of the house.  A backend has a table with one entry for each. */
enum op_verb {
	OP_PUSH,		/* put messages into a queue */
	OP_RECEIVE,		/* lock and give out available messages */
	OP_CONFIRM,		/* a locked message is gone for good */
	OP_EXTEND,		/* set when a lock runs out */
	OP_LOOK,		/* one message, without touching it */
	OP_INFO,		/* settings and counts of a queue */
	OP_VERBS
};

/* Which receive a confirm or an extend speaks of. */
struct op_receipt {
	bool given;		/* false: whichever is the newest */
	uint32_t receives;	/* the count at that receive, from 1 */
	uint32_t receipt;
};

struct op_body {
	const void *data;	/* borrowed until done */
	size_t bytes;
	struct id id;		/* result */
};

struct op_push {
	struct op_body *bodies;	/* borrowed until done; all or nothing */
	size_t count;
};

struct op_receive {
	size_t max;		/* messages, and room in `out` */
	size_t max_bytes;	/* of bodies; one message always fits */
	int64_t lock_ms;	/* -1: the message's, else the queue's */
	struct delivery *out;	/* borrowed until done */
	size_t count;		/* result: each with a ref that is the maker's */
};

struct op_confirm {
	struct id id;
	struct op_receipt receipt;
	/* results of WQ_STALE_RECEIPT */
	uint32_t receives_since;
	int64_t ended_ns;	/* when that lock ran out; 0: not known */
};

struct op_extend {
	struct id id;
	struct op_receipt receipt;
	int64_t lock_ms;	/* from now; 0 gives the message back */
	uint32_t receives_since;	/* as in op_confirm */
	int64_t ended_ns;
};

struct op_look {
	struct id id;
	struct delivery out;	/* result; its ref is the maker's */
};

/* What a queue is set to; times in ms, 0 in a limit is "none". */
struct queue_settings {
	int64_t lock_timeout_ms;
};

struct queue_info {
	struct queue_settings settings;
	size_t available_count, locked_count, delayed_count;
	size_t waiter_count;
	uint64_t body_bytes;	/* of all its messages */
	int64_t oldest_ns;	/* push of the next to be given out; 0: none */
	bool paused;
	uint64_t pushed, received, confirmed, expired;	/* since start */
};

/*
 * One operation: arguments, results and whom to tell.  The maker owns it and
 * must keep it until done.
 */
struct op {
	enum op_verb verb;
	enum wq_status status;		/* result; set when done is called */
	const char *queue;		/* name, borrowed until done; NULL is
					 * the default queue */
	op_done_fn done;
	void *arg;			/* borrowed, for done */
	TAILQ_ENTRY(op) link;		/* the backend's */
	union {
		struct op_push push;
		struct op_receive receive;
		struct op_confirm confirm;
		struct op_extend extend;
		struct op_look look;
		struct queue_info info;	/* result */
	};
};

TAILQ_HEAD(op_list, op);

#endif
