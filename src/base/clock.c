/*
 * One clock for the house.  Invariant: clock_now_ns() never decreases.
 * `offset_ns` is fixed at the first call, and only rises where what was kept
 * by a process before is of a later time; `step_ns` follows later settings of
 * the wall clock and only serves to print instants.
 */
#include "base/clock.h"

#include <sys/time.h>
#include <time.h>

/* A smaller difference is drift: following it would make answers flicker. */
#define STEP_MIN_NS	(100 * CLOCK_NS_PER_MS)

static int64_t	offset_ns;
static int64_t	step_ns;
static int64_t	step_checked_ns;

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

	if (__builtin_expect(offset_ns == 0, 0))
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
	int64_t now_ns = clock_now_ns(), step;

	if (now_ns - step_checked_ns >= CLOCK_NS_PER_S) {
		step_checked_ns = now_ns;
		step = read_ns(CLOCK_REALTIME) - now_ns;
		if (step - step_ns > STEP_MIN_NS || step_ns - step > STEP_MIN_NS)
			step_ns = step;
	}
	return (at_ns + step_ns) / CLOCK_NS_PER_MS;
}

void
clock_timeval(int64_t ns, struct timeval *out)
{
	int64_t us = ns > 0 ? (ns + 999) / 1000 : 0;

	out->tv_sec = us / 1000000;
	out->tv_usec = us % 1000000;
}
