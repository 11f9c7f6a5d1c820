#ifndef WQ_CORE_INFO_H
#define WQ_CORE_INFO_H

/* What a queue is set to and what is in it, as plain data. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"

/* "name", up to 80 of A-Z a-z 0-9 _ -, ".fifo" behind it, and a NUL. */
#define QUEUE_NAME_BYTES	86
/* How many of a queue may be in flight where nothing else is said. */
#define QUEUE_MAX_LOCKED	120000

/* Times in ms; 0 in a limit, and in ttl, is "none". */
struct queue_settings {
	int64_t lock_timeout_ms;
	int64_t delay_ms;
	int64_t ttl_ms;
	int64_t max_receives;
	int64_t max_messages;
	int64_t max_bytes;	/* of bodies */
	int64_t max_locked;
	int64_t content_based_dedup;	/* 0 or 1 */
	int64_t retention_ms;	/* since the push; 0: for ever */
	int64_t wait_ms;	/* of a receive that names none */
	int64_t max_message_bytes;	/* body and attributes */
	int64_t dedup_by_group;	/* 1: repeats are those of a group */
	int64_t redrive_allow;	/* enum redrive_allow */
	int64_t delay_for_all;	/* 1: see redelay.h */
};

/* Which queues may have it as their dead-letter queue. */
enum redrive_allow {
	REDRIVE_ALLOW_ALL,
	REDRIVE_DENY_ALL,
	REDRIVE_BY_QUEUE	/* those of QUEUE_SOURCES */
};

/* Which settings an OP_CONFIGURE names. */
enum {
	SETTING_LOCK_TIMEOUT = 1, SETTING_DELAY = 2, SETTING_MAX_MESSAGES = 4,
	SETTING_MAX_BYTES = 8, SETTING_MAX_LOCKED = 16, SETTING_TTL = 32,
	SETTING_MAX_RECEIVES = 64, SETTING_DEDUP = 128,
	SETTING_DEAD_LETTER_QUEUE = 256, SETTING_TAGS = 512,
	SETTING_RETENTION = 1024, SETTING_WAIT = 2048,
	SETTING_MAX_MESSAGE = 4096, SETTING_DEDUP_BY_GROUP = 8192,
	SETTING_REDRIVE_ALLOW = 16384, SETTING_ATTRIBUTES = 32768,
	SETTING_SOURCES = 65536, SETTING_DELAY_FOR_ALL = 131072
};

/* What a queue has as text; NULL where it has none. */
enum queue_text {
	QUEUE_TAGS,		/* a JSON object of strings */
	QUEUE_ATTRIBUTES,	/* a protocol's own, JSON; the core reads none */
	QUEUE_SOURCES,		/* of REDRIVE_BY_QUEUE: names, a space between */
	QUEUE_TEXTS
};

/* A text that those who were told of it share. */
struct shared {
	size_t refs;
	char text[];		/* ends in NUL */
};

struct queue_info {
	struct queue_settings settings;
	struct shared *text[QUEUE_TEXTS];	/* one ref, the reader's */
	char dead_letter_queue[QUEUE_NAME_BYTES];	/* "": none */
	bool fifo;
	bool paused;
	size_t available_count, locked_count, delayed_count;
	size_t waiter_count;
	uint64_t body_bytes;	/* of all its messages */
	int64_t oldest_ns;	/* push of the next to be given out; 0: none */
	int64_t created_ns, changed_ns;	/* its settings; 0: not known */
	bool is_target;		/* dead letters of another come here */
	struct queue_totals {	/* since the start */
		uint64_t pushed, received, confirmed, expired;
		uint64_t dead_lettered;	/* moved to its deadLetterQueue */
		uint64_t timed_out;	/* gone at the end of their ttl */
		uint64_t duplicates;	/* pushes that were repeats */
	} totals;
};

/* Does a name end as a FIFO queue's does?  It need not end in NUL. */
bool		 queue_name_is_fifo(const char *name, size_t bytes);

/* NULL: no memory. */
struct shared	*shared_new(const char *text) WQ_MUST;
struct shared	*shared_ref(struct shared *);	/* NULL is fine */
void		 shared_unref(struct shared *);	/* NULL is fine */
void		 queue_info_fini(struct queue_info *);	/* its refs go */

enum task_state {
	TASK_RUNNING, TASK_COMPLETED, TASK_CANCELED, TASK_FAILED
};

/* A task that moves dead letters of a queue; its past ones are kept a while. */
struct task_info {
	struct id id;
	enum task_state state;
	char to[QUEUE_NAME_BYTES];	/* "": each one's source */
	int64_t rate;			/* messages a second; 0: no limit */
	uint64_t moved;
	uint64_t to_move;		/* how many there were at its start */
	int64_t started_ns;
	enum wq_status failure;		/* of TASK_FAILED */
};

struct queue_entry {
	char name[QUEUE_NAME_BYTES];
	struct queue_info info;
};

#endif
