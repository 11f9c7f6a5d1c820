/*
 * The clock of the house, in place of base/clock.c: it is the real one, but
 * that a test may have time pass at once.  Invariant: clock_now_ns() never
 * decreases.
 */
#include "base/clock.h"

#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>

#include "world.h"

static _Atomic int64_t	offset_ns;	/* a thread of the store may read it */

static int64_t
read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * CLOCK_NS_PER_S + ts.tv_nsec;
}

int64_t
clock_now_ns(void)
{
	int64_t now_ns = read_ns(CLOCK_MONOTONIC);

	if (offset_ns == 0)
		offset_ns = read_ns(CLOCK_REALTIME) - now_ns;
	return now_ns + offset_ns;
}

void
clock_not_before(int64_t at_ns)
{
	int64_t now_ns = clock_now_ns();

	if (now_ns <= at_ns)
		offset_ns += at_ns + 1 - now_ns;
}

int64_t
clock_epoch_ms(int64_t at_ns)
{
	return at_ns / CLOCK_NS_PER_MS;
}

void
clock_timeval(int64_t ns, struct timeval *out)
{
	int64_t us = ns > 0 ? (ns + 999) / 1000 : 0;

	out->tv_sec = us / 1000000;
	out->tv_usec = us % 1000000;
}

void
world_pass(int64_t ms)
{
	offset_ns += ms * CLOCK_NS_PER_MS;
	/* The timers of the backend do not know: an op sees to what is due. */
	call_run(call_new(OP_INFO, NULL));
}
