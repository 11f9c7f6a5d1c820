#ifndef WQ_CORE_RECOVER_H
#define WQ_CORE_RECOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/id.h"
#include "base/status.h"
#include "core/info.h"
#include "core/message.h"

struct queue;
struct recovery;
struct registry;

/*
 * What a journal has kept goes back into a registry that has nothing else
 * yet: first all queues, then their dead-letter queues, then tasks, keys of
 * repeats and messages by ascending seq, then what is due, in slices.  In the end
 * everything is where it would be had the process never ended.
 */

struct recovered_queue {
	int64_t number, keys_number;
	const char *name;		/* borrowed, as all here */
	struct queue_settings settings;
	bool paused;
	const char *text[QUEUE_TEXTS];	/* NULL: none */
	int64_t created_ns, changed_ns;
	struct queue_totals totals;
	/* What was due till then had taken effect, in all queues. */
	int64_t settled_ns;
};

/* A lock, or where it ended; see journal. */
struct recovered_lock {
	bool given;			/* false: never received */
	bool back;			/* its receiver gave it back */
	int64_t until_ns;
	/*
	 * Ascending over all locks and moves, for those of one instant.  Where
	 * it was unlocked it is below zero, descending, and until_ns is since
	 * when it is available.
	 */
	int64_t order;
	uint32_t receives, receipt;
	int64_t received_ns, first_received_ns;	/* 0: not known */
};

struct recovered_task {
	int64_t seq;			/* ascending: the newest is the last */
	const char *source;
	struct task_info info;		/* the failure of one is known */
	int64_t now_ns;			/* one that runs goes on from here */
};

struct recovered_message {
	int64_t seq;			/* its pushed_ns */
	int64_t queue;			/* number */
	struct id id;
	const void *body;		/* NULL: it is not loaded */
	size_t body_bytes;
	int64_t available_ns;		/* since it was moved there; 0: it was not */
	int64_t order;			/* as a lock's */
	int64_t delay_ns;		/* delayed until; 0: not */
	int64_t ttl_ns;			/* lives until; 0: for ever */
	int64_t lock_ms;		/* its own lock timeout; -1: none */
	int64_t first_pushed_ns;	/* 0: at seq */
	const char *group;		/* NULL: none */
	size_t group_bytes;
	bool text;			/* message_is_text() */
	const char *attributes;		/* NULL: none */
	size_t attributes_bytes;
	const char *dead_queue;		/* NULL: it is no dead letter */
	uint32_t dead_receives, dead_receipt;
	enum dead_reason dead_reason;
	struct recovered_lock lock;
};

/* NULL: no memory. */
struct recovery	*recovery_new(struct registry *) WQ_MUST;
void		 recovery_free(struct recovery *);	/* NULL is fine */

/*
 * WQ_NOMEM, and WQ_NO_QUEUE where there is no queue of that number: what is
 * left of one that was purged or deleted.
 */
enum wq_status	recover_queue(struct recovery *,
		    const struct recovered_queue *) WQ_MUST;
enum wq_status	recover_target(struct recovery *, int64_t number,
		    const char *dead_letter_queue) WQ_MUST;
enum wq_status	recover_task(struct recovery *,
		    const struct recovered_task *) WQ_MUST;
enum wq_status	recover_dedup(struct recovery *, int64_t number,
		    const uint8_t key[DIGEST_BYTES], const struct id *,
		    int64_t pushed_ns, int64_t until_ns) WQ_MUST;
enum wq_status	recover_message(struct recovery *,
		    const struct recovered_message *) WQ_MUST;

/*
 * All was given: put at most max messages into their places.  *more: call it
 * again.  Then registry_attach(), and registry_expire() until nothing is due.
 * WQ_NOMEM.
 */
enum wq_status	recover_places(struct recovery *, size_t max, bool *more)
		    WQ_MUST;

#endif
