#ifndef WQ_API_NATIVE_H
#define WQ_API_NATIVE_H

#include "base/status.h"

struct backend;
struct config;
struct http_route;
struct native;

/*
 * The native HTTP API: requests turned into ops and their results into
 * answers.  Both arguments are borrowed until native_free().  NULL: no memory.
 */
struct native	*native_new(struct backend *, const struct config *) WQ_MUST;
void		 native_free(struct native *);	/* NULL is fine */

/* Its pages; a struct native is their handlers' argument. */
const struct http_route	*native_routes(void);

#endif
