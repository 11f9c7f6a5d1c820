#ifndef WQ_CORE_MANAGE_H
#define WQ_CORE_MANAGE_H

/* The arguments and results of verbs on queues; see op.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "core/info.h"

struct message;

struct op_redrive {
	const char *to;		/* borrowed until done; NULL: each one's source */
	size_t max;
	bool renew;		/* they get other ids */
	size_t moved;		/* result */
	/* The core's, for a redrive that takes several slices. */
	int64_t began_ns;
	struct message *reached;	/* owned: one ref; NULL: none */
};

struct op_configure {
	struct queue_settings settings;	/* and the result: all as they are */
	char dead_letter_queue[QUEUE_NAME_BYTES];	/* "": none */
	const char *text[QUEUE_TEXTS];	/* borrowed until done; NULL: none */
	/*
	 * WQ_CHANGED where a text that is expected is not as it is: "" for
	 * none, NULL for any.  Borrowed until done.
	 */
	const char *expected[QUEUE_TEXTS];
	unsigned given;		/* SETTING_*; others keep their values */
	bool only_new;		/* one that is there stays as it is */
	bool must_exist;	/* WQ_NO_QUEUE */
	bool strict_target;	/* it must exist, be of the same kind, and
				 * allow it */
	bool created;		/* result */
	struct queue_info now;	/* result; its refs are the maker's */
};

struct op_delete {
	bool even_target;	/* others then have no deadLetterQueue */
};

/* A task that moves dead letters; see core/task.h. */
struct op_task_start {
	const char *to;		/* borrowed until done; NULL: each one's source */
	int64_t rate;		/* messages a second; 0: no limit */
	struct id id;		/* the maker gives it a name of its own */
};

struct op_task_cancel {
	struct id id;
	uint64_t moved;		/* result */
};

struct op_task_list {
	size_t max;		/* room in `out` */
	struct task_info *out;	/* borrowed until done; newest first */
	size_t count;		/* result */
};

struct op_backup {
	char path[256];		/* result: the file */
};

struct op_pause {
	bool pause;		/* false: resume */
};

struct op_list {
	const char *prefix;	/* borrowed until done; "" is all */
	const char *after;	/* only names above it; borrowed until done */
	bool sources;		/* only those whose dead letters go to op's queue */
	size_t max;		/* room in `out` */
	struct queue_entry *out;	/* borrowed until done; by name */
	size_t count;		/* result */
};

#endif
