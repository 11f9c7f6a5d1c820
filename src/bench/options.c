/*
 * The command line of wq-bench.  Every complaint is one line that says what
 * would have been right.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "bench/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/ledger.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unreleased"
#endif

enum {
	OPT_BROWSER_HEADERS = 256,
	OPT_DELAY,
	OPT_GROUP,
	OPT_GROUPS,
	OPT_HELP,
	OPT_HOLD,
	OPT_JSON,
	OPT_LEAVE,
	OPT_LOCK_TIMEOUT,
	OPT_PID,
	OPT_PROTOCOL,
	OPT_QUEUES,
	OPT_RATE,
	OPT_RUN,
	OPT_UNTIL_MS,
	OPT_VERSION,

	CONNECTIONS_MAX = 100000,
	BATCH_MAX = 100000,
	SQS_BATCH_MAX = 10,
	BODY_MAX_BYTES = 64 << 20,
	HEADERS_MAX = 1000,
	HOLD_MAX_MS = 3600000,
	SPREAD_MAX = 100000000,		/* queues or groups */
	RATE_MAX = 100000
};

/* Eight hexadecimal digits number the messages. */
static const uint64_t MESSAGES_MAX = UINT32_MAX;
static const int64_t TIMEOUT_MAX_MS = INT64_C(1) << 50;

static const char *const workload_names[] = {
	[WORKLOAD_PUSH] = "push",
	[WORKLOAD_CYCLE] = "cycle",
	[WORKLOAD_DRAIN] = "drain",
	[WORKLOAD_LOCK] = "lock",
	[WORKLOAD_PROBE] = "probe",
	[WORKLOAD_WAIT] = "wait",
	[WORKLOAD_WAKE] = "wake"
};

static const char *const protocol_names[] = {
	[PROTOCOL_HTTP] = "http",
	[PROTOCOL_BEANSTALKD] = "beanstalkd",
	[PROTOCOL_REDIS] = "redis",
	[PROTOCOL_SQS] = "sqs"
};

static const char *const protocol_ports[] = {
	[PROTOCOL_HTTP] = "3000",
	[PROTOCOL_BEANSTALKD] = "11300",
	[PROTOCOL_REDIS] = "6379",
	[PROTOCOL_SQS] = "3000"
};

static const struct option long_options[] = {
	{ "address", required_argument, NULL, 'a' },
	{ "batch", required_argument, NULL, 'b' },
	{ "browser-headers", no_argument, NULL, OPT_BROWSER_HEADERS },
	{ "connections", required_argument, NULL, 'c' },
	{ "delay", required_argument, NULL, OPT_DELAY },
	{ "group", required_argument, NULL, OPT_GROUP },
	{ "groups", required_argument, NULL, OPT_GROUPS },
	{ "headers", required_argument, NULL, 'H' },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "hold", required_argument, NULL, OPT_HOLD },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "leave", no_argument, NULL, OPT_LEAVE },
	{ "lock-timeout", required_argument, NULL, OPT_LOCK_TIMEOUT },
	{ "messages", required_argument, NULL, 'n' },
	{ "pid", required_argument, NULL, OPT_PID },
	{ "port", required_argument, NULL, 'p' },
	{ "protocol", required_argument, NULL, OPT_PROTOCOL },
	{ "queue", required_argument, NULL, 'q' },
	{ "queues", required_argument, NULL, OPT_QUEUES },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "run", required_argument, NULL, OPT_RUN },
	{ "size", required_argument, NULL, 's' },
	{ "time", required_argument, NULL, 't' },
	{ "until-ms", required_argument, NULL, OPT_UNTIL_MS },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "workload", required_argument, NULL, 'w' },
	{ NULL, 0, NULL, 0 }
};

