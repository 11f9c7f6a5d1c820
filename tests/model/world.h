#ifndef MODEL_WORLD_H
#define MODEL_WORLD_H

/*
 * All queues and messages as the model has them: plain arrays, in no order but
 * that of the numbers in them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/queue.h"

enum {
	QUEUES = 9,		/* names; not each has its queue */
	MESSAGES_MAX = 1100,
	DEDUPS_MAX = 600,
	WAITERS_MAX = 24,
	GROUPS = 14,		/* with these two */
	GROUP_NONE = 0,
	GROUP_EMPTY = 1,	/* "", of a FIFO queue's who have none */
	HISTORY = 4,
	BODY_MAX = 48,
	KEY_MAX = 2 * BODY_MAX,
	ATTRIBUTES_MAX = 16,
	NOWHERE = -1		/* no queue */
};

struct naive_deadline {
	int64_t due_ns;		/* 0: not set */
	int64_t order;		/* of setting */
};

struct naive_message {
	struct id id;
	int queue;
	enum message_state state;
	int group;
	char body[BODY_MAX];
	size_t bytes;
	char attributes[ATTRIBUTES_MAX];	/* "": none */
	bool is_text;
	int64_t lock_ms;		/* its own; -1: none */
	int64_t pushed_ns;
	int64_t place_ns;		/* the same, or its arrival by FIFO */
	int64_t available_ns;
	bool returned;
	bool given_back;
	int64_t line_order;		/* of its coming to the line */
	int64_t hold_order;		/* of its lock or its delay */
	int64_t kept_order;		/* of its last lock or move, which is
					 * what outlives a restart */
	struct naive_deadline hold, ttl;
	uint32_t receives, receipt, old_receipt;
	int64_t received_ns;		/* of its lock */
	int64_t first_received_ns;	/* 0: never */
	struct op_receipt history[HISTORY];	/* newest first */
	bool is_dead;
	struct {
		int queue;
		enum dead_reason reason;
		uint32_t receives, receipt;
	} dead;
};

struct naive_dedup {
	int queue;
	char key[KEY_MAX];
	struct id id;
	struct naive_deadline end;
};

struct naive_waiter {
	struct waiter *waiter;		/* borrowed: the driver's */
	struct naive_deadline end;
};

struct naive_queue {
	const char *name;
	bool exists, fifo, paused;
	struct queue_settings settings;
	int dead_letters;
	int64_t last_due_ns;		/* of any delay, in a FIFO queue */
	const char *tags;		/* NULL: none */
	int64_t created_ns, changed_ns;
	struct queue_totals totals;
	struct naive_waiter waiters[WAITERS_MAX];	/* by their coming */
	size_t waiter_count;
};

extern struct naive {
	struct queue_settings defaults;
	struct naive_queue queues[QUEUES];
	struct naive_message messages[MESSAGES_MAX];
	size_t count;
	struct naive_dedup dedups[DEDUPS_MAX];
	size_t dedup_count;
	struct waiter *timed_out[WAITERS_MAX];	/* in that order */
	size_t timed_out_count;
	int64_t order;			/* of all that has one */
	int64_t stamp_ns;		/* of the last push */
} naive;

#endif
