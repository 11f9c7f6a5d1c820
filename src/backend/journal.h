#ifndef WQ_BACKEND_JOURNAL_H
#define WQ_BACKEND_JOURNAL_H

/* What the core tells, as records of a batch; for backend/ alone. */

#include <stdbool.h>
#include <stdint.h>

#include "core/journal.h"
#include "store/store.h"

struct records {
	struct store *store;		/* borrowed */
	struct store_batch *batch;	/* owned; NULL: nothing was told yet */
	int64_t order;			/* of the last lock or move */
	void (*begun)(void *arg);	/* the batch has its first record */
	void *arg;			/* borrowed */
	struct journal journal;		/* its functions; their arg is this */
};

void	records_init(struct records *, struct store *, void (*begun)(void *),
	    void *arg);
/* The totals of q; false: no memory. */
bool	records_totals(struct records *, struct queue *, int64_t settled_ns);
/* Read the body of m, which gets one more ref until then; false: no memory. */
bool	records_fetch(struct records *, struct message *);
/* Delete what is of no queue; false: no memory. */
bool	records_orphan(struct records *, int64_t seq);

#endif
