#ifndef WQ_BENCH_STATE_H
#define WQ_BENCH_STATE_H

/* What the parts of a run share: run.c, work.c and wake.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/client.h"
#include "bench/conn.h"
#include "bench/poller.h"
#include "bench/run.h"

struct work;

enum phase {
	PHASE_MEASURED,
	PHASE_REST
};

struct lane {
	struct conn	 conn;
	enum request	 kind;
	bool		 is_busy;
	bool		 is_live;
	size_t		 queue;
	size_t		 count;		/* messages the request is about */
	uint64_t	 first;		/* number of the first one pushed */
	int64_t		 sent_ns;
	int64_t		 begun_ns;	/* first request of this message */
	int64_t		 confirm_ns;	/* live and not busy: when to confirm */
};

struct run {
	const struct options	*options;	/* borrowed */
	struct client		*client;	/* borrowed */
	struct ledger		*ledger;	/* borrowed */
	const struct work	*work;
	struct lane		*lanes;		/* owned */
	size_t			 lane_count;
	size_t			 live;
	size_t			 busy;
	size_t			 queue_count;
	size_t			 stride;	/* lanes of this phase */
	enum phase		 phase;
	struct answer		 answer;
	uint64_t		 started;	/* pushed or asked for */
	int64_t			 begun_ns;
	int64_t			 stop_ns;	/* INT64_MAX: no limit */
	int64_t			 progress_ns;	/* the last answer */
	int64_t			 armed_ns;	/* INT64_MAX: no tick */
	/* The rest is wake.c's. */
	int64_t			*push_sent_ns;	/* owned; by number */
	size_t			 push_room;
	int64_t			 push_due_ns;
	int64_t			 last_push_ns;	/* 0: not yet pushed */
	int64_t			 over_ns;	/* 0: not yet over */
	struct poller		 poller;
	struct result		 result;
};

/* What the lanes of a run do.  All return -1 after run_fail(). */
struct work {
	/* The first request of the next message, or none. */
	int	(*next)(struct run *, struct lane *, int64_t now_ns);
	/* r->answer is the answer to the lane's request. */
	int	(*after)(struct run *, struct lane *, int64_t now_ns);
	int	(*tick)(struct run *, int64_t now_ns);
};

extern const struct work work_plain;	/* work.c */
extern const struct work work_waiting;	/* wake.c */

/* Note why the run has to stop.  Returns -1. */
int	run_fail(struct run *r, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* Send what the client has written into the lane's `out`. */
int	run_start(struct run *r, struct lane *lane, enum request kind,
	    size_t count, int64_t now_ns);

/* The lane has no work left in this phase. */
void	run_finish_lane(struct run *r, struct lane *lane);

/* ... and its answer is of no interest: close it. */
void	run_give_up(struct run *r, struct lane *lane);

/* Have a tick at that instant or sooner; tick() asks for each one anew. */
int	run_arm(struct run *r, int64_t at_ns);

/* `count` messages are done, and took so long. */
void	run_record_message(struct run *r, size_t count, int64_t begun_ns,
	    int64_t now_ns);

#endif
