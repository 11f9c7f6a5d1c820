/* Growing bytes. */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define ROOM_MIN	256

void
buf_init(struct buf *b)
{
	memset(b, 0, sizeof(*b));
}

void
buf_fini(struct buf *b)
{
	mem_free(b->data);
	buf_init(b);
}

void
buf_clear(struct buf *b)
{
	b->bytes = 0;
	b->failed = false;
}

char *
buf_reserve(struct buf *b, size_t n)
{
	size_t room = b->room < ROOM_MIN ? ROOM_MIN : b->room;
	char *data;

	if (b->failed)
		return NULL;
	if (b->room - b->bytes >= n)
		return b->data + b->bytes;
	while (room - b->bytes < n) {
		if (room > SIZE_MAX / 2) {
			b->failed = true;
			return NULL;
		}
		room *= 2;
	}
	if ((data = mem_realloc(b->data, room)) == NULL) {
		b->failed = true;
		return NULL;
	}
	b->data = data;
	b->room = room;
	return data + b->bytes;
}

void
buf_add_slow(struct buf *b, const void *bytes, size_t n)
{
	char *to;

	if (n == 0 || (to = buf_reserve(b, n)) == NULL)
		return;
	memcpy(to, bytes, n);
	b->bytes += n;
}

void
buf_add_uint(struct buf *b, unsigned long long v)
{
	char digits[20], *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + v % 10);
	} while ((v /= 10) != 0);
	buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

void
buf_add_int(struct buf *b, long long v)
{
	if (v < 0) {
		buf_add(b, "-", 1);
		buf_add_uint(b, 0 - (unsigned long long)v);
	} else
		buf_add_uint(b, (unsigned long long)v);
}

void
buf_vprintf(struct buf *b, const char *format, va_list ap)
{
	va_list again;
	char *to;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if ((to = buf_reserve(b, (size_t)n + 1)) == NULL)
		return;
	vsnprintf(to, (size_t)n + 1, format, ap);
	b->bytes += (size_t)n;
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(b, format, ap);
	va_end(ap);
}
