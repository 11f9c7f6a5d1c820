/*
 * wqd: reads options, builds the rooms from the ground up, runs the loop,
 * drains it and tears everything down in the reverse order.
 * Exit status: 0 a clean end, 1 it could not run, 2 the command line is wrong.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "api/native.h"
#include "api/sqs.h"
#include "backend/backend.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/server.h"
#include "store/store.h"

#define OPTIONS_MAX	64
#define CHECK		1	/* getopt's, for --check */

struct daemon {
	struct config config;
	struct event_base *base;	/* owned */
	struct backend *backend;	/* owned */
	struct native *native;		/* owned */
	struct http_server *server;	/* owned */
	struct event *sigterm, *sigint;	/* owned */
	bool draining;
	bool failed;			/* of itself, not by a signal */
};

static void
usage(FILE *to)
{
	fputs("usage: wqd [-fhVv] [-d dir] [-l address] [-p port] "
	    "[--option value]\n       wqd --check dir\n",
	    to);
}

static void
help(void)
{
	const struct config_option *o;
	const char *preset;
	char text[48];

	usage(stdout);
	for (o = config_options; o->name != NULL; o++) {
		preset = o->kind == OPTION_FLAG ? "" : o->choices != NULL ?
		    o->choices : o->preset;
		snprintf(text, sizeof(text), "%s%c%s --%s%s",
		    o->letter ? "-" : " ", o->letter ? o->letter : ' ',
		    o->letter ? "," : " ", o->name,
		    o->kind == OPTION_FLAG ? "" :
		    o->kind == OPTION_MS ? " MS" :
		    o->kind == OPTION_BYTES ? " BYTES" :
		    o->kind == OPTION_BOOL ? " BOOL" :
		    o->kind == OPTION_LIST ? " LIST" :
		    o->kind == OPTION_TEXT ? " TEXT" :
		    o->kind == OPTION_URL ? " URL" :
		    o->kind == OPTION_WORD ? " NAME" :
		    o->kind == OPTION_DIGITS ? " DIGITS" :
		    o->kind == OPTION_CHOICE ? " NAME" : " N");
		printf("  %-28s %s%s%s%s\n", text, o->help,
		    *preset == '\0' ? "" : " (", preset,
		    *preset == '\0' ? "" : ")");
	}
	puts("      --check DIR              check a data directory, and exit\n"
	    "  -V, --version                print the version\n"
	    "  -h, --help                   print this\n"
	    "The manual is wqd(8).");
}

static void
die_usage(const char *why)
{
	fprintf(stderr, "wqd: %s; see wqd --help\n", why);
	exit(2);
}

static void
set_or_die(struct config *c, const struct config_option *o, const char *value)
{
	char error[CONFIG_ERROR_BYTES];

	if (config_set(c, o, value, error) == -1)
		die_usage(error);
}

/* getopt's tables, from ours; returns how many options there are. */
static int
make_getopt(struct option *longs, char *shorts)
{
	const struct config_option *o;
	int n = 0;
	char *s = shorts;

	*s++ = ':';
	*s++ = 'V';
	*s++ = 'h';
	for (o = config_options; o->name != NULL; o++, n++) {
		longs[n] = (struct option){ o->name,
		    o->kind == OPTION_FLAG ? no_argument : required_argument,
		    NULL, 256 + n };
		if (o->letter == 0)
			continue;
		*s++ = o->letter;
		if (o->kind != OPTION_FLAG)
			*s++ = ':';
	}
	*s = '\0';
	longs[n] = (struct option){ "version", no_argument, NULL, 'V' };
	longs[n + 1] = (struct option){ "help", no_argument, NULL, 'h' };
	longs[n + 2] = (struct option){ "check", required_argument, NULL,
	    CHECK };
	longs[n + 3] = (struct option){ NULL, 0, NULL, 0 };
	return n;
}

static const struct config_option *
option_of(int c)
{
	const struct config_option *o;

	if (c >= 256)
		return &config_options[c - 256];
	for (o = config_options; o->name != NULL; o++)
		if (o->letter == c)
			return o;
	return NULL;
}

