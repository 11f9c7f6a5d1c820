#ifndef WQ_BENCH_CLOCK_H
#define WQ_BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Monotonic nanoseconds; no system call where the vDSO serves it. */
static inline int64_t
clock_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Wall clock, milliseconds since 1970: an instant two processes share. */
static inline int64_t
clock_epoch_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif
