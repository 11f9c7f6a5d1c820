#ifndef WQ_BASE_CLOCK_H
#define WQ_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NS_PER_MS	INT64_C(1000000)
#define CLOCK_NS_PER_S	INT64_C(1000000000)

/*
 * The house's time: nanoseconds since 1970 by the wall clock as it stood at
 * the first call, carried on by CLOCK_MONOTONIC.  It never goes back and never
 * jumps, so locks are not cut short when somebody sets the clock.
 */
int64_t	clock_now_ns(void);

struct timeval;

/* As long, or less than a microsecond longer; 0 where ns is negative. */
void	clock_timeval(int64_t ns, struct timeval *out);

/* From now on it is later than that, which a process before this one saw. */
void	clock_not_before(int64_t at_ns);

/*
 * The same instant as the wall clock shows it now, in milliseconds since
 * 1970.  When the wall clock was set since the start, this follows it.
 */
int64_t	clock_epoch_ms(int64_t at_ns);

#endif
