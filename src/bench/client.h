#ifndef WQ_BENCH_CLIENT_H
#define WQ_BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buffer;
struct ledger;
struct options;

enum request {
	REQUEST_PUSH,
	REQUEST_RECEIVE,
	REQUEST_CONFIRM,
	REQUEST_PROBE
};

enum {
	REQUEST_KINDS = 4
};

struct received {
	const char	*id;		/* borrowed until the next answer */
	size_t		 id_bytes;
	const char	*body;
	size_t		 body_bytes;
};

/* What one answer said; made once and filled again and again. */
struct answer {
	bool		 is_expected;	/* false: `problem` says why */
	size_t		 done;		/* messages pushed or confirmed */
	struct received	*messages;	/* owned; what a receive brought */
	size_t		 count;
	size_t		 room;
	char		 problem[200];
};

/* What a receive asks for. */
struct wanted {
	size_t		 queue;		/* with --queues: which of them */
	size_t		 amount;
	int64_t		 lock_ms;	/* 0: leave it to the server */
	int64_t		 wait_ms;	/* for a message; 0: not at all */
};

/*
 * A protocol: it writes requests and reads answers.  A client has no
 * connection and keeps nothing of one request for the next, so that all
 * connections share it.
 */
struct client;

struct client_ops {
	/* Once, on a blocking socket, before the run.  NULL: nothing to do. */
	int	(*prepare)(struct client *, int fd, char *problem,
		    size_t room);
	/* Append the request for messages first to first + count - 1. */
	void	(*push)(struct client *, struct buffer *, size_t queue,
		    uint64_t first, size_t count);
	void	(*receive)(struct client *, struct buffer *,
		    const struct wanted *);
	/* Confirm all that `received` holds, one or more. */
	void	(*confirm)(struct client *, struct buffer *, size_t queue,
		    const struct answer *received);
	void	(*probe)(struct client *, struct buffer *);
	/*
	 * Read the answer to a request for `count` messages.  Returns the
	 * bytes it takes, 0 while it is not complete, -1 when it is no
	 * answer in this protocol (a->problem says why).
	 */
	ssize_t	(*parse)(struct client *, enum request kind, size_t count,
		    const char *in, size_t bytes, struct answer *a);
	void	(*free)(struct client *);
};

struct client {			/* first member of each client's struct */
	const struct client_ops *ops;
};

/* NULL: no memory.  Both arguments are borrowed until the client is freed. */
struct client	*client_http_new(const struct options *,
		    const struct ledger *);
struct client	*client_beanstalk_new(const struct options *,
		    const struct ledger *);
struct client	*client_redis_new(const struct options *,
		    const struct ledger *);
struct client	*client_sqs_new(const struct options *,
		    const struct ledger *);

void		 answer_fini(struct answer *a);
void		 answer_reset(struct answer *a);

/* A place for one more received message; NULL without memory. */
struct received	*answer_add(struct answer *a);

/* Note what is wrong and return -1, for `return answer_garbled(...)`. */
ssize_t		 answer_garbled(struct answer *a, const char *what,
		    const char *in, size_t bytes);

/* The answer was complete and its result not the wanted one. */
void		 answer_unexpected(struct answer *a, const char *what,
		    const char *in, size_t bytes);

/* Is a whole answer, whose text that is, about the `count` messages meant? */
void		 answer_check_count(struct answer *a, enum request kind,
		    size_t count, const char *in, size_t bytes);

#endif
