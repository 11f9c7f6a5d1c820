#ifndef WQ_CONFORMANCE_LATE_H
#define WQ_CONFORMANCE_LATE_H

#include "base/status.h"

struct backend;
struct config;
struct event_base;

/*
 * The backend in memory, with answers that come when they like, as those of a
 * store do: what is asked takes effect at once, done() runs milliseconds
 * later and for many ops together.
 */
struct backend	*late_new(struct event_base *, const struct config *)
		    WQ_MUST;

#endif
