#ifndef WQ_BASE_NAME_H
#define WQ_BASE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define NAME_MAX_BYTES	80

/*
 * Is it 1 to 80 of A-Z a-z 0-9 _ -?  What SQS lets a queue, the label of a
 * permission and an entry of a batch be called.  A byte that is none of them,
 * as a NUL, stands behind it.
 */
static inline bool
name_is_plain(const char *name, size_t bytes)
{
	return bytes > 0 && bytes <= NAME_MAX_BYTES && strspn(name,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "_-") == bytes;
}

#endif
