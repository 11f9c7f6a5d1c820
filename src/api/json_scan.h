#ifndef WQ_API_JSON_SCAN_H
#define WQ_API_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* Arrays and objects within each other; jansson's own limit. */
#define JSON_DEPTH_MAX	2048

/* What is wrong with a text, and the first byte that cannot be. */
struct json_fault {
	const char *what;	/* borrowed for ever; NULL: nothing */
	size_t at;		/* an offset; of what is missing, the end */
};

/*
 * Is text one JSON value (RFC 8259) without white space around it?  True only
 * for what jansson takes too, but that numbers may be of any size and keys may
 * have a NUL (\u0000) in them.  It allocates nothing and does not recurse.
 * fault is set where it is false, and may be NULL.
 */
bool	json_scan(const char *text, size_t bytes, struct json_fault *fault);

#endif
