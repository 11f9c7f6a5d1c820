/*
 * Two bits a message: pushed, received.  A message may be received before
 * the answer to its push is read (another connection took it), so the two
 * are noted apart and compared.  Invariant: `missing` is the number of
 * messages whose first bit is set and whose second is not.
 */
#include "bench/ledger.h"

#include <stdlib.h>
#include <string.h>

enum {
	PUSHED = 1,
	RECEIVED = 2,
	TOKEN_AT = 1,			/* behind the opening quote */
	NUMBER_AT = TOKEN_AT + 16 + 1,
	PADDING_AT = NUMBER_AT + 8
};

struct ledger {
	struct ledger_counts	 counts;	/* lost: see `missing` */
	uint64_t		 missing;
	size_t			 body_bytes;
	char			*pattern;	/* owned; number is zeros */
	unsigned char		*bits;		/* owned; two a message */
	size_t			 room;		/* messages */
};

static void
hex_write(char *out, uint64_t value, size_t digits)
{
	while (digits-- > 0) {
		out[digits] = "0123456789abcdef"[value & 15];
		value >>= 4;
	}
}

static bool
hex_read(const char *in, size_t digits, uint64_t *value)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < digits; i++) {
		if (in[i] >= '0' && in[i] <= '9')
			v = v << 4 | (uint64_t)(in[i] - '0');
		else if (in[i] >= 'a' && in[i] <= 'f')
			v = v << 4 | (uint64_t)(in[i] - 'a' + 10);
		else
			return false;
	}
	*value = v;
	return true;
}

struct ledger *
ledger_new(uint64_t token, size_t body_bytes)
{
	struct ledger *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	if ((l->pattern = malloc(body_bytes)) == NULL) {
		free(l);
		return NULL;
	}
	l->body_bytes = body_bytes;
	memset(l->pattern, 'x', body_bytes);
	l->pattern[0] = '"';
	hex_write(l->pattern + TOKEN_AT, token, 16);
	l->pattern[NUMBER_AT - 1] = '-';
	hex_write(l->pattern + NUMBER_AT, 0, 8);
	l->pattern[body_bytes - 1] = '"';
	return l;
}

void
ledger_free(struct ledger *l)
{
	if (l == NULL)
		return;
	free(l->bits);
	free(l->pattern);
	free(l);
}

void
ledger_body(const struct ledger *l, uint64_t number, char *out)
{
	memcpy(out, l->pattern, l->body_bytes);
	hex_write(out + NUMBER_AT, number, 8);
}

size_t
ledger_body_bytes(const struct ledger *l)
{
	return l->body_bytes;
}

/* Grow so that `number` has its two bits. */
static int
reach(struct ledger *l, uint64_t number)
{
	size_t room = l->room > 0 ? l->room : 1 << 16;
	unsigned char *bits;

	if (number < l->room)
		return 0;
	while (room <= number)
		room *= 2;
	if ((bits = realloc(l->bits, room / 4)) == NULL)
		return -1;
	memset(bits + l->room / 4, 0, (room - l->room) / 4);
	l->bits = bits;
	l->room = room;
	return 0;
}

static unsigned
bits_get(const struct ledger *l, uint64_t number)
{
	return l->bits[number / 4] >> (number % 4 * 2) & 3u;
}

static void
bits_set(struct ledger *l, uint64_t number, unsigned bit)
{
	l->bits[number / 4] |= (unsigned char)(bit << (number % 4 * 2));
}

int
ledger_note_pushed(struct ledger *l, uint64_t first, size_t count)
{
	uint64_t number;

	if (count == 0)
		return 0;
	if (reach(l, first + count - 1) == -1)
		return -1;
	for (number = first; number < first + count; number++) {
		if (!(bits_get(l, number) & RECEIVED))
			l->missing++;
		bits_set(l, number, PUSHED);
	}
	l->counts.pushed += count;
	return 0;
}

bool
ledger_read(const struct ledger *l, const char *body, size_t bytes,
    uint64_t *number)
{
	return bytes == l->body_bytes &&
	    memcmp(body, l->pattern, NUMBER_AT) == 0 &&
	    hex_read(body + NUMBER_AT, 8, number) &&
	    memcmp(body + PADDING_AT, l->pattern + PADDING_AT,
	    bytes - PADDING_AT) == 0;
}

int
ledger_note_received(struct ledger *l, const char *body, size_t bytes)
{
	uint64_t number;
	unsigned bits;

	if (bytes < NUMBER_AT ||
	    memcmp(body, l->pattern, NUMBER_AT) != 0) {
		l->counts.foreign++;
		return 0;
	}
	if (!ledger_read(l, body, bytes, &number)) {
		l->counts.garbled++;
		return 0;
	}
	if (reach(l, number) == -1)
		return -1;
	bits = bits_get(l, number);
	if (bits & RECEIVED) {
		l->counts.duplicated++;
		return 0;
	}
	bits_set(l, number, RECEIVED);
	l->counts.received++;
	if (bits & PUSHED)
		l->missing--;
	return 0;
}

uint64_t
ledger_missing(const struct ledger *l)
{
	return l->missing;
}

void
ledger_count(const struct ledger *l, struct ledger_counts *out)
{
	*out = l->counts;
	out->lost = l->missing;
}
