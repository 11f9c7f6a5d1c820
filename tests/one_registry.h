#ifndef WQ_ONE_REGISTRY_H
#define WQ_ONE_REGISTRY_H

/* A registry and a clock of its own, for tests of the core alone. */

#include <stdint.h>

#include "check_wq.h"
#include "core/registry.h"

#define MS	INT64_C(1000000)
#define LOCK	1000			/* ms */

static struct registry	*r;
static int64_t		now_ns;

static inline void
open_registry(void)
{
	struct queue_settings settings = { .lock_timeout_ms = LOCK };
	struct lock_timers none = { .timer_bytes = 0 };

	r = registry_new(&settings, &none, 1);
	ck_assert_ptr_nonnull(r);
}

/* The queue of that name, made where there is none. */
static inline struct queue *
queue(const char *name)
{
	struct queue *q;
	bool created;

	ck_assert_int_eq(registry_make(r, name, &q, now_ns, &created), WQ_OK);
	return q;
}

static inline void
pass(int64_t ms)
{
	now_ns += ms * MS;
	ck_assert(!registry_expire(r, now_ns, SIZE_MAX));
}

#endif
