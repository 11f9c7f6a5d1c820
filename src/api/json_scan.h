#ifndef WQ_API_JSON_SCAN_H
#define WQ_API_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* Arrays and objects within each other; jansson's own limit. */
#define JSON_DEPTH_MAX	2048

/*
 * Is text one JSON value (RFC 8259) without white space around it?  True only
 * for what jansson takes too, but that numbers may be of any size and keys may
 * have a NUL (\u0000) in them.  It allocates nothing and does not recurse.
 */
bool	json_scan(const char *text, size_t bytes);

#endif
