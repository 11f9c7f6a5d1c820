/* Message attributes: what they may be, what they weigh, and their MD5. */
#include "api/sqs_value.h"

#include <sys/types.h>

#include <md5.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "api/sqs_fault.h"
#include "api/sqs_input.h"
#include "base/digit.h"

#define NAME_MAX_BYTES	256
#define TYPE_MAX_BYTES	256
#define CHUNK_BYTES	768	/* decoded at a time; a multiple of 3 */
#define LETTERS		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define NAME_CHARACTERS	LETTERS "0123456789_-."

/* How many bytes base64 stands for; -1: it is none. */
static ssize_t
base64_bytes(struct text t)
{
	size_t i, n = t.bytes;

	if (n % 4 != 0)
		return -1;
	if (n > 0 && t.data[n - 1] == '=')
		n--;
	if (n > 0 && n < t.bytes && t.data[n - 1] == '=')
		n--;
	for (i = 0; i < n; i++)
		if (digit_base64(t.data[i], "+/") == -1)
			return -1;
	return (ssize_t)(n / 4 * 3 + (n % 4 > 0 ? n % 4 - 1 : 0));
}

/* Four digits, which may end in "=", to up to three bytes. */
static size_t
base64_decode(const char *in, uint8_t *out)
{
	uint32_t v = 0;
	size_t i, n = 3;
	int digit;

	for (i = 0; i < 4; i++) {
		if ((digit = digit_base64(in[i], "+/")) == -1) {
			digit = 0;
			n--;
		}
		v = v << 6 | (uint32_t)digit;
	}
	out[0] = (uint8_t)(v >> 16);
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)v;
	return n;
}

bool
sqs_text_is_good(struct text t)
{
	const unsigned char *p = (const unsigned char *)t.data;
	const unsigned char *end = p + t.bytes;

	for (; p < end; p++) {
		if (*p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r')
			return false;
		/* U+FFFE and U+FFFF */
		if (*p == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
			return false;
	}
	return true;
}

static int
check_name(struct text name, struct sqs_fault *f)
{
	int n = sqs_clip(name);

	if (name.bytes == 0)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The name of a "
		    "message attribute must not be empty.");
	if (name.bytes > NAME_MAX_BYTES)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The name of "
		    "the message attribute '%.*s...' is longer than %d "
		    "characters.", n, name.data, NAME_MAX_BYTES);
	if (strspn(name.data, NAME_CHARACTERS) != name.bytes)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The name of "
		    "the message attribute '%.*s' can only include "
		    "alphanumeric characters, hyphens, underscores and "
		    "periods.", n, name.data);
	if (name.data[0] == '.' || name.data[name.bytes - 1] == '.' ||
	    strstr(name.data, "..") != NULL)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The name of "
		    "the message attribute '%.*s' must not start or end with "
		    "a period, nor have two in succession.", n, name.data);
	if (strncasecmp(name.data, "AWS.", 4) == 0 ||
	    strncasecmp(name.data, "Amazon.", 7) == 0)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The name of "
		    "the message attribute '%.*s' starts with AWS. or "
		    "Amazon., which is reserved.", n, name.data);
	return 0;
}

/* Is the type kind, or kind with a label behind it? */
static bool
is_kind(struct text type, const char *kind)
{
	size_t n = strlen(kind);

	return strncmp(type.data, kind, n) == 0 &&
	    (type.bytes == n || (type.data[n] == '.' && type.bytes > n + 1));
}

static int
check_type(const struct sqs_value *v, struct sqs_fault *f)
{
	int n = sqs_clip(v->name);

	if (v->type.bytes == 0)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The message "
		    "attribute '%.*s' must contain a non-empty message "
		    "attribute type.", n, v->name.data);
	if (v->type.bytes > TYPE_MAX_BYTES)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The type of "
		    "the message attribute '%.*s' is longer than %d bytes.",
		    n, v->name.data, TYPE_MAX_BYTES);
	if (!sqs_text_is_good(v->type) || (!is_kind(v->type, "String") &&
	    !is_kind(v->type, "Number") && !is_kind(v->type, "Binary")))
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The message "
		    "attribute '%.*s' has an invalid message attribute type; "
		    "the types are String, Number and Binary, and may have a "
		    "label after a period.", n, v->name.data);
	return 0;
}

static bool
take_digits(const char **p)
{
	const char *from = *p;

	while (**p >= '0' && **p <= '9')
		++*p;
	return *p > from;
}

static bool
is_number(struct text t)
{
	const char *p = t.data;
	bool digits;

	if (*p == '+' || *p == '-')
		p++;
	digits = take_digits(&p);
	if (*p == '.') {
		p++;
		digits = take_digits(&p) || digits;
	}
	if (!digits)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		if (!take_digits(&p))
			return false;
	}
	return p == t.data + t.bytes;
}

