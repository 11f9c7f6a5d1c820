#ifndef WQ_HTTP_GUARD_H
#define WQ_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/route.h"

struct buf;

/*
 * Reads the head of a request and the framing of a chunked body as RFC 9112 has
 * them, and refuses what evhttp 2.1.12 would let through (two lengths, a space
 * before the colon, signs in numbers: the ways to smuggle a request past a
 * proxy) or would answer with a page of its own.
 */

/* A refusal; status 0 is none.  detail is a constant. */
struct guard_verdict {
	int status;
	const char *detail;
};

struct guard_head {
	struct text method, target;	/* borrowed: into the head */
	struct text host, origin;	/* those headers' values, as borrowed */
	int64_t content_length;		/* -1: none given */
	bool chunked;
	bool http10;			/* HTTP/1.0 */
	bool close, keep_alive;		/* tokens of Connection headers */
	bool expects_continue;
	bool cross_site;		/* as a browser tells it */
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

/*
 * Check what there is of a head whose end is yet to come: its first byte, and
 * its first line once that is whole.  TLS and other protocols end here.
 */
struct guard_verdict	guard_begin(const char *data, size_t bytes);

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
	bool last_cr;		/* the last byte of a trailer was a CR */
};

/*
 * Decode the next bytes of a chunked body, in whatever pieces they come, up to
 * its end, which place tells.  used is how many of them are the body's; their
 * content is appended to out, whose failure is the caller's to look at.
 */
struct guard_verdict	guard_chunked(struct guard_chunks *, const char *data,
			    size_t bytes, int64_t body_max, struct buf *out,
			    size_t *used);

#endif
