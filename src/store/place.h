#ifndef WQ_STORE_PLACE_H
#define WQ_STORE_PLACE_H

/* The directory of a store: its lock, and the space that it keeps back. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct store_place;

/*
 * Make the directory where there is none (mode 0700) and lock it against
 * other processes.  NULL: error, of STORE_ERROR_BYTES, says why and what to do.
 */
struct store_place	*place_open(const char *directory, char *error) WQ_MUST;
void		 place_close(struct store_place *);	/* NULL is fine */

/* The path of a file in it, written to out, which has that room. */
#define PLACE_PATH_BYTES	4096
const char	*place_path_of(const struct store_place *, const char *file,
		    char *out, size_t room);
/*
 * Files in it; what fails is in errno.  A file that is created is its owner's
 * alone to read, as is what SQLite makes beside it.
 */
int		 place_create(const struct store_place *, const char *file)
		    WQ_MUST;
int		 place_rename(const struct store_place *, const char *from,
		    const char *to) WQ_MUST;
void		 place_remove(const struct store_place *, const char *file);

/*
 * A file of PLACE_RESERVE_BYTES that is given up when the disk is full, so
 * that confirms can still be written.  take: false, there is no space for it.
 */
#define PLACE_RESERVE_BYTES	(16 * 1024 * 1024)
bool		 place_reserve_take(const struct store_place *) WQ_MUST;
void		 place_reserve_give(const struct store_place *);
/* Is there space for so many bytes, or is that not known? */
bool		 place_has_space(const struct store_place *, uint64_t bytes);

#endif
