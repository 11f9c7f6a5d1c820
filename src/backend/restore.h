#ifndef WQ_BACKEND_RESTORE_H
#define WQ_BACKEND_RESTORE_H

/* From the store's rows back into the core; for backend/durable.c alone. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct records;
struct registry;
struct restore;
struct store;

struct restore	*restore_new(struct registry *) WQ_MUST;	/* NULL: no memory */
void		 restore_free(struct restore *);	/* NULL is fine */

/* Read at most about max rows.  -1: error, of STORE_ERROR_BYTES, says why. */
int	restore_read(struct restore *, struct store *, int max, bool *more,
	    char *error) WQ_MUST;
/* Then put messages into their places, as recover_places(). */
int	restore_places(struct restore *, size_t max, bool *more, char *error)
	    WQ_MUST;
/* Messages of queues that are gone go too, max a call.  True: there are more. */
bool	restore_drop_orphans(struct restore *, struct records *, size_t max)
	    WQ_MUST;

size_t	 restore_count(const struct restore *);		/* messages */
/* No instant that was kept is later, but for deadlines. */
int64_t	 restore_last_ns(const struct restore *);
int64_t	 restore_order(const struct restore *);		/* of the last lock */

#endif
