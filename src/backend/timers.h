#ifndef WQ_BACKEND_TIMERS_H
#define WQ_BACKEND_TIMERS_H

#include <stdint.h>

#include "base/status.h"
#include "core/registry.h"

struct event_base;
struct timers;

typedef void (*timers_due_fn)(void *arg);

/*
 * The evtimers of locked messages.  Each lock has its own, in the room that
 * the core keeps behind the lock; it is armed while the lock stands.  When one
 * fires and its lock is over, due(arg) is called; it may be called for several
 * at once, and it must not be relied on for exactness: the core's deadlines
 * decide.  NULL: no memory.
 */
struct timers	*timers_new(struct event_base *, timers_due_fn due, void *arg)
		    WQ_MUST;
void		 timers_free(struct timers *);	/* after all locks are gone */

/* What the core needs to know of it. */
struct lock_timers	timers_of_locks(struct timers *);

#endif
