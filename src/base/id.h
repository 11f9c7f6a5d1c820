#ifndef WQ_BASE_ID_H
#define WQ_BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_TEXT_BYTES	36	/* as text, without a NUL */

/* A UUID (RFC 9562), in network byte order. */
struct id {
	uint8_t bytes[16];
};

/*
 * A new version 4 UUID, from getrandom(2) through a buffer.
 * Only the loop's thread may call it.  Aborts when the kernel has no
 * randomness to give, which Linux does not do once it has booted.
 */
struct id	id_new(void);

/* n random bytes from the same buffer; n is at most 64. */
void	id_random(void *out, size_t n);

/*
 * Read a UUID of any version in the usual form of 36 characters, upper or
 * lower case.  text need not end in a NUL.  False: it is not one.
 */
bool	id_parse(const char *text, size_t text_bytes, struct id *out);

/* Write 36 lower-case characters and no NUL. */
void	id_format(const struct id *, char out[ID_TEXT_BYTES]);

#endif