/* The value, of which SQS wants exactly one, and in the field of its type. */
static int
check_value(const struct sqs_value *v, const json_t *json,
    struct sqs_fault *f)
{
	struct text other = sqs_text(json, v->is_binary ? "StringValue" :
	    "BinaryValue");
	int n = sqs_clip(v->name);

	if (v->value.bytes == 0 && other.bytes > 0)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The message "
		    "attribute '%.*s' with type '%.*s' must use field '%s'.",
		    n, v->name.data, sqs_clip(v->type), v->type.data,
		    v->is_binary ? "BinaryValue" : "StringValue");
	if (v->value.bytes == 0)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The message "
		    "attribute '%.*s' must contain a non-empty message "
		    "attribute value for message attribute type '%.*s'.",
		    n, v->name.data, sqs_clip(v->type), v->type.data);
	if (other.bytes > 0)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The message "
		    "attribute '%.*s' has more than one value.", n,
		    v->name.data);
	if (v->is_binary && base64_bytes(v->value) < 0)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The value of "
		    "the message attribute '%.*s' is not base64.", n,
		    v->name.data);
	if (!v->is_binary && !sqs_text_is_good(v->value))
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The value of "
		    "the message attribute '%.*s' has invalid characters; "
		    SQS_CHARACTERS, n, v->name.data);
	if (is_kind(v->type, "Number") && !is_number(v->value))
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "The value of "
		    "the message attribute '%.*s' is not a number.", n,
		    v->name.data);
	return 0;
}

void
sqs_value_get(const char *name, const json_t *json, struct sqs_value *out)
{
	out->name.data = name;
	out->name.bytes = strlen(name);
	out->type = sqs_text(json, "DataType");
	out->is_binary = out->type.data != NULL &&
	    strncmp(out->type.data, "Binary", 6) == 0;
	out->value = sqs_text(json, out->is_binary ? "BinaryValue" :
	    "StringValue");
}

int
sqs_value_read(const char *name, const json_t *json, struct sqs_value *out,
    struct sqs_fault *f)
{
	sqs_value_get(name, json, out);
	if (check_name(out->name, f) == -1 || check_type(out, f) == -1)
		return -1;
	if (json_array_size(json_object_get(json, "StringListValues")) > 0 ||
	    json_array_size(json_object_get(json, "BinaryListValues")) > 0)
		return sqs_fault_set(f, SQS_UNSUPPORTED, "Lists as values of "
		    "message attributes are not supported.");
	return check_value(out, json, f);
}

size_t
sqs_value_bytes(const struct sqs_value *v)
{
	return v->name.bytes + v->type.bytes + (v->is_binary ?
	    (size_t)base64_bytes(v->value) : v->value.bytes);
}

static void
finish(MD5_CTX *c, char out[SQS_MD5_BYTES])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t sum[MD5_DIGEST_LENGTH];
	size_t i;

	MD5Final(sum, c);
	for (i = 0; i < sizeof(sum); i++) {
		*out++ = hex[sum[i] >> 4];
		*out++ = hex[sum[i] & 15];
	}
}

void
sqs_md5_text(struct text t, char out[SQS_MD5_BYTES])
{
	MD5_CTX c;

	MD5Init(&c);
	MD5Update(&c, (const uint8_t *)t.data, t.bytes);
	finish(&c, out);
}

static void
add_bytes(MD5_CTX *c, size_t n)
{
	uint8_t big[4];

	big[0] = (uint8_t)(n >> 24);
	big[1] = (uint8_t)(n >> 16);
	big[2] = (uint8_t)(n >> 8);
	big[3] = (uint8_t)n;
	MD5Update(c, big, sizeof(big));
}

static void
add_text(MD5_CTX *c, struct text t)
{
	add_bytes(c, t.bytes);
	MD5Update(c, (const uint8_t *)t.data, t.bytes);
}

static void
add_binary(MD5_CTX *c, struct text t)
{
	uint8_t chunk[CHUNK_BYTES];
	size_t i, n = 0;

	add_bytes(c, (size_t)base64_bytes(t));
	for (i = 0; i + 4 <= t.bytes; i += 4) {
		n += base64_decode(t.data + i, chunk + n);
		if (n + 3 > sizeof(chunk) || i + 4 >= t.bytes) {
			MD5Update(c, chunk, n);
			n = 0;
		}
	}
}

void
sqs_md5_values(const struct sqs_value *v, size_t count,
    char out[SQS_MD5_BYTES])
{
	uint8_t kind;
	MD5_CTX c;

	MD5Init(&c);
	for (; count > 0; v++, count--) {
		add_text(&c, v->name);
		add_text(&c, v->type);
		kind = v->is_binary ? 2 : 1;
		MD5Update(&c, &kind, 1);
		if (v->is_binary)
			add_binary(&c, v->value);
		else
			add_text(&c, v->value);
	}
	finish(&c, out);
}
