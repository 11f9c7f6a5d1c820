#ifndef WQ_BASE_BUF_H
#define WQ_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * Bytes that grow at the end.  A failed append sets `failed` and later
 * appends do nothing, so a whole answer is built first and checked once.
 */
struct buf {
	char *data;		/* owned; NULL while empty and never used */
	size_t bytes;
	size_t room;
	bool failed;
};

void	buf_init(struct buf *);
void	buf_fini(struct buf *);		/* frees; may be used again */
void	buf_clear(struct buf *);	/* empties, keeps the memory */

/* Have room for n more bytes; NULL when there is none. */
char	*buf_reserve(struct buf *, size_t n);
void	buf_add_slow(struct buf *, const void *, size_t);
void	buf_add_uint(struct buf *, unsigned long long);
void	buf_add_int(struct buf *, long long);
void	buf_printf(struct buf *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
void	buf_vprintf(struct buf *, const char *, va_list)
	    __attribute__((format(printf, 2, 0)));

/* Inline, since answers are built of many small pieces. */
static inline void
buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (b->failed || b->room - b->bytes < n) {
		buf_add_slow(b, bytes, n);
		return;
	}
	if (n > 0)
		memcpy(b->data + b->bytes, bytes, n);
	b->bytes += n;
}

static inline void
buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

#endif