static const char usage_text[] =
"usage: wq-bench [-v] [-a address] [-b batch] [-c connections] [-H headers]\n"
"                [-n messages] [-p port] [-q queue] [-s bytes] [-t seconds]\n"
"                [-w workload] [--browser-headers] [--delay ms]\n"
"                [--group group] [--groups groups] [--hold ms] [--json]\n"
"                [--leave] [--lock-timeout ms] [--pid pid]\n"
"                [--protocol protocol] [--queues queues] [--rate rate]\n"
"                [--run token] [--until-ms ms]\n"
"       wq-bench --help | --version\n";

const char *
workload_name(enum workload w)
{
	return workload_names[w];
}

const char *
protocol_name(enum protocol p)
{
	return protocol_names[p];
}

static int __attribute__((format(printf, 1, 2)))
complain(const char *format, ...)
{
	va_list ap;

	fputs("wq-bench: ", stderr);
	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -1;
}

/* A decimal number, nothing before or behind it. */
static int
parse_number(const char *name, const char *text, uint64_t min, uint64_t max,
    uint64_t *out)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
	    n < min || n > max)
		return complain("--%s is a number from %llu to %llu, not "
		    "\"%s\"", name, (unsigned long long)min,
		    (unsigned long long)max, text);
	*out = n;
	return 0;
}

static int
parse_size(const char *name, const char *text, uint64_t min, uint64_t max,
    size_t *out)
{
	uint64_t n;

	if (parse_number(name, text, min, max, &n) == -1)
		return -1;
	*out = (size_t)n;
	return 0;
}

static int
parse_milliseconds(const char *name, const char *text, int64_t min,
    int64_t max, int64_t *out)
{
	uint64_t n;

	if (parse_number(name, text, (uint64_t)min, (uint64_t)max, &n) == -1)
		return -1;
	*out = (int64_t)n;
	return 0;
}

static int
parse_time(const char *text, int64_t *out)
{
	double seconds;
	char *end;

	seconds = strtod(text, &end);
	if (end == text || *end != '\0' || !(seconds >= 0.001) ||
	    !(seconds <= 1e6))
		return complain("--time is a number of seconds from 0.001 to "
		    "1000000, not \"%s\"", text);
	*out = (int64_t)(seconds * 1000.0 + 0.5);
	return 0;
}

static int
parse_name(const char *name, const char *text, const char *const *names,
    size_t count, const char *right)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0)
			return (int)i;
	return complain("--%s is one of %s, not \"%s\"", name, right, text);
}

static int
parse_headers(struct options *o, const char *text)
{
	if (strcmp(text, "browser") == 0) {
		o->browser_headers = true;
		return 0;
	}
	if (*text < '0' || *text > '9')
		return complain("--headers is a number or \"browser\", not "
		    "\"%s\"", text);
	return parse_size("headers", text, 0, HEADERS_MAX, &o->extra_headers);
}

/* What needs no escaping in a URL; the server judges the rest. */
static int
parse_word(const char *name, const char *text, const char **out)
{
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-.");

	if (n == 0 || n > 200 || text[n] != '\0')
		return complain("--%s is up to 200 of A-Z a-z 0-9 _ - . , "
		    "not \"%s\"", name, text);
	*out = text;
	return 0;
}

static int
parse_token(struct options *o, const char *text)
{
	if (strlen(text) != 16 ||
	    strspn(text, "0123456789abcdef") != 16)
		return complain("--run is 16 digits of 0-9 a-f, not \"%s\"",
		    text);
	o->token = strtoull(text, NULL, 16);
	o->has_token = true;
	return 0;
}

/* Times, and what messages are spread over. */
static int
parse_shape(struct options *o, int c, const char *text)
{
	switch (c) {
	case OPT_DELAY:
		return parse_milliseconds("delay", text, 0, TIMEOUT_MAX_MS,
		    &o->delay_ms);
	case OPT_GROUP:
		return parse_word("group", text, &o->group);
	case OPT_GROUPS:
		return parse_size("groups", text, 1, SPREAD_MAX, &o->groups);
	case OPT_HOLD:
		return parse_milliseconds("hold", text, 0, HOLD_MAX_MS,
		    &o->hold_ms);
	case OPT_LOCK_TIMEOUT:
		return parse_milliseconds("lock-timeout", text, 0,
		    TIMEOUT_MAX_MS, &o->lock_timeout_ms);
	case OPT_QUEUES:
		return parse_size("queues", text, 1, SPREAD_MAX, &o->queues);
	case OPT_UNTIL_MS:
		return parse_milliseconds("until-ms", text, 1,
		    TIMEOUT_MAX_MS, &o->until_epoch_ms);
	default:
		return -1;	/* getopt_long has written the line */
	}
}

