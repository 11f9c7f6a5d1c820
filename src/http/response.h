#ifndef WQ_HTTP_RESPONSE_H
#define WQ_HTTP_RESPONSE_H

#include <stddef.h>

struct buf;

/* What the Connection header of a reply says. */
enum response_connection {
	RESPONSE_DEFAULT,	/* nothing: it stays open */
	RESPONSE_KEEP,		/* said to an HTTP/1.0 client that asked */
	RESPONSE_CLOSE
};

/*
 * Append the head of a reply.  content_type and extra (whole header lines with
 * CR LF) may be NULL; date is an IMF-fixdate (RFC 9110, section 5.6.7).
 * 204 has no Content-Length.
 */
void	response_head(struct buf *, int status, const char *content_type,
	    size_t body_bytes, const char *date, enum response_connection,
	    const char *extra, size_t extra_bytes);

/* Append an RFC 9457 problem as JSON. */
void	response_problem(struct buf *, int status, const char *detail);

/* Append text as a JSON string with its quotes; what is not UTF-8 as U+FFFD. */
void	response_json_string(struct buf *, const char *text, size_t bytes);

#define RESPONSE_PROBLEM_TYPE	"application/problem+json"

#endif