/* getopt takes "--lock=5" too, which the next version may understand anew. */
static const char *
given_name(char **argv)
{
	const char *given = argv[optind - 1];

	return (given == optarg ? argv[optind - 2] : given) + strlen("--");
}

static bool
is_whole_name(const char *name, char **argv)
{
	const char *given = given_name(argv);

	return strncmp(given, name, strlen(name)) == 0 &&
	    (given[strlen(name)] == '\0' || given[strlen(name)] == '=');
}

static void
bad_abbreviation(const char *name, char **argv)
{
	const char *given = given_name(argv);
	char why[128];

	snprintf(why, sizeof(why), "--%.*s is not an option; --%s is",
	    (int)strcspn(given, "=") < 40 ? (int)strcspn(given, "=") : 40,
	    given, name);
	die_usage(why);
}

static void
bad_option(int c, char **argv)
{
	char why[128];

	if (c == ':')
		snprintf(why, sizeof(why), "%.60s needs a value",
		    argv[optind - 1]);
	else if (optopt != 0 && optopt < 256)
		snprintf(why, sizeof(why), "-%c is not an option", optopt);
	else
		snprintf(why, sizeof(why), "%.60s is not an option",
		    argv[optind - 1]);
	die_usage(why);
}

static void
print_line(const char *line)
{
	puts(line);
}

/* The exit status of --check. */
static int
check(const char *directory)
{
	char error[STORE_ERROR_BYTES];

	if (store_check(directory, print_line, error) == 0)
		return 0;
	fprintf(stderr, "wqd: %s\n", error);
	return 1;
}

static void
read_options(struct config *config, int argc, char **argv)
{
	struct option longs[OPTIONS_MAX];
	char shorts[2 * OPTIONS_MAX], error[CONFIG_ERROR_BYTES];
	const struct config_option *o, *listen = NULL;
	struct buf addresses;
	int c;

	if (config_init(config) == -1)
		die_usage("no memory");
	if (config_read_env(config, error) == -1)
		die_usage(error);
	make_getopt(longs, shorts);
	buf_init(&addresses);
	opterr = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == 'V') {
			puts("wqd " PACKAGE_VERSION);
			exit(0);
		}
		if (c == 'h') {
			help();
			exit(0);
		}
		if (c == CHECK)
			exit(check(optarg));
		if (c == '?' || c == ':' || (o = option_of(c)) == NULL)
			bad_option(c, argv);
		else if (c >= 256 && !is_whole_name(o->name, argv))
			bad_abbreviation(o->name, argv);
		else if (o->kind == OPTION_LIST) {	/* all -l together */
			listen = o;
			buf_printf(&addresses, "%s%s",
			    addresses.bytes > 0 ? "," : "", optarg);
		} else
			set_or_die(config, o,
			    o->kind == OPTION_FLAG ? "1" : optarg);
	}
	if (optind < argc) {
		snprintf(error, sizeof(error),
		    "%.60s: only options are expected", argv[optind]);
		die_usage(error);
	}
	if (listen != NULL) {
		buf_add(&addresses, "", 1);
		set_or_die(config, listen, addresses.failed ? "" :
		    addresses.data);
	}
	buf_fini(&addresses);
}

/* As many descriptors as we may have; fewer clients where that is too few. */
static void
raise_descriptors(struct config *config)
{
	const rlim_t own = 32;		/* listeners, epoll, log, ... */
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return;
	if (rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
			getrlimit(RLIMIT_NOFILE, &rl);
	}
	if (rl.rlim_cur != RLIM_INFINITY &&
	    (rlim_t)config->max_connections + own > rl.rlim_cur) {
		log_warn("main", "fewer connections",
		    "max_connections=%lld descriptors=%llu",
		    (long long)config->max_connections,
		    (unsigned long long)rl.rlim_cur);
	}
}

/* libevent's own warnings, in the house's form. */
static void
libevent_log_cb(int severity, const char *text)
{
	static time_t last;
	char quoted[512];
	time_t now = time(NULL);

	if (severity != EVENT_LOG_ERR && now == last)
		return;		/* without memory it has much to say */
	last = now;
	log_write(severity == EVENT_LOG_ERR ? LOG_LEVEL_ERROR :
	    severity == EVENT_LOG_WARN ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG,
	    "libevent", "says", "text=%s", log_quote(text, strlen(text),
	    quoted, sizeof(quoted)));
}

