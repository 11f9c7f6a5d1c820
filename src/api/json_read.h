#ifndef WQ_API_JSON_READ_H
#define WQ_API_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"
#include "http/route.h"

struct json_fault;

/* A value takes about a hundred bytes; a batch of SQS has some 400. */
#define JSON_READ_VALUES	10000

/*
 * Read one JSON value, with or without white space around it, into jansson's
 * form.  Integers that its type does not hold are reals, and reals that a
 * double does not hold the nearest it does; of repeated keys the last counts.
 * Strings may have a NUL in them, keys may not.  NULL: it is not JSON, has more
 * than JSON_READ_VALUES values in all, or *no_memory is set.
 *
 * It takes the place of jansson's own parser, which without memory reads and
 * writes out of bounds (2.14 goes on with a text that it could not save).
 */
json_t	*json_read(struct text, bool *no_memory) WQ_MUST;

/*
 * The same, but a key may not be repeated in its object, and no string may have
 * a NUL in it.  NULL: the fault is set, and where its what is NULL there is no
 * memory.
 */
json_t	*json_read_strict(struct text, struct json_fault *) WQ_MUST;

#endif
