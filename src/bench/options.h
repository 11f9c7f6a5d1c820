#ifndef WQ_BENCH_OPTIONS_H
#define WQ_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum workload {
	WORKLOAD_PUSH,
	WORKLOAD_CYCLE,		/* push, receive, confirm */
	WORKLOAD_DRAIN,		/* receive, confirm, until empty */
	WORKLOAD_LOCK,		/* receive only, locks end at one instant */
	WORKLOAD_PROBE,		/* GET /health at a steady rate */
	WORKLOAD_WAIT,		/* receive by long polls, confirm */
	WORKLOAD_WAKE		/* ... and push, at a steady rate */
};

enum protocol {
	PROTOCOL_HTTP,
	PROTOCOL_BEANSTALKD,
	PROTOCOL_REDIS,
	PROTOCOL_SQS
};

struct options {
	const char	*address;	/* strings: borrowed from argv */
	const char	*port;
	const char	*queue;		/* NULL: the root queue, or none */
	size_t		 queues;	/* spread over queue-0...; 0: not */
	const char	*group;		/* of pushes; NULL: none */
	size_t		 groups;	/* spread over group-0...; 0: not */
	enum workload	 workload;
	enum protocol	 protocol;
	size_t		 connections;
	uint64_t	 messages;	/* UINT64_MAX: until empty */
	int64_t		 time_ms;	/* 0: no limit */
	size_t		 body_bytes;
	size_t		 batch;
	size_t		 extra_headers;
	bool		 browser_headers;
	int64_t		 lock_timeout_ms;	/* 0: the server's own */
	int64_t		 until_epoch_ms;
	int64_t		 delay_ms;	/* of pushes */
	int64_t		 hold_ms;	/* from a receive to its confirm */
	bool		 leave;		/* what a cycle has not received */
	uint64_t	 rate;		/* starts a second; 0: no limit */
	uint64_t	 token;
	bool		 has_token;
	pid_t		 pid;		/* 0: none */
	bool		 json;
	bool		 verbose;
};

enum options_outcome {
	OPTIONS_RUN,
	OPTIONS_ANSWERED,	/* --help or --version: exit 0 */
	OPTIONS_BAD		/* one line was written: exit 2 */
};

enum options_outcome	 options_parse(struct options *o, int argc,
			    char **argv);

const char	*workload_name(enum workload w);
const char	*protocol_name(enum protocol p);

#endif
