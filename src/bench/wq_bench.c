/*
 * wq-bench: load for a message queue, and proof that it lost nothing.  One
 * thread on epoll, without libevent, so that the generator costs the machine
 * as little as it can and the server is what is measured.
 */
#include <sys/random.h>
#include <sys/resource.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/client.h"
#include "bench/ledger.h"
#include "bench/options.h"
#include "bench/report.h"
#include "bench/run.h"

/* As many descriptors as we may have; what is too few shows at connect. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static struct client *
client_new(const struct options *o, const struct ledger *l)
{
	switch (o->protocol) {
	case PROTOCOL_HTTP:
		return client_http_new(o, l);
	case PROTOCOL_BEANSTALKD:
		return client_beanstalk_new(o, l);
	case PROTOCOL_REDIS:
		return client_redis_new(o, l);
	case PROTOCOL_SQS:
		return client_sqs_new(o, l);
	}
	return NULL;
}

static bool
report(const struct options *o, const struct result *result,
    const struct ledger *l)
{
	struct ledger_counts counts;
	int status;

	ledger_count(l, &counts);
	status = o->json ? report_json(o, result, &counts) :
	    report_table(o, result, &counts);
	if (status == -1) {
		fputs("wq-bench: the report cannot be written\n", stderr);
		return false;
	}
	return report_is_good(o, result, &counts);
}

int
main(int argc, char **argv)
{
	struct options o;
	struct ledger *ledger = NULL;
	struct client *client = NULL;
	struct run *run = NULL;
	int status = EXIT_FAILURE;

	switch (options_parse(&o, argc, argv)) {
	case OPTIONS_RUN:
		break;
	case OPTIONS_ANSWERED:
		return EXIT_SUCCESS;
	case OPTIONS_BAD:
		return 2;
	}
	raise_descriptor_limit();
	if (!o.has_token && getrandom(&o.token, sizeof(o.token), 0) !=
	    (ssize_t)sizeof(o.token)) {
		perror("wq-bench: getrandom");
		return EXIT_FAILURE;
	}
	if ((ledger = ledger_new(o.token, o.body_bytes)) == NULL ||
	    (client = client_new(&o, ledger)) == NULL ||
	    (run = run_new(&o, client, ledger)) == NULL) {
		fputs("wq-bench: no memory\n", stderr);
		goto out;
	}
	if (run_connect(run) == -1 || run_perform(run) == -1) {
		fprintf(stderr, "wq-bench: %s\n", run_result(run)->problem);
		goto out;
	}
	if (report(&o, run_result(run), ledger))
		status = EXIT_SUCCESS;
out:
	run_free(run);
	if (client != NULL)
		client->ops->free(client);
	ledger_free(ledger);
	return status;
}
