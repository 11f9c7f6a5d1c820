#ifndef WQ_BENCH_RUN_H
#define WQ_BENCH_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/client.h"
#include "bench/histogram.h"
#include "bench/process.h"

struct ledger;
struct options;

/* What a run measured; all but the ledger's counts. */
struct result {
	int64_t			elapsed_ns;
	uint64_t		messages;	/* finished while measured */
	uint64_t		requests;
	uint64_t		unexpected;	/* answers nobody wants */
	uint64_t		empty;		/* receives that had nothing */
	struct histogram	latency[REQUEST_KINDS];
	struct histogram	message;	/* first request to last */
	int64_t			own_cpu_us;
	int64_t			longest_turn_ns;  /* of our own loop */
	bool			is_interrupted;
	bool			has_usage;
	struct process_usage	before;		/* of the server */
	struct process_usage	after;
	char			problem[256];	/* the first one */
};

/* One measurement over a number of connections. */
struct run;

/* All is borrowed until run_free().  NULL: no memory. */
struct run		*run_new(const struct options *, struct client *,
			    struct ledger *);
void			 run_free(struct run *);

/* Open all connections.  -1: run_result()->problem says why. */
int			 run_connect(struct run *);

/*
 * Do the whole workload and, after a cycle, take out what it left.  -1 when
 * it had to stop: run_result()->problem says why.
 */
int			 run_perform(struct run *);

const struct result	*run_result(const struct run *);

#endif
