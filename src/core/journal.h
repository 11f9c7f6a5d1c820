#ifndef WQ_CORE_JOURNAL_H
#define WQ_CORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "core/info.h"
#include "core/message.h"

struct queue;

/*
 * What the core tells of the changes that are to last.  Told in the order in
 * which they happen, and told again in that order to a registry that begins
 * empty, they give the same queues, messages and order; see recover.h.
 * What time alone does is not told: it does the same again.  Nor are totals,
 * which change with most calls: registry_next_touched() has them.
 *
 * All functions but reserve() cannot fail: room was reserved before anything
 * was changed.  What they are given is borrowed for the call, but a message's
 * id and body, which stay for as long as somebody has a ref.
 */
struct journal {
	/*
	 * Room for so many calls, which tell of groups and texts of so many
	 * bytes in all; false: no memory, nothing is changed.
	 */
	bool (*reserve)(void *arg, size_t calls, size_t text_bytes);
	/*
	 * m is coming to its queue, where key is what its repeats are known
	 * by until key_until_ns; NULL: it has none.
	 */
	void (*push)(void *arg, const struct message *m,
	    const uint8_t key[DIGEST_BYTES], int64_t key_until_ns);
	/* m was locked, or its lock got another end. */
	void (*lock)(void *arg, const struct message *m);
	/*
	 * m is back in its line, as if never received: before all that are
	 * available since the same instant.
	 */
	void (*unlock)(void *arg, const struct message *m);
	/* m is delayed until another instant. */
	void (*delay)(void *arg, const struct message *m);
	/* m is gone for good. */
	void (*gone)(void *arg, const struct message *m);
	/* m has another queue, and that place and id there; it was at was_ns. */
	void (*move)(void *arg, const struct message *m, int64_t was_ns);
	/* q was made, or its settings changed. */
	void (*queue)(void *arg, struct queue *q);
	/* The queue of that number is gone, with all messages. */
	void (*queue_gone)(void *arg, int64_t number);
	/* q has taken the place, and the name, of the one of that number. */
	void (*purge)(void *arg, struct queue *q, int64_t number);
	/* A task on source is new, further, or at its end; seq is its own. */
	void (*task)(void *arg, int64_t seq, const char *source,
	    const struct task_info *);
	/* It is forgotten. */
	void (*task_gone)(void *arg, int64_t seq);
	void *arg;			/* borrowed for the registry's life */
};

/* What there is to tell of them; borrowed until they change. */
struct message_facts {
	int64_t queue;			/* number */
	int64_t keys_queue;		/* number that its key is kept under */
	int64_t delay_ns;		/* delayed until; 0: not */
	int64_t ttl_ns;			/* lives until; 0: for ever */
	int64_t lock_ms;		/* its own lock timeout; -1: none */
	int64_t received_ns;		/* when it was locked */
	int64_t first_received_ns;	/* 0: never */
	int64_t first_pushed_ns;	/* where that is not its pushed_ns */
	int64_t until_ns;		/* its lock's end; 0: it is not locked */
	bool given_back;
	const char *group;		/* NULL: none */
	size_t group_bytes;
	const char *attributes;		/* NULL: none */
	size_t attributes_bytes;
	const struct dead_letter *dead;	/* NULL: it is none */
};

struct queue_facts {
	int64_t number;
	int64_t keys_number;		/* keys of repeats are kept under it */
	const char *name;
	const char *dead_letter_queue;	/* NULL: none */
	const char *text[QUEUE_TEXTS];	/* NULL: none */
	int64_t created_ns, changed_ns;
	bool paused;
	const struct queue_settings *settings;
	const struct queue_totals *totals;
};

void	message_facts(const struct message *, struct message_facts *);
void	queue_facts(const struct queue *, struct queue_facts *);

#endif
