#ifndef WQ_CORE_INDEX_H
#define WQ_CORE_INDEX_H

#include <stddef.h>

#include "base/id.h"
#include "base/status.h"

struct message;

/*
 * Messages by id: a chained hash table, intrusive in the manner of uthash
 * (the link is message.index_next).  Unlike uthash it grows and shrinks a few
 * buckets at each operation, so that no single one is slow at any size.
 */
struct index {
	struct message **bucket;	/* owned; mask + 1 of them */
	struct message **old;		/* owned; NULL unless it is resizing */
	size_t mask;
	size_t old_mask;
	size_t moved;			/* old buckets below this are empty */
	size_t count;
};

int	index_init(struct index *) WQ_MUST;	/* -1: no memory */
void	index_fini(struct index *);		/* frees no message */

/* Never fails: without memory to grow the chains get longer. */
void	index_insert(struct index *, struct message *);
void	index_remove(struct index *, struct message *);
struct message	*index_find(const struct index *, const struct id *);

#endif
