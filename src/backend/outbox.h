#ifndef WQ_BACKEND_OUTBOX_H
#define WQ_BACKEND_OUTBOX_H

/* Records on their way to the writer, and when they go; for durable.c alone. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/journal.h"

struct outbox {
	struct records records;		/* with the batch that is gathered */
	uint64_t handed, kept;		/* numbers of batches */
	size_t in_hand;			/* records that are being written */
	size_t next;			/* records that the writer takes then */
};

/* begun(arg) is called at the first record of each batch. */
void		 outbox_init(struct outbox *, struct store *,
		    void (*begun)(void *), void *arg);
void		 outbox_fini(struct outbox *);

/* Records and bytes of bodies, here and at the writer. */
size_t		 outbox_gathered(const struct outbox *);	/* here alone */
size_t		 outbox_records(const struct outbox *);
uint64_t	 outbox_bytes(const struct outbox *);

/* The number of the batch that ends what was told so far. */
uint64_t	 outbox_told(const struct outbox *);
/*
 * Does what was gathered go now?  Asked at the end of a turn of the loop, and
 * when there is more of it, or something was kept.
 */
bool		 outbox_is_time(const struct outbox *);
void		 outbox_hand_over(struct outbox *, int64_t now_ns);
/* The writer has given a batch back. */
void		 outbox_kept(struct outbox *, uint64_t number);

#endif