static int
parse_long(struct options *o, int c, const char *text)
{
	size_t pid;
	int which;

	switch (c) {
	case OPT_BROWSER_HEADERS:
		o->browser_headers = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_LEAVE:
		o->leave = true;
		return 0;
	case OPT_PID:
		if (parse_size("pid", text, 1, INT32_MAX, &pid) == -1)
			return -1;
		o->pid = (pid_t)pid;
		return 0;
	case OPT_PROTOCOL:
		which = parse_name("protocol", text, protocol_names, 4,
		    "http, beanstalkd, redis, sqs");
		o->protocol = (enum protocol)which;
		return which == -1 ? -1 : 0;
	case OPT_RATE:
		return parse_number("rate", text, 1, RATE_MAX, &o->rate);
	case OPT_RUN:
		return parse_token(o, text);
	default:
		return parse_shape(o, c, text);
	}
}

static int
parse_one(struct options *o, int c, char *text)
{
	uint64_t port;
	int which;

	switch (c) {
	case 'a':
		o->address = text;
		return 0;
	case 'b':
		return parse_size("batch", text, 1, BATCH_MAX, &o->batch);
	case 'c':
		return parse_size("connections", text, 1, CONNECTIONS_MAX,
		    &o->connections);
	case 'H':
		return parse_headers(o, text);
	case 'n':
		return parse_number("messages", text, 1, MESSAGES_MAX,
		    &o->messages);
	case 'p':
		o->port = text;
		return parse_number("port", text, 1, 65535, &port);
	case 'q':
		return parse_word("queue", text, &o->queue);
	case 's':
		return parse_size("size", text, LEDGER_BODY_MIN_BYTES,
		    BODY_MAX_BYTES, &o->body_bytes);
	case 't':
		return parse_time(text, &o->time_ms);
	case 'v':
		o->verbose = true;
		return 0;
	case 'w':
		which = parse_name("workload", text, workload_names, 7,
		    "push, cycle, drain, lock, probe, wait, wake");
		o->workload = (enum workload)which;
		return which == -1 ? -1 : 0;
	default:
		return parse_long(o, c, text);
	}
}

static bool
is_one_of(enum workload w, const enum workload *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (list[i] == w)
			return true;
	return false;
}

/* An option that is given must find a workload that knows it. */
static int
check_workload(const struct options *o)
{
	static const enum workload any_push[] = { WORKLOAD_PUSH,
	    WORKLOAD_CYCLE, WORKLOAD_WAKE };
	static const enum workload any_wait[] = { WORKLOAD_WAIT,
	    WORKLOAD_WAKE };
	static const enum workload any_rate[] = { WORKLOAD_PUSH,
	    WORKLOAD_PROBE, WORKLOAD_WAKE };
	enum workload w = o->workload;

	if (w == WORKLOAD_LOCK && o->until_epoch_ms == 0)
		return complain("--workload lock needs --until-ms");
	if (w != WORKLOAD_LOCK && o->until_epoch_ms != 0)
		return complain("--until-ms works with --workload lock only");
	if (w != WORKLOAD_CYCLE && o->leave)
		return complain("--leave works with --workload cycle only");
	if (w != WORKLOAD_PUSH && o->delay_ms > 0)
		return complain("--delay works with --workload push only");
	if (o->group != NULL && !is_one_of(w, any_push, 3))
		return complain("--group works with --workload push, cycle "
		    "and wake only");
	if (o->hold_ms > 0 && !is_one_of(w, any_wait, 2))
		return complain("--hold works with --workload wait and wake "
		    "only");
	if (o->rate > 0 && !is_one_of(w, any_rate, 3))
		return complain("--rate works with --workload push, probe "
		    "and wake only");
	if (is_one_of(w, any_wait, 2) && o->queues > o->connections)
		return complain("--queues %zu needs as many --connections "
		    "with --workload %s", o->queues, workload_name(w));
	return 0;
}

