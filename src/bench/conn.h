#ifndef WQ_BENCH_CONN_H
#define WQ_BENCH_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/buffer.h"

struct addrinfo;

/* One TCP connection and the bytes on their way through it. */
struct conn {
	int		fd;		/* -1: closed */
	struct buffer	in;
	struct buffer	out;
	size_t		out_sent;
	bool		is_blocked;	/* out has bytes the socket refused */
};

enum conn_outcome {
	CONN_OK,
	CONN_AGAIN,		/* nothing to read, or not all written */
	CONN_GONE,		/* closed by the peer */
	CONN_FAILED		/* errno says why */
};

/*
 * Connect, waiting a few seconds at most; the socket blocks until
 * conn_unblock().  -1 with errno.
 */
int	conn_open(struct conn *c, const struct addrinfo *to);
int	conn_unblock(struct conn *c);
void	conn_close(struct conn *c);

/* Write what is in `out`. */
enum conn_outcome	conn_write(struct conn *c);

/* Read once, behind what is in `in`. */
enum conn_outcome	conn_read(struct conn *c);

#endif