static struct event_base *
base_new(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base = NULL;

	if (cfg == NULL)
		return NULL;
	/*
	 * One thread touches the base, so no locks; changes of interest in a
	 * descriptor are gathered, since reading is turned off and on again
	 * for a client that is ahead of its answers.
	 */
	if (event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK |
	    EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST) == 0)
		base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

static void
stopped_cb(void *arg)
{
	struct daemon *d = arg;

	event_base_loopexit(d->base, NULL);
}

/* All requests are answered and all connections closed. */
static void
drained_cb(void *arg)
{
	struct daemon *d = arg;

	d->backend->ops->stop(d->backend, stopped_cb, d);
}

static void
signal_cb(evutil_socket_t sig, short what, void *arg)
{
	struct daemon *d = arg;

	(void)what;
	log_info("main", d->draining ? "ending now" : "draining",
	    "signal=%d", (int)sig);
	if (d->draining) {
		event_base_loopbreak(d->base);
		return;
	}
	d->draining = true;
	d->backend->ops->end_waits(d->backend);
	http_server_drain(d->server, drained_cb, d);
}

/* The backend cannot go on; answers in hand still leave. */
static void
failed_cb(void *arg)
{
	static const struct timeval soon = { 0, 200000 };
	struct daemon *d = arg;

	d->failed = true;
	event_base_loopexit(d->base, &soon);
}

static int
build(struct daemon *d)
{
	if (!mem_reserve_fill())
		goto fail;
	d->base = base_new();
	if (d->base == NULL)
		goto fail;
	if ((d->backend = local_new(d->base, &d->config)) == NULL)
		return -1;
	d->backend->failed = failed_cb;
	d->backend->failed_arg = d;
	if ((d->native = native_new(d->backend, &d->config)) == NULL)
		goto fail;
	d->server = http_server_new(d->base, &d->config, native_routes(),
	    d->native);
	if (d->server == NULL)
		goto fail;
	http_server_take_large(d->server, SQS_BODY_MAX_BYTES, sqs_is_large);
	d->sigterm = evsignal_new(d->base, SIGTERM, signal_cb, d);
	d->sigint = evsignal_new(d->base, SIGINT, signal_cb, d);
	if (d->sigterm == NULL || d->sigint == NULL ||
	    event_add(d->sigterm, NULL) == -1 ||
	    event_add(d->sigint, NULL) == -1)
		goto fail;
	return http_server_listen(d->server);
fail:
	log_error("main", "start failed", "err=\"no memory\"");
	return -1;
}

static void
tear_down(struct daemon *d)
{
	if (d->sigterm != NULL)
		event_free(d->sigterm);
	if (d->sigint != NULL)
		event_free(d->sigint);
	http_server_free(d->server);
	if (d->backend != NULL)
		d->backend->ops->free(d->backend);
	native_free(d->native);		/* the last calls needed it */
	if (d->base != NULL)
		event_base_free(d->base);
	libevent_global_shutdown();
	mem_reserve_free();
	config_fini(&d->config);
}

int
main(int argc, char **argv)
{
	struct daemon d;
	int status = 1;

	memset(&d, 0, sizeof(d));
	read_options(&d.config, argc, argv);
	log_init(d.config.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
	    getenv("JOURNAL_STREAM") != NULL);
	event_set_mem_functions(mem_alloc_reserved, mem_realloc_reserved,
	    mem_free);
	event_set_log_callback(libevent_log_cb);
	/* What is in memory must not go with the terminal, or by a reload. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	raise_descriptors(&d.config);
	if (build(&d) == 0) {
		log_info("main", "ready", "version=" PACKAGE_VERSION
		    " pid=%d durable=%s", (int)getpid(), d.backend->durable);
		event_base_dispatch(d.base);
		status = d.failed ? 1 : 0;
		log_info("main", "stopped", NULL);
	}
	tear_down(&d);
	return status;
}
