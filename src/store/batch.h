#ifndef WQ_STORE_BATCH_H
#define WQ_STORE_BATCH_H

/*
 * What is to be written, as plain data: a batch of records in their order.  The
 * loop fills it and hands it over; from then on it is the writer's, until it
 * comes back.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/status.h"
#include "store/record.h"

/* What became of the pushes of a batch; all else in it was done. */
enum store_result { STORE_OK, STORE_NO_SPACE, STORE_FAILED };

struct store_batch {
	TAILQ_ENTRY(store_batch) link;
	uint64_t number;		/* ascending from 1 */
	int64_t now_ns;			/* when it was handed over */
	struct store_record *record;	/* owned */
	size_t count, room;
	char *text;			/* owned */
	size_t text_bytes, text_room;
	uint64_t body_bytes;		/* of its pushes */
	enum store_result result;	/* of the pushes */
};

struct store_batch	*batch_new(void) WQ_MUST;	/* NULL: no memory */
void		 batch_free(struct store_batch *);	/* NULL is fine */
void		 batch_clear(struct store_batch *);

/* Room for so many records more, with texts of so many bytes; -1: no memory. */
int		 batch_reserve(struct store_batch *, size_t records,
		    size_t text_bytes) WQ_MUST;
/* The next record, zeroed; there is room. */
struct store_record	*batch_add(struct store_batch *, enum store_verb,
			    int64_t seq, int64_t queue);
/* Keep a text, for which there is room; NULL is none. */
struct store_text	batch_text(struct store_batch *, const char *,
			    size_t bytes);

#endif
