#ifndef WQ_BENCH_HISTOGRAM_H
#define WQ_BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
	/*
	 * Each power of two is cut into this many steps of equal width, so
	 * a value read back is at most 1/128 above the one recorded.
	 */
	HISTOGRAM_STEPS = 128,
	HISTOGRAM_POWERS = 40,		/* up to 2^47 ns, 39 hours */
	HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * (HISTOGRAM_POWERS + 2)
};

struct histogram {
	uint64_t	count;
	int64_t		max_ns;
	int64_t		max_at_ns;	/* when the largest was recorded */
	double		sum_ns;
	uint64_t	buckets[HISTOGRAM_BUCKETS];
};

/* Record one duration; negative ones count as 0.  at_ns: the caller's now. */
void	histogram_record(struct histogram *h, int64_t ns, int64_t at_ns);

/* Add all that `from` holds to h. */
void	histogram_merge(struct histogram *h, const struct histogram *from);

/*
 * The duration that `percent` of all recorded ones do not exceed, rounded up
 * to the end of its bucket but never above the maximum; 0 when empty.
 */
int64_t	histogram_percentile(const struct histogram *h, double percent);

double	histogram_mean_ns(const struct histogram *h);

#endif
