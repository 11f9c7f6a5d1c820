#ifndef WQ_CORE_INFO_H
#define WQ_CORE_INFO_H

/* What a queue is set to and what is in it, as plain data. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* "name", up to 80 of A-Z a-z 0-9 _ -, ".fifo" behind it, and a NUL. */
#define QUEUE_NAME_BYTES	86

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
};

/* Which settings an OP_CONFIGURE names. */
enum {
	SETTING_LOCK_TIMEOUT = 1, SETTING_DELAY = 2, SETTING_MAX_MESSAGES = 4,
	SETTING_MAX_BYTES = 8, SETTING_MAX_LOCKED = 16, SETTING_TTL = 32,
	SETTING_MAX_RECEIVES = 64, SETTING_DEDUP = 128,
	SETTING_DEAD_LETTER_QUEUE = 256, SETTING_TAGS = 512
};

/* A queue's tags: a JSON object of strings, as text. */
struct tags {
	size_t refs;
	char json[];		/* ends in NUL */
};

struct queue_info {
	struct queue_settings settings;
	struct tags *tags;	/* one ref, the reader's; NULL: none */
	char dead_letter_queue[QUEUE_NAME_BYTES];	/* "": none */
	bool fifo;
	bool paused;
	size_t available_count, locked_count, delayed_count;
	size_t waiter_count;
	uint64_t body_bytes;	/* of all its messages */
	int64_t oldest_ns;	/* push of the next to be given out; 0: none */
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
struct tags	*tags_new(const char *json) WQ_MUST;
struct tags	*tags_ref(struct tags *);	/* NULL is fine */
void		 tags_unref(struct tags *);	/* NULL is fine */

struct queue_entry {
	char name[QUEUE_NAME_BYTES];
	struct queue_info info;
};

#endif
