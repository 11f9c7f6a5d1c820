/*
 * Growing bytes, see buffer.h.  Invariant: bytes <= room, and data is NULL
 * only while room is 0.
 */
#include "bench/buffer.h"

#include <stdlib.h>
#include <string.h>

void
buffer_fini(struct buffer *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

char *
buffer_reserve(struct buffer *b, size_t bytes)
{
	size_t room = b->room;
	char *data;

	if (b->failed)
		return NULL;
	if (b->room - b->bytes < bytes) {
		if (room < 1024)
			room = 1024;
		while (room - b->bytes < bytes)
			room *= 2;
		if ((data = realloc(b->data, room)) == NULL) {
			b->failed = true;
			return NULL;
		}
		b->data = data;
		b->room = room;
	}
	return b->data + b->bytes;
}

void
buffer_append(struct buffer *b, const char *data, size_t bytes)
{
	char *end;

	/* Neither side of a memcpy may be NULL, not even for no bytes. */
	if (bytes == 0 || (end = buffer_reserve(b, bytes)) == NULL)
		return;
	memcpy(end, data, bytes);
	b->bytes += bytes;
}

void
buffer_append_text(struct buffer *b, const char *text)
{
	buffer_append(b, text, strlen(text));
}

void
buffer_append_buffer(struct buffer *b, const struct buffer *from)
{
	buffer_append(b, from->data, from->bytes);
}

void
buffer_append_number(struct buffer *b, unsigned long long n)
{
	char digits[24], *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + n % 10);
	} while ((n /= 10) > 0);
	buffer_append(b, p, (size_t)(digits + sizeof(digits) - p));
}
