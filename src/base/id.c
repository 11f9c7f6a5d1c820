/*
 * Message identifiers.  The randomness of many is fetched in one system call
 * (about 40 ns an id in place of 2 us for libuuid's own generator).  Writing the
 * text is libuuid's; its reading is strtoul(3) by pieces, 2300 instructions
 * an id, so that is done here in 200.
 */
#include "base/id.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uuid/uuid.h>

static uint8_t	pool[4096];
static size_t	pool_used = sizeof(pool);

static void
pool_fill(void)
{
	size_t have = 0;
	ssize_t n;

	while (have < sizeof(pool)) {
		n = getrandom(pool + have, sizeof(pool) - have, 0);
		if (n > 0)
			have += (size_t)n;
		else if (n < 0 && errno != EINTR)
			abort();
	}
	pool_used = 0;
}

void
id_random(void *out, size_t n)
{
	assert(n <= 64);
	if (sizeof(pool) - pool_used < n)
		pool_fill();
	memcpy(out, pool + pool_used, n);
	/* Used bytes are wiped: a later leak must not tell earlier ids. */
	memset(pool + pool_used, 0, n);
	pool_used += n;
}

struct id
id_new(void)
{
	struct id id;

	id_random(id.bytes, sizeof(id.bytes));
	id.bytes[6] = (id.bytes[6] & 0x0f) | 0x40;	/* version 4 */
	id.bytes[8] = (id.bytes[8] & 0x3f) | 0x80;	/* RFC 9562 variant */
	return id;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
id_parse(const char *text, size_t text_bytes, struct id *out)
{
	int high, low;
	size_t i, at;

	if (text_bytes != ID_TEXT_BYTES)
		return false;
	for (i = 0, at = 0; i < sizeof(out->bytes); i++, at += 2) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			if (text[at++] != '-')
				return false;
		high = hex_value(text[at]);
		low = hex_value(text[at + 1]);
		if (high < 0 || low < 0)
			return false;
		out->bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
id_format(const struct id *id, char out[ID_TEXT_BYTES])
{
	char text[UUID_STR_LEN];

	uuid_unparse_lower(id->bytes, text);
	memcpy(out, text, ID_TEXT_BYTES);
}
