#ifndef WQ_CORE_DEADLINE_H
#define WQ_CORE_DEADLINE_H

#include <bsd/sys/tree.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define DEADLINE_LANES	16

enum deadline_kind {
	DEADLINE_LOCK,		/* a lock runs out */
	DEADLINE_DELAY,		/* a delayed message becomes available */
	DEADLINE_WAIT,		/* a receiver stops waiting */
	DEADLINE_TTL,		/* a message was not confirmed in time */
	DEADLINE_DEDUP,		/* a repeat is a repeat no longer */
	DEADLINE_RETENTION,	/* a message is older than its queue keeps */
	DEADLINE_QUEUE_RETENTION,	/* the same of a queue's first */
	DEADLINE_TASK,		/* a task goes on */
	DEADLINE_ATTEMPT,	/* a receive can be repeated no longer */
	DEADLINE_RECENT,	/* a delete is a while ago */
	DEADLINE_REDELAY	/* delays of a queue change */
};

/*
 * One instant at which something is due; it is part of what is due.
 * Everything in it belongs to deadlines_*(), but for due_ns and kind, which
 * may be read.
 */
struct deadline {
	int64_t due_ns;
	union {
		TAILQ_ENTRY(deadline) link;
		RB_ENTRY(deadline) node;
	} at;
	uint32_t order;		/* of adding, for those due at one instant */
	uint8_t lane;
	uint8_t kind;		/* enum deadline_kind */
};

/*
 * Deadlines of one duration come in the order in which they are made, so each
 * frequent duration has a list, a lane, and adding to it and taking from it is
 * O(1) at any size.  What does not fit a lane goes to a tree.
 */
struct deadlines {
	struct deadline_lane {
		TAILQ_HEAD(deadline_list, deadline) list;
		int64_t duration_ns;
	} lane[DEADLINE_LANES];
	int64_t first_ns[DEADLINE_LANES];	/* due_ns of each lane's head */
	int lanes;		/* none from there on was ever used */
	RB_HEAD(deadline_tree, deadline) tree;
	size_t count;
	uint32_t order;
};

void	deadlines_init(struct deadlines *);

/*
 * Add d, which is not in any.  duration_ns only chooses the lane.  Those
 * that are due at one instant come out in the order of adding.
 */
void	deadlines_add(struct deadlines *, struct deadline *d,
	    enum deadline_kind, int64_t due_ns, int64_t duration_ns);
void	deadlines_remove(struct deadlines *, struct deadline *);

/* The earliest, or NULL; borrowed. */
struct deadline	*deadlines_first(const struct deadlines *);

#endif
