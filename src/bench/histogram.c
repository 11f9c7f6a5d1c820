/*
 * Durations in buckets whose width grows with the value.  Values below
 * 2 * HISTOGRAM_STEPS have a bucket each; above, the bucket is named by the
 * position of the highest bit and the seven bits below it.
 */
#include "bench/histogram.h"

static size_t
bucket_of(uint64_t ns)
{
	unsigned shift;

	if (ns < 2 * HISTOGRAM_STEPS)
		return (size_t)ns;
	shift = 63 - (unsigned)__builtin_clzll(ns) - 7;
	if (shift > HISTOGRAM_POWERS)
		return HISTOGRAM_BUCKETS - 1;
	return (size_t)shift * HISTOGRAM_STEPS + (size_t)(ns >> shift);
}

/* The largest value that falls into the bucket. */
static int64_t
bucket_end_ns(size_t bucket)
{
	size_t shift, step;

	if (bucket < 2 * HISTOGRAM_STEPS)
		return (int64_t)bucket;
	shift = bucket / HISTOGRAM_STEPS - 1;
	step = bucket - shift * HISTOGRAM_STEPS;
	return (int64_t)(((uint64_t)step + 1) << shift) - 1;
}

void
histogram_record(struct histogram *h, int64_t ns, int64_t at_ns)
{
	if (ns < 0)
		ns = 0;
	if (ns > h->max_ns || h->count == 0) {
		h->max_ns = ns;
		h->max_at_ns = at_ns;
	}
	h->count++;
	h->sum_ns += (double)ns;
	h->buckets[bucket_of((uint64_t)ns)]++;
}

void
histogram_merge(struct histogram *h, const struct histogram *from)
{
	size_t i;

	if (from->count == 0)
		return;
	if (from->max_ns > h->max_ns || h->count == 0) {
		h->max_ns = from->max_ns;
		h->max_at_ns = from->max_at_ns;
	}
	h->count += from->count;
	h->sum_ns += from->sum_ns;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->buckets[i] += from->buckets[i];
}

int64_t
histogram_percentile(const struct histogram *h, double percent)
{
	uint64_t wanted, seen = 0;
	int64_t end_ns;
	size_t i;

	if (h->count == 0)
		return 0;
	wanted = (uint64_t)((double)h->count * percent / 100.0 + 0.999999);
	if (wanted < 1)
		wanted = 1;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen >= wanted) {
			end_ns = bucket_end_ns(i);
			return end_ns < h->max_ns ? end_ns : h->max_ns;
		}
	}
	return h->max_ns;
}

double
histogram_mean_ns(const struct histogram *h)
{
	return h->count == 0 ? 0.0 : h->sum_ns / (double)h->count;
}
