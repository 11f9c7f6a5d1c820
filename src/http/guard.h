#ifndef WQ_HTTP_GUARD_H
#define WQ_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/route.h"

/*
 * What stands before evhttp's parser: it reads the head of a request and the
 * framing of a chunked body as RFC 9112 has them, and refuses what evhttp
 * 2.1.12 would let through (two lengths, a space before the colon, signs in
 * numbers: the ways to smuggle a request past a proxy) or would answer with a
 * page of its own.
 */

/* A refusal; status 0 is none.  detail is a constant. */
struct guard_verdict {
	int status;
	const char *detail;
};

/* Lines of a head that evhttp gets: the first, and headers on framing. */
#define GUARD_LINES_MAX	8

struct guard_head {
	const char *method, *target;	/* borrowed: into the head */
	size_t method_bytes, target_bytes;
	int64_t content_length;		/* -1: none given */
	bool chunked;
	bool http10;			/* HTTP/1.0 */
	struct text host, origin;	/* those headers' values */
	struct text line[GUARD_LINES_MAX];	/* with their ends */
	size_t line_count;
};

/*
 * The length of the head that data begins with, its empty line included; 0:
 * its end is not there yet.  from is where an earlier call left off, and is
 * moved on.
 */
size_t	guard_head_bytes(const char *data, size_t bytes, size_t *from);

/*
 * Check a whole head.  out is filled as far as the head could be read.
 * body_max is the largest Content-Length.
 */
struct guard_verdict	guard_check(const char *head, size_t bytes,
			    int64_t body_max, struct guard_head *out);

/* The value of a header in a head that was checked; data NULL: not there. */
struct text	guard_header(struct text head, const char *name);

/* Where a chunked body stands; all zero at its begin. */
struct guard_chunks {
	enum guard_chunk_place {
		CHUNK_SIZE_FIRST, CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_SIZE_LF,
		CHUNK_DATA, CHUNK_DATA_CR, CHUNK_DATA_LF, CHUNK_TRAILER,
		CHUNK_DONE
	} place;
	int64_t left;		/* of the size being read, or of the chunk */
	int64_t body_bytes;	/* of the body, over all chunks */
	size_t line_bytes;	/* of the line being read */
	size_t trailer_bytes;	/* of all trailer lines */
};

/*
 * Check the next bytes of a chunked body, in whatever pieces they come, up to
 * its end, which place tells; used is how many of them are the body's.  The
 * semicolon before an extension becomes a space, for evhttp knows no other.
 */
struct guard_verdict	guard_chunked(struct guard_chunks *, char *data,
			    size_t bytes, int64_t body_max, size_t *used);

#endif
