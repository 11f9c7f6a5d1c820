/*
 * What the run has found, for people and for programs.  Both say the same
 * things; latencies are in microseconds.
 */
#include "bench/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/ledger.h"
#include "bench/options.h"
#include "bench/run.h"

/* Above this share of one core the generator, not the server, is measured. */
static const double BUSY_SHARE = 0.9;

static const char *const kind_names[REQUEST_KINDS] = {
	[REQUEST_PUSH] = "push",
	[REQUEST_RECEIVE] = "receive",
	[REQUEST_CONFIRM] = "confirm",
	[REQUEST_PROBE] = "probe"
};

struct figures {
	double	seconds;
	double	messages_per_s;
	double	requests_per_s;
	double	server_us;		/* CPU a message */
	double	server_share;		/* of one core */
	double	own_us;
	double	own_share;		/* of one core */
};

static bool
knows_lost(const struct options *o)
{
	/* A push leaves them there; a drain does not know what was pushed. */
	return (o->workload == WORKLOAD_CYCLE && !o->leave) ||
	    o->workload == WORKLOAD_WAKE ||
	    (o->workload == WORKLOAD_DRAIN && o->has_token &&
	    o->messages != UINT64_MAX);
}

static uint64_t
lost(const struct options *o, const struct ledger_counts *counts)
{
	if (!knows_lost(o))
		return 0;
	if (o->workload != WORKLOAD_DRAIN)
		return counts->lost;
	return counts->received < o->messages ?
	    o->messages - counts->received : 0;
}

bool
report_is_good(const struct options *o, const struct result *r,
    const struct ledger_counts *counts)
{
	return lost(o, counts) == 0 && counts->duplicated == 0 &&
	    counts->garbled == 0 && r->unexpected == 0;
}

static void
figure(const struct result *r, struct figures *f)
{
	double messages = r->messages > 0 ? (double)r->messages : 1.0;
	double server_us = (double)(r->after.cpu_us - r->before.cpu_us);

	f->seconds = (double)r->elapsed_ns / 1e9;
	f->messages_per_s = (double)r->messages / f->seconds;
	f->requests_per_s = (double)r->requests / f->seconds;
	f->server_us = server_us / messages;
	f->server_share = server_us / 1e6 / f->seconds;
	f->own_us = (double)r->own_cpu_us / messages;
	f->own_share = (double)r->own_cpu_us / 1e6 / f->seconds;
}

static double
us(int64_t ns)
{
	return (double)ns / 1000.0;
}

static void
print_row(const char *name, const struct histogram *h)
{
	if (h->count == 0)
		return;
	printf("%-9s %10" PRIu64 " %9.1f %9.1f %9.1f %9.1f %9.1f %9.1f "
	    "%10.1f %9.2f\n", name, h->count, histogram_mean_ns(h) / 1000.0,
	    us(histogram_percentile(h, 50)), us(histogram_percentile(h, 90)),
	    us(histogram_percentile(h, 99)),
	    us(histogram_percentile(h, 99.9)),
	    us(histogram_percentile(h, 99.99)), us(h->max_ns),
	    (double)h->max_at_ns / 1e9);
}

/* All requests, whatever they ask for.  NULL without memory. */
static struct histogram *
all_requests(const struct result *r)
{
	struct histogram *all;
	size_t i;

	if ((all = calloc(1, sizeof(*all))) == NULL)
		return NULL;
	for (i = 0; i < REQUEST_KINDS; i++)
		histogram_merge(all, &r->latency[i]);
	return all;
}

static int
print_latencies(const struct result *r)
{
	struct histogram *all;
	size_t i;

	if ((all = all_requests(r)) == NULL)
		return -1;
	printf("\n%-9s %10s %9s %9s %9s %9s %9s %9s %10s %9s\n", "us",
	    "count", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max",
	    "max at s");
	for (i = 0; i < REQUEST_KINDS; i++)
		print_row(kind_names[i], &r->latency[i]);
	print_row("request", all);
	print_row("message", &r->message);
	free(all);
	return 0;
}

static void
print_counts(const struct options *o, const struct ledger_counts *counts)
{
	if (o->workload == WORKLOAD_PROBE)
		return;
	printf("messages    %" PRIu64 " pushed, %" PRIu64 " received",
	    counts->pushed, counts->received);
	if (knows_lost(o))
		printf(", %" PRIu64 " lost", lost(o, counts));
	printf(", %" PRIu64 " duplicated", counts->duplicated);
	if (counts->garbled > 0)
		printf(", %" PRIu64 " garbled", counts->garbled);
	if (counts->foreign > 0)
		printf(", %" PRIu64 " of other runs", counts->foreign);
	printf("\n");
}

