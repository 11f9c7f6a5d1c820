#ifndef WQ_BENCH_BUFFER_H
#define WQ_BENCH_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Growing bytes.  Running out of memory sets `failed` and makes the appends
 * that follow do nothing, so that whoever builds a request asks only once,
 * before it is sent.  All zero is a valid empty buffer.
 */
struct buffer {
	char	*data;		/* owned */
	size_t	 bytes;
	size_t	 room;
	bool	 failed;
};

void	 buffer_fini(struct buffer *b);

/* Room for `bytes` more behind the end; NULL when there is no memory. */
char	*buffer_reserve(struct buffer *b, size_t bytes);

void	 buffer_append(struct buffer *b, const char *data, size_t bytes);
void	 buffer_append_text(struct buffer *b, const char *text);
void	 buffer_append_buffer(struct buffer *b, const struct buffer *from);
void	 buffer_append_number(struct buffer *b, unsigned long long n);

#endif
