#ifndef WQ_STORE_COALESCE_H
#define WQ_STORE_COALESCE_H

#include <stddef.h>
#include <stdint.h>

#include "store/batch.h"

TAILQ_HEAD(store_batches, store_batch);

/* Memory of coalesce(), kept for its next call; zeroed at first. */
struct coalescer {
	int64_t *seq;			/* owned; a table of them, 0: empty */
	size_t room;
};

/*
 * What batches that are written together need not write: the lock of a message
 * that is gone by their end becomes STORE_NOTHING.  A queue in steady use has
 * most of its locks like that.  Without memory nothing is changed.
 */
void	coalesce(struct coalescer *, struct store_batches *);
void	coalescer_fini(struct coalescer *);

#endif