int
report_table(const struct options *o, const struct result *r,
    const struct ledger_counts *counts)
{
	struct figures f;

	figure(r, &f);
	printf("workload    %s, %s, %zu connection%s, %zu bytes", workload_name(
	    o->workload), protocol_name(o->protocol), o->connections,
	    o->connections == 1 ? "" : "s", o->body_bytes);
	if (o->batch > 1)
		printf(", batches of %zu", o->batch);
	printf("\nrun         %016" PRIx64 "%s\n", o->token,
	    r->is_interrupted ? ", interrupted" : "");
	print_counts(o, counts);
	printf("answers     %" PRIu64 ", %" PRIu64 " unexpected, %" PRIu64
	    " empty\n", r->requests, r->unexpected, r->empty);
	if (r->unexpected > 0)
		printf("first       %s\n", r->problem);
	printf("time        %.3f s\n", f.seconds);
	printf("throughput  %.0f messages/s, %.0f requests/s\n",
	    f.messages_per_s, f.requests_per_s);
	if (r->has_usage)
		printf("server      %.2f us CPU a message, %.0f %% of a "
		    "core, RSS %.1f MiB before, %.1f MiB after\n",
		    f.server_us, f.server_share * 100.0,
		    (double)r->before.rss_bytes / 1048576.0,
		    (double)r->after.rss_bytes / 1048576.0);
	printf("generator   %.2f us CPU a message, %.0f %% of a core, longest "
	    "turn %.1f us%s\n", f.own_us, f.own_share * 100.0,
	    us(r->longest_turn_ns), f.own_share > BUSY_SHARE ?
	    "; saturated" : "");
	if (print_latencies(r) == -1)
		return -1;
	return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : -1;
}

/* A JSON string; `text` holds printable ASCII only. */
static void
json_string(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

static void
json_row(const char *name, const struct histogram *h, bool is_first)
{
	printf("%s\"%s\":{\"count\":%" PRIu64 ",\"mean\":%.3f,\"p50\":%.3f,"
	    "\"p90\":%.3f,\"p99\":%.3f,\"p99.9\":%.3f,\"p99.99\":%.3f,"
	    "\"max\":%.3f,\"maxAtSeconds\":%.3f}", is_first ? "" : ",", name,
	    h->count, histogram_mean_ns(h) / 1000.0,
	    us(histogram_percentile(h, 50)), us(histogram_percentile(h, 90)),
	    us(histogram_percentile(h, 99)),
	    us(histogram_percentile(h, 99.9)),
	    us(histogram_percentile(h, 99.99)), us(h->max_ns),
	    (double)h->max_at_ns / 1e9);
}

static int
json_latencies(const struct result *r)
{
	struct histogram *all;
	size_t i;

	if ((all = all_requests(r)) == NULL)
		return -1;
	printf(",\"latencyMicroseconds\":{");
	for (i = 0; i < REQUEST_KINDS; i++)
		json_row(kind_names[i], &r->latency[i], i == 0);
	json_row("request", all, false);
	json_row("message", &r->message, false);
	printf("}");
	free(all);
	return 0;
}

int
report_json(const struct options *o, const struct result *r,
    const struct ledger_counts *counts)
{
	struct figures f;

	figure(r, &f);
	printf("{\"workload\":\"%s\",\"protocol\":\"%s\",\"connections\":%zu,"
	    "\"bodyBytes\":%zu,\"batch\":%zu,\"run\":\"%016" PRIx64 "\"",
	    workload_name(o->workload), protocol_name(o->protocol),
	    o->connections, o->body_bytes, o->batch, o->token);
	printf(",\"good\":%s,\"interrupted\":%s",
	    report_is_good(o, r, counts) ? "true" : "false",
	    r->is_interrupted ? "true" : "false");
	printf(",\"pushed\":%" PRIu64 ",\"received\":%" PRIu64, counts->pushed,
	    counts->received);
	if (knows_lost(o))
		printf(",\"lost\":%" PRIu64, lost(o, counts));
	printf(",\"duplicated\":%" PRIu64 ",\"garbled\":%" PRIu64
	    ",\"foreign\":%" PRIu64, counts->duplicated, counts->garbled,
	    counts->foreign);
	printf(",\"requests\":%" PRIu64 ",\"unexpected\":%" PRIu64
	    ",\"empty\":%" PRIu64, r->requests, r->unexpected, r->empty);
	if (r->unexpected > 0) {
		printf(",\"firstUnexpected\":");
		json_string(r->problem);
	}
	printf(",\"seconds\":%.6f,\"messages\":%" PRIu64
	    ",\"messagesPerSecond\":%.1f,\"requestsPerSecond\":%.1f",
	    f.seconds, r->messages, f.messages_per_s, f.requests_per_s);
	if (r->has_usage)
		printf(",\"serverCpuMicroseconds\":%.3f,\"serverShare\":"
		    "%.4f,\"serverRssBefore\":%" PRId64
		    ",\"serverRssAfter\":%" PRId64, f.server_us,
		    f.server_share, r->before.rss_bytes,
		    r->after.rss_bytes);
	printf(",\"generatorCpuMicroseconds\":%.3f,\"generatorShare\":%.3f,"
	    "\"generatorLongestTurn\":%.3f", f.own_us, f.own_share,
	    us(r->longest_turn_ns));
	if (json_latencies(r) == -1)
		return -1;
	printf("}\n");
	return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : -1;
}
