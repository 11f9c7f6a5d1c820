#ifndef WQ_API_JSON_H
#define WQ_API_JSON_H

#include <stddef.h>

#include "base/status.h"
#include "http/route.h"

struct json_fault;

#define JSON_ERROR_BYTES	256
#define JSON_FAULT_BYTES	160

/*
 * Is body one JSON value (RFC 8259) and nothing else but white space?
 * Any value will do, also numbers that no machine type holds.  0: value is the
 * part of body without the white space around it.  -1: error, of
 * JSON_ERROR_BYTES, says what is wrong and where.
 */
int	json_check(struct text body, struct text *value, char *error) WQ_MUST;

/*
 * Say what is wrong with a text and where: lines and columns count from 1,
 * columns in characters.  out has JSON_FAULT_BYTES.
 */
void	json_fault_print(const struct json_fault *, struct text, char *out);

#endif
