/*
 * Receipt handles.  39 bytes in base64url (RFC 4648), so that nothing is left
 * over and no '=' is needed:
 *
 *	version 1, message 16, receives 4, receipt 4, queue 8, check 6
 *
 * Numbers are big-endian.  The queue is there as a hash of its name: a handle
 * is good for one queue only.  The check tells a handle that was cut or typed
 * wrong from one that is merely old.  It keeps out no forger, which the
 * receipt does: it is random, and of one receive.
 */
#include "api/sqs_receipt.h"

#include <stdint.h>
#include <string.h>

#include "base/digit.h"
#include "core/message.h"

#define FORMAT		1
#define RAW_BYTES	(SQS_RECEIPT_BYTES / 4 * 3)
#define ID_AT		1
#define RECEIVES_AT	17
#define RECEIPT_AT	21
#define QUEUE_AT	25
#define CHECK_AT	33
#define CHECK_BYTES	(RAW_BYTES - CHECK_AT)

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
put(uint8_t *out, uint64_t value, size_t bytes)
{
	while (bytes-- > 0) {
		out[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

static uint32_t
get32(const uint8_t *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 |
	    (uint32_t)in[2] << 8 | in[3];
}

/* FNV-1a, with its high bits mixed into the low ones. */
static uint64_t
hash(const void *data, size_t bytes)
{
	const uint8_t *p = data;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	while (bytes-- > 0)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	h ^= h >> 32;
	return h * UINT64_C(0x9e3779b97f4a7c15);
}

static void
encode(const uint8_t raw[RAW_BYTES], char *out)
{
	uint32_t v;
	size_t i;

	for (i = 0; i < RAW_BYTES; i += 3) {
		v = (uint32_t)raw[i] << 16 | (uint32_t)raw[i + 1] << 8 |
		    raw[i + 2];
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = digits[v >> 6 & 63];
		*out++ = digits[v & 63];
	}
}

static int
decode(const char *text, uint8_t raw[RAW_BYTES])
{
	uint32_t v;
	size_t i, j;
	int digit;

	for (i = 0; i < RAW_BYTES; i += 3) {
		for (v = 0, j = 0; j < 4; j++) {
			if ((digit = digit_base64(*text++, "-_")) == -1)
				return -1;
			v = v << 6 | (uint32_t)digit;
		}
		put(raw + i, v, 3);
	}
	return 0;
}

void
sqs_receipt_format(const struct delivery *d, const char *queue,
    char out[SQS_RECEIPT_BYTES])
{
	uint8_t raw[RAW_BYTES];

	raw[0] = FORMAT;
	memcpy(raw + ID_AT, d->id.bytes, sizeof(struct id));
	put(raw + RECEIVES_AT, d->receives, 4);
	put(raw + RECEIPT_AT, d->receipt, 4);
	put(raw + QUEUE_AT, hash(queue, strlen(queue)), 8);
	put(raw + CHECK_AT, hash(raw, CHECK_AT), CHECK_BYTES);
	encode(raw, out);
}

enum sqs_receipt
sqs_receipt_parse(const char *text, size_t bytes, const char *queue,
    struct id *id, struct op_receipt *out)
{
	uint8_t raw[RAW_BYTES], wanted[8];

	if (bytes != SQS_RECEIPT_BYTES || decode(text, raw) == -1 ||
	    raw[0] != FORMAT)
		return SQS_RECEIPT_BAD;
	put(wanted, hash(raw, CHECK_AT), CHECK_BYTES);
	if (memcmp(raw + CHECK_AT, wanted, CHECK_BYTES) != 0 ||
	    get32(raw + RECEIVES_AT) == 0)
		return SQS_RECEIPT_BAD;
	put(wanted, hash(queue, strlen(queue)), sizeof(wanted));
	if (memcmp(raw + QUEUE_AT, wanted, sizeof(wanted)) != 0)
		return SQS_RECEIPT_STRANGE;
	memcpy(id->bytes, raw + ID_AT, sizeof(*id));
	memset(out, 0, sizeof(*out));
	out->given = true;
	out->receives = get32(raw + RECEIVES_AT);
	out->receipt = get32(raw + RECEIPT_AT);
	return SQS_RECEIPT_GOOD;
}
