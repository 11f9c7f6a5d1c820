#ifndef WQ_BENCH_HTTP_ANSWER_H
#define WQ_BENCH_HTTP_ANSWER_H

#include <stddef.h>
#include <sys/types.h>

struct answer;

struct http_answer {
	int		 status;
	const char	*body;		/* borrowed from the bytes read */
	size_t		 body_bytes;
	size_t		 bytes;		/* head and body */
};

enum http_answer_outcome {
	HTTP_ANSWER_WHOLE,
	HTTP_ANSWER_PARTIAL,
	HTTP_ANSWER_GARBLED		/* *problem says why */
};

/*
 * Read one HTTP/1.1 answer from the beginning of `in`.  Strict: what a
 * server of this kind has no reason to send (chunks, 1xx, a folded or
 * nameless header, two lengths, an announced close) is garbled.
 */
enum http_answer_outcome	 http_answer_parse(struct http_answer *a,
				    const char *in, size_t bytes,
				    const char **problem);

/* The same as a client's parse answers it: the bytes, 0 or -1; client.h. */
ssize_t	http_answer_take(struct http_answer *http, const char *in,
	    size_t bytes, struct answer *a);

#endif
