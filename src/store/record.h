#ifndef WQ_STORE_RECORD_H
#define WQ_STORE_RECORD_H

/* One change that is to be written, as plain data. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/id.h"

enum store_verb {
	STORE_NOTHING,		/* another record made it needless */
	STORE_PUSH,		/* a message is new */
	STORE_KEY,		/* what repeats of it are known by */
	STORE_LOCK,		/* it was locked, or its lock changed */
	STORE_DELAY,		/* its delay has another end */
	STORE_MOVE,		/* it is in another queue */
	STORE_GONE,		/* it is gone */
	STORE_QUEUE,		/* a queue is new, or its settings changed */
	STORE_TOTALS,		/* the totals of a queue */
	STORE_QUEUE_GONE,	/* a queue is gone; its messages follow */
	STORE_TASK,		/* a task is new, or how far it is */
	STORE_TASK_GONE,	/* it is forgotten */
	STORE_FETCH		/* read the body of a message */
};

/* A place in a batch's text; bytes 0 with at NO_TEXT is none. */
#define NO_TEXT	UINT32_MAX
struct store_text {
	uint32_t at, bytes;
};

struct store_push {
	struct id id;
	const void *body;	/* borrowed until the batch is back */
	uint32_t body_bytes;
	struct store_text group, attributes;
	bool text;		/* the body is no JSON */
	int64_t delay_ns;	/* delayed until; 0: not */
	int64_t ttl_ns;		/* lives until; 0: for ever */
	int64_t lock_ms;	/* its own lock timeout; -1: none */
};

struct store_key {
	uint8_t key[DIGEST_BYTES];
	struct id id;
	int64_t until_ns;
};

struct store_lock {
	int64_t until_ns;
	int64_t order;		/* of all locks and moves; see recover.h */
	uint32_t receives, receipt;
	int64_t received_ns, first_received_ns;	/* 0: as at received_ns */
	bool back;		/* given back by its receiver */
};

struct store_delay {
	int64_t until_ns;
};

struct store_move {
	int64_t was;		/* its seq before */
	int64_t available_ns;
	int64_t order;
	struct store_text dead_queue;	/* none: it is no dead letter now */
	struct id id;
	uint32_t dead_receives, dead_receipt;
	int dead_reason;
	int64_t first_pushed_ns;	/* 0: at its seq */
};

/* The settings, in the order of the table's columns; see sqlite.c. */
enum { STORE_SETTINGS = 14, STORE_TOTALS_COUNT = 7, STORE_QUEUE_TEXTS = 3 };

struct store_queue {
	int64_t setting[STORE_SETTINGS];
	struct store_text name, dead_letter_queue;
	struct store_text text[STORE_QUEUE_TEXTS];	/* as enum queue_text */
	int64_t created_ns, changed_ns;	/* 0: not known */
	int64_t keys;		/* the number under which its keys are */
	bool paused;
};

struct store_totals {
	uint64_t total[STORE_TOTALS_COUNT];
	int64_t settled_ns;
};

struct store_task {
	struct id id;
	struct store_text source, to;	/* queues' names; no to: each source */
	int64_t rate, started_ns, moved, to_move;
	int state;		/* enum task_state */
};

struct store_fetch {
	void *body;		/* result, mem_alloc()ed; NULL: it is not there */
	uint32_t body_bytes;	/* result */
	void *cookie;		/* the asker's */
};

struct store_record {
	enum store_verb verb;
	int64_t seq;		/* the message, the task; 0: it is of a queue */
	int64_t queue;		/* number */
	union {
		struct store_push push;
		struct store_key key;
		struct store_lock lock;
		struct store_delay delay;
		struct store_move move;
		struct store_queue of_queue;
		struct store_totals totals;
		struct store_task task;
		struct store_fetch fetch;
	};
};

#endif
