#ifndef WQ_CORE_STATE_H
#define WQ_CORE_STATE_H

/*
 * The core's data, for core/ alone.  The rest of the house sees queue.h,
 * registry.h and message.h.
 */

#include "core/journal.h"
#include "core/parts.h"
#include "core/registry.h"

TAILQ_HEAD(waiter_list, waiter);

struct queue {
	struct registry *registry;	/* borrowed */
	int64_t number;			/* no other ever has it */
	int64_t keys_number;		/* of the first since whom it lives */
	RB_ENTRY(queue) by_name;	/* registry.sorted */
	TAILQ_ENTRY(queue) list_link;	/* registry.hungry or .dying */
	bool hungry;			/* on it */
	bool paused;
	bool fifo;
	bool recovered;			/* the journal has it as it is */
	bool untouched;			/* nobody has set anything of it */
	struct waiter_list waiters;	/* first come, first served */
	size_t waiter_count;
	struct queue_settings settings;
	struct shared *text[QUEUE_TEXTS];	/* owned: one ref each */
	int64_t created_ns, changed_ns;	/* its settings; 0: not known */
	struct queue *dead_letters;	/* borrowed: where they go; NULL */
	LIST_ENTRY(queue) source_link;	/* dead_letters->sources */
	LIST_HEAD(, queue) sources;	/* whose dead letters come here */
	struct line line;		/* of messages without a group */
	struct group *groups;		/* uthash; owned by their messages */
	RB_HEAD(group_tree, group) quiet, noisy;
	struct dedups *dedups;		/* owned; NULL: none yet */
	struct attempt *attempts;	/* owned; uthash */
	int64_t purged_ns;		/* 0: never, or not known */
	struct hold_list locked;	/* in the order of locking */
	struct hold_list delayed;
	size_t available_count, locked_count, delayed_count;
	size_t coming_count;		/* pushed, but not in it yet */
	uint64_t coming_bytes;
	struct deadline retention;	/* of its oldest; see retention.c */
	bool retains;			/* it is in the registry */
	bool retention_walks;		/* all are looked at, after a change */
	struct message *retention_reached;	/* owned: one ref; NULL: none */
	struct deadline redelay;	/* see redelay.c */
	bool redelays;			/* it is in the registry */
	struct message *redelay_reached;	/* owned: one ref; NULL: none */
	int64_t last_due_ns;		/* FIFO: of any delay; see coming.c */
	uint64_t body_bytes;
	struct queue_totals totals;
	bool touched;			/* on registry.touched */
	TAILQ_ENTRY(queue) touched_link;
	UT_hash_handle hh;		/* registry.queues, by name */
	char name[];			/* ends in NUL */
};

struct registry {
	struct queue *queues;		/* owned; uthash */
	RB_HEAD(queue_tree, queue) sorted;	/* the same, by name */
	TAILQ_HEAD(, queue) hungry;	/* have messages and waiters */
	TAILQ_HEAD(, queue) dying;	/* owned; see reap.c */
	TAILQ_HEAD(, queue) touched;	/* their totals are to be kept */
	const struct journal *journal;	/* borrowed; NULL: nothing is kept */
	struct waiter_list timed_out;	/* of all queues */
	TAILQ_HEAD(task_list, task) tasks;	/* owned; newest first */
	size_t task_count;
	struct recent *recents;		/* owned; uthash */
	int64_t moment_ns;		/* see recent.h */
	struct queue_settings defaults;
	struct queue *root;		/* borrowed: the default queue */
	struct index index;		/* messages of all queues, by id */
	struct deadlines deadlines;	/* of all queues */
	size_t due_left;		/* that receives may still see to */
	struct lock_timers timers;
	struct id (*new_id)(void);	/* NULL: redriven ones keep theirs */
	uint64_t random;		/* state of the receipts' generator */
	int64_t stamp_ns;		/* of the last push */
	int64_t last_number;		/* of a queue */
	uint64_t memory_bytes;		/* of all in it but holds, about */
	uint64_t hold_bytes;		/* of those */
	uint64_t cap_bytes;		/* over it bodies go; 0: none does */
};

/* Room for so many calls of the journal; false: no memory. */
static inline bool
journal_reserve(const struct registry *r, size_t calls, size_t text_bytes)
{
	return r->journal == NULL ||
	    r->journal->reserve(r->journal->arg, calls, text_bytes);
}

/* registry.c: unique and ascending, so that it is a key and an order. */
int64_t	registry_stamp(struct registry *, int64_t now_ns);

/* registry.c: the totals of q change. */
void	queue_touch(struct queue *);

/* registry.c: all that is due first, at one instant; how much it was. */
size_t	registry_expire_first(struct registry *);

/* registry.c: q is made, takes the place of the one of its name, goes. */
int	registry_add(struct registry *, struct queue *) WQ_MUST;
int	registry_replace(struct registry *, struct queue *old,
	    struct queue *) WQ_MUST;
void	registry_remove(struct registry *, struct queue *);

/* queue_life.c: NULL is no memory; it is empty and unknown; a wait ends. */
struct queue	*queue_new(struct registry *, const char *name,
		    const struct queue_settings *) WQ_MUST;
void		 queue_free(struct queue *);
void		 queue_set_target(struct queue *, struct queue *target);
void		 queue_time_out(struct waiter *);
size_t		 queue_text_bytes(struct shared *const *);

/*
 * reap.c: a queue that nobody can reach any more, all of what it held goes in
 * slices; or at once, at the end.
 */
void	queue_die(struct queue *);
bool	queue_reap(struct queue *, size_t max);	/* true: it is free */

/* queue.c: how long m is locked by who does not say. */
int64_t	message_lock_ms(const struct message *);

/* message.c: what few have; made where there is none.  NULL: no memory. */
struct message_extra	*message_extra_get(struct message *) WQ_MUST;
void			 message_set_first_received(struct message *,
			    int64_t ns);

/* A deadline is due. */
void	queue_due(struct deadline *);

/* letters.c: m is a dead letter.  False: it has nowhere to go, or no memory. */
bool	message_die(struct message *, enum dead_reason, int64_t at_ns);

/* letters.c: queue_redrive() when all that was due has taken effect. */
bool	queue_redrive_slice(struct queue *, struct op_redrive *,
	    struct queue *to, int64_t now_ns, size_t slice) WQ_MUST;

/* dedup.c: it is over. */
void	dedup_free(struct dedup *);

#endif
