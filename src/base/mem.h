#ifndef WQ_BASE_MEM_H
#define WQ_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/*
 * Memory of the process: thin shims over malloc(3), so that a test can make
 * any allocation fail, in our own code and in the libraries that are given
 * these functions.  All return NULL when there is none; nothing exits.
 */
void	*mem_alloc(size_t) WQ_MUST;
void	*mem_zalloc(size_t) WQ_MUST;		/* zeroed */
void	*mem_realloc(void *, size_t) WQ_MUST;	/* the old stays on failure */
char	*mem_strdup(const char *) WQ_MUST;
void	 mem_free(void *);			/* NULL is fine */

/*
 * The same for a library that does not survive a failure (evhttp 2.1.12 reads
 * a null pointer when a connection's address cannot be copied): when there is
 * no memory a reserve of MEM_RESERVE_BYTES is given up for it.
 * mem_reserve_fill() makes it whole again; false: it is not, so take on
 * nothing new.
 */
#define MEM_RESERVE_BYTES	(256 * 1024)
void	*mem_alloc_reserved(size_t) WQ_MUST;
void	*mem_realloc_reserved(void *, size_t) WQ_MUST;
bool	 mem_reserve_fill(void);
void	 mem_reserve_free(void);

/*
 * Whole pages from the kernel, zeroed as they are first touched, for tables so
 * large that clearing or freeing them in one go would stop the loop.  bytes is
 * what mem_pages_alloc() was given; discard gives the memory of a part back,
 * its address stays (p and bytes are rounded to the pages within).
 */
void	*mem_pages_alloc(size_t bytes) WQ_MUST;
void	 mem_pages_discard(void *p, size_t bytes);
void	 mem_pages_free(void *, size_t bytes);	/* NULL is fine */

/*
 * Whether memory that is freed goes back to the system at once, which costs a
 * tenth of the rate, or with a delay that only further frees end.
 */
void	mem_give_back(bool at_once);

/*
 * For tests: let n more allocations succeed and the one after fail, once.
 * A negative n turns this off.  mem_has_failed() tells whether it happened.
 */
void	 mem_fail_after(long n);
int	 mem_has_failed(void);

#endif