static int
check_protocol(const struct options *o)
{
	static const enum workload any_protocol[] = { WORKLOAD_PUSH,
	    WORKLOAD_CYCLE, WORKLOAD_DRAIN };

	if (o->protocol == PROTOCOL_HTTP)
		return 0;
	if (!is_one_of(o->workload, any_protocol, 3))
		return complain("--workload %s works with --protocol http "
		    "only", workload_name(o->workload));
	if (o->group != NULL || o->delay_ms > 0 || o->queues > 0)
		return complain("--group, --delay and --queues work with "
		    "--protocol http only");
	if (o->protocol == PROTOCOL_SQS && o->batch > SQS_BATCH_MAX)
		return complain("--batch is a number from 1 to %d with "
		    "--protocol sqs, not %zu", SQS_BATCH_MAX, o->batch);
	if (o->protocol == PROTOCOL_SQS)
		return 0;
	if (o->queue != NULL || o->browser_headers || o->extra_headers > 0)
		return complain("--queue and --headers work with --protocol "
		    "http and sqs only");
	return 0;
}

/* What was not given, and what does not go together. */
static int
complete(struct options *o)
{
	bool bounded = o->messages != 0;

	if (o->port == NULL)
		o->port = protocol_ports[o->protocol];
	if (o->queues > 0 && o->queue == NULL)
		return complain("--queues needs --queue, the name before "
		    "the number");
	if (o->groups > 0 && o->group == NULL)
		return complain("--groups needs --group, the name before "
		    "the number");
	if (check_workload(o) == -1 || check_protocol(o) == -1)
		return -1;
	/* SQS knows no queue without a name. */
	if (o->protocol == PROTOCOL_SQS && o->queue == NULL)
		o->queue = "bench";
	if (o->rate == 0 && (o->workload == WORKLOAD_PROBE ||
	    o->workload == WORKLOAD_WAKE))
		o->rate = 1000;
	/* A time without a number means: as many as fit into that time. */
	if (!bounded && (o->workload == WORKLOAD_DRAIN ||
	    o->workload == WORKLOAD_LOCK || o->workload == WORKLOAD_WAIT))
		o->messages = UINT64_MAX;
	else if (!bounded)
		o->messages = o->time_ms > 0 ? MESSAGES_MAX : 100000;
	return 0;
}

enum options_outcome
options_parse(struct options *o, int argc, char **argv)
{
	int c;

	memset(o, 0, sizeof(*o));
	o->address = "127.0.0.1";
	o->workload = WORKLOAD_CYCLE;
	o->connections = 64;
	o->body_bytes = 100;
	o->batch = 1;
	o->lock_timeout_ms = 60000;
	while ((c = getopt_long(argc, argv, "a:b:c:H:n:p:q:s:t:vw:",
	    long_options, NULL)) != -1) {
		if (c == OPT_HELP) {
			fputs(usage_text, stdout);
			return OPTIONS_ANSWERED;
		}
		if (c == OPT_VERSION) {
			puts("wq-bench " PACKAGE_VERSION);
			return OPTIONS_ANSWERED;
		}
		if (parse_one(o, c, optarg) == -1)
			return OPTIONS_BAD;
	}
	if (optind < argc) {
		(void)complain("unexpected argument \"%s\"", argv[optind]);
		return OPTIONS_BAD;
	}
	return complete(o) == -1 ? OPTIONS_BAD : OPTIONS_RUN;
}
