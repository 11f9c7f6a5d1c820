#ifndef WQ_BACKEND_LOCAL_H
#define WQ_BACKEND_LOCAL_H

/* The local backend's insides, for backend/local*.c alone. */

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"

struct durable;
struct event;
struct queue;
struct registry;
struct timers;

/* What an op that was submitted is at. */
enum stage {
	STAGE_DONE,			/* it is to be finished */
	STAGE_WAITS,			/* for a message */
	STAGE_COMMITS,			/* for the store */
	STAGE_WORKS			/* in slices; local.working */
};

struct local {
	struct backend backend;		/* first */
	struct registry *registry;	/* owned */
	struct timers *timers;		/* owned */
	struct event *expire;		/* owned; runs the core's deadlines */
	int64_t expire_ns;		/* when it runs; INT64_MAX: not armed */
	uint64_t max_memory_bytes;	/* 0: no limit */
	bool auto_create;
	bool no_waits;			/* the end is near */
	uint64_t peak_bytes;		/* of all messages, since empty */
	bool drains;			/* below it */
	bool is_behind;			/* more is due than a turn's share */
	uint32_t deadlines_made;	/* by the last turn, or op before */
	bool serve_later;		/* no more of it in this turn */
	struct op_queue working;	/* redrives that take several turns */
	struct durable *durable;	/* owned; NULL: in memory only */
	bool sync_locks;		/* receives wait for the disk too */
	void (*stopped)(void *);	/* while the store ends */
	void *stopped_arg;		/* borrowed */
};

/* What it returns goes to op_finish(), unless the op's stage says otherwise. */
typedef enum wq_status (*local_verb_fn)(struct local *, struct op *,
    int64_t now_ns);
extern const local_verb_fn	local_verbs[OP_VERBS];

/* A slice of a redrive.  False: there is more to do. */
bool	local_redrive_slice(struct local *, struct op *, int64_t now_ns,
	    enum wq_status *) WQ_MUST;

/* What a receive gives at once. */
enum wq_status	local_receive_now(struct queue *, struct op_receive *,
		    int64_t now_ns);

/*
 * What op gives without those whose bodies could not be read; their locks run
 * out, so that they are not in the way.  False: nothing is left of it.
 */
bool	local_drop_missing(struct op *);
/* op gives nothing after all: its messages are as if never given. */
void	local_undeliver(struct local *, struct op *);

/* A queue that was made for a push that is refused goes, if it is empty. */
void	local_unmake(struct local *, const char *name);

/* Messages have arrived: serve those that wait. */
void	local_serve(struct local *);
/* In a later turn: what is due, what works, what is to be freed. */
void	local_expire_soon(struct local *);

#endif
