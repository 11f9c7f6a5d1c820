/* The one table of options, and how their texts are read. */
#include "base/config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define KIB		INT64_C(1024)
#define MIB		(1024 * KIB)
#define HOUR_MS		INT64_C(3600000)
#define FIELD(f)	offsetof(struct config, f)

/* Sorted by name.  man/wqd.8 has each; scripts/check-man looks after that. */
const struct config_option config_options[] = {
	{ "auto-create", 0, OPTION_BOOL, FIELD(auto_create),
	    0, 1, "true", "a push makes the queue it names", NULL },
	{ "data", 'd', OPTION_TEXT, FIELD(data),
	    0, 0, "", "keep everything in this directory", NULL },
	{ "drain-timeout", 0, OPTION_MS, FIELD(drain_timeout_ms),
	    0, HOUR_MS, "10000", "longest wait for requests at the end", NULL },
	{ "foreground", 'f', OPTION_FLAG, FIELD(foreground),
	    0, 1, "0", "stay in the foreground, as it always does", NULL },
	{ "idle-timeout", 0, OPTION_MS, FIELD(idle_timeout_ms),
	    1, 24 * HOUR_MS, "75000", "close a connection without requests", NULL },
	{ "listen", 'l', OPTION_LIST, FIELD(listen),
	    0, 0, "localhost", "address, * for all, or unix:PATH", NULL },
	{ "lock-timeout", 0, OPTION_MS, FIELD(lock_timeout_ms),
	    0, 12 * HOUR_MS, "1000", "how long a received message is locked", NULL },
	{ "max-amount", 0, OPTION_COUNT, FIELD(max_amount),
	    1, 100000, "1000", "most messages of one receive", NULL },
	{ "max-body", 0, OPTION_BYTES, FIELD(max_body_bytes),
	    1, 256 * MIB, "1M", "largest request body", NULL },
	{ "max-connections", 0, OPTION_COUNT, FIELD(max_connections),
	    1, 1000000, "16384", "most clients at a time; others wait", NULL },
	{ "max-header", 0, OPTION_BYTES, FIELD(max_header_bytes),
	    256, MIB, "64K", "largest request line and headers", NULL },
	{ "max-memory", 0, OPTION_BYTES, FIELD(max_memory_bytes),
	    0, INT64_MAX / 2, "0", "most memory for messages; 0 is no limit", NULL },
	{ "max-wait", 0, OPTION_MS, FIELD(max_wait_ms),
	    0, HOUR_MS, "60000", "longest wait of a receive", NULL },
	{ "port", 'p', OPTION_COUNT, FIELD(port),
	    0, 65535, "3000", "TCP port; 0 picks a free one", NULL },
	{ "public-url", 0, OPTION_URL, FIELD(public_url),
	    0, 0, "", "what URLs of SQS queues begin with", NULL },
	{ "request-timeout", 0, OPTION_MS, FIELD(request_timeout_ms),
	    1, HOUR_MS, "30000", "longest time a request may take to come", NULL },
	{ "sqs-account", 0, OPTION_DIGITS, FIELD(sqs_account),
	    12, 12, "000000000000", "account in URLs and ARNs of SQS", NULL },
	{ "sqs-region", 0, OPTION_WORD, FIELD(sqs_region),
	    1, 40, "us-east-1", "region in ARNs of SQS", NULL },
	{ "sqs-waits", 0, OPTION_BOOL, FIELD(sqs_waits),
	    0, 1, "false", "deletes and purges have SQS's 60 seconds", NULL },
	{ "sync", 0, OPTION_CHOICE, FIELD(sync),
	    0, 2, "full", "what a commit waits for", "full|normal|off" },
	{ "sync-locks", 0, OPTION_BOOL, FIELD(sync_locks),
	    0, 1, "false", "a receive waits for the disk too", NULL },
	{ "verbose", 'v', OPTION_FLAG, FIELD(verbose),
	    0, 1, "0", "log each operation", NULL },
	{ "write-timeout", 0, OPTION_MS, FIELD(write_timeout_ms),
	    1, HOUR_MS, "30000", "longest stall of a client reading an answer", NULL },
	{ NULL, 0, OPTION_FLAG, 0, 0, 0, NULL, NULL, NULL }
};

static void *
field(struct config *c, const struct config_option *o)
{
	return (char *)c + o->offset;
}

void
config_range(const struct config_option *o, char *out, size_t out_bytes)
{
	static const char *const unit[] = {
		[OPTION_MS] = " milliseconds", [OPTION_BYTES] = " bytes",
	};

	snprintf(out, out_bytes, "%" PRId64 " to %" PRId64 "%s", o->min,
	    o->max, o->kind == OPTION_MS || o->kind == OPTION_BYTES ?
	    unit[o->kind] : "");
}

/* What is wrong with value; in error, which names the option. */
static int
refuse(const struct config_option *o, const char *value, char *error)
{
	char range[80], quoted[64];

	if (o->kind == OPTION_BOOL)
		snprintf(range, sizeof(range), "true or false");
	else
		config_range(o, range, sizeof(range));
	snprintf(error, CONFIG_ERROR_BYTES, "%s: %s is not %s", o->name,
	    log_quote(value, strlen(value), quoted, sizeof(quoted)), range);
	return -1;
}

static int
set_number(struct config *c, const struct config_option *o, const char *value,
    char *error)
{
	static const char suffix[] = "KMG";
	const char *s;
	int64_t v;
	char *end;

	errno = 0;
	v = strtoll(value, &end, 10);
	if (!isdigit((unsigned char)value[0]) || errno != 0)
		return refuse(o, value, error);
	if (o->kind == OPTION_BYTES && *end != '\0' &&
	    (s = strchr(suffix, toupper((unsigned char)*end))) != NULL) {
		if (v > INT64_MAX >> (10 * (s - suffix + 1)))
			return refuse(o, value, error);
		v <<= 10 * (s - suffix + 1);
		end++;
	}
	if (*end != '\0' || v < o->min || v > o->max)
		return refuse(o, value, error);
	if (o->kind == OPTION_FLAG)
		*(bool *)field(c, o) = v != 0;
	else
		*(int64_t *)field(c, o) = v;
	return 0;
}

static int
set_bool(struct config *c, const struct config_option *o, const char *value,
    char *error)
{
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return refuse(o, value, error);
	*(bool *)field(c, o) = value[0] == 't';
	return 0;
}

static void
list_clear(struct config *c)
{
	while (c->listen_count > 0)
		mem_free(c->listen[--c->listen_count]);
}

/* An empty text is none. */
static int
set_text(struct config *c, const struct config_option *o, const char *value,
    char *error)
{
	char *copy = mem_strdup(value), **to = field(c, o);

	if (copy == NULL) {
		snprintf(error, CONFIG_ERROR_BYTES, "no memory");
		return -1;
	}
	mem_free(*to);
	*to = copy;
	return 0;
}

/* A text of some characters alone, min to max of them. */
static int
set_word(struct config *c, const struct config_option *o, const char *value,
    char *error)
{
	const char *of = o->kind == OPTION_DIGITS ? "0123456789" :
	    "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t bytes = strlen(value);
	char quoted[64];

	if (bytes >= (size_t)o->min && bytes <= (size_t)o->max &&
	    strspn(value, of) == bytes)
		return set_text(c, o, value, error);
	snprintf(error, CONFIG_ERROR_BYTES, "%s: %s is not %" PRId64 " to %"
	    PRId64 " of %s", o->name, log_quote(value, bytes, quoted,
	    sizeof(quoted)), o->min, o->max, o->kind == OPTION_DIGITS ?
	    "0-9" : "a-z 0-9 -");
	return -1;
}

/* A scheme and a host, and maybe a path; it is part of longer ones. */
static int
set_url(struct config *c, const struct config_option *o, const char *value,
    char *error)
{
	size_t bytes = strlen(value), scheme = strncmp(value, "http://",
	    7) == 0 ? 7 : strncmp(value, "https://", 8) == 0 ? 8 : 0;
	char quoted[64];

	if (bytes == 0 || (scheme > 0 && bytes > scheme && bytes <= 255 &&
	    strspn(value, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/[]%") == bytes))
		return set_text(c, o, value, error);
	snprintf(error, CONFIG_ERROR_BYTES, "%s: %s is not a URL such as "
	    "https://queue.example.org", o->name, log_quote(value, bytes,
	    quoted, sizeof(quoted)));
	return -1;
}

static int
set_choice(struct config *c, const struct config_option *o, const char *value,
    char *error)
{
	const char *p = o->choices;
	size_t bytes = strlen(value), n;
	char quoted[64];
	int64_t i;

	for (i = 0; *p != '\0'; i++, p += n + (p[n] == '|')) {
		n = strcspn(p, "|");
		if (n == bytes && memcmp(p, value, n) == 0) {
			*(int64_t *)field(c, o) = i;
			return 0;
		}
	}
	snprintf(error, CONFIG_ERROR_BYTES, "%s: %s is not one of %s", o->name,
	    log_quote(value, bytes, quoted, sizeof(quoted)), o->choices);
	return -1;
}

static bool
is_address(const char *text, size_t bytes)
{
	unsigned char out[sizeof(struct in6_addr)];
	char copy[64];

	if (bytes > 5 && strncmp(text, "unix:", 5) == 0)
		return true;
	if (text[0] == '/')
		return true;
	/* "[::1]", as a URL has it, is "::1". */
	if (bytes > 2 && text[0] == '[' && text[bytes - 1] == ']') {
		text++;
		bytes -= 2;
	}
	if (bytes >= sizeof(copy))
		return false;
	memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	return strcmp(copy, "*") == 0 || strcmp(copy, "localhost") == 0 ||
	    inet_pton(AF_INET, copy, out) == 1 ||
	    inet_pton(AF_INET6, copy, out) == 1;
}

static int
set_list(struct config *c, const struct config_option *o, const char *value,
    char *error)
{
	const char *p = value, *end;
	char *item, quoted[80];
	size_t n;

	list_clear(c);
	for (;; p = end + 1) {
		end = p + strcspn(p, ",");
		n = (size_t)(end - p);
		if (n > 0 && !is_address(p, n)) {
			snprintf(error, CONFIG_ERROR_BYTES, "%s: %s is not an "
			    "IPv4 or IPv6 address, localhost, * or unix:PATH",
			    o->name, log_quote(p, n, quoted, sizeof(quoted)));
			return -1;
		}
		if (n == 0 || c->listen_count == CONFIG_LISTEN_MAX) {
			snprintf(error, CONFIG_ERROR_BYTES, "%s: %s", o->name,
			    n == 0 ? "an address is empty" :
			    "more than 16 addresses");
			return -1;
		}
		if ((item = mem_alloc(n + 1)) == NULL) {
			snprintf(error, CONFIG_ERROR_BYTES, "no memory");
			return -1;
		}
		memcpy(item, p, n);
		item[n] = '\0';
		c->listen[c->listen_count++] = item;
		if (*end == '\0')
			return 0;
	}
}

int
config_set(struct config *c, const struct config_option *o, const char *value,
    char *error)
{
	if (o->kind == OPTION_LIST)
		return set_list(c, o, value, error);
	if (o->kind == OPTION_BOOL)
		return set_bool(c, o, value, error);
	if (o->kind == OPTION_TEXT)
		return set_text(c, o, value, error);
	if (o->kind == OPTION_URL)
		return set_url(c, o, value, error);
	if (o->kind == OPTION_WORD || o->kind == OPTION_DIGITS)
		return set_word(c, o, value, error);
	if (o->kind == OPTION_CHOICE)
		return set_choice(c, o, value, error);
	return set_number(c, o, value, error);
}

int
config_init(struct config *c)
{
	const struct config_option *o;
	char error[CONFIG_ERROR_BYTES];

	memset(c, 0, sizeof(*c));
	for (o = config_options; o->name != NULL; o++)
		if (config_set(c, o, o->preset, error) == -1)
			return -1;
	return 0;
}

void
config_fini(struct config *c)
{
	list_clear(c);
	mem_free(c->data);
	mem_free(c->public_url);
	mem_free(c->sqs_account);
	mem_free(c->sqs_region);
	c->data = c->public_url = c->sqs_account = c->sqs_region = NULL;
}

/* "lock-timeout" is WQ_LOCK_TIMEOUT. */
static const char *
env_name(const struct config_option *o, char *out, size_t out_bytes)
{
	size_t i;

	snprintf(out, out_bytes, "WQ_%s", o->name);
	for (i = 0; out[i] != '\0'; i++)
		out[i] = out[i] == '-' ? '_' : (char)toupper(
		    (unsigned char)out[i]);
	return out;
}

int
config_read_env(struct config *c, char *error)
{
	const struct config_option *o;
	char name[64], why[CONFIG_ERROR_BYTES];
	const char *value, *used;

	for (o = config_options; o->name != NULL; o++) {
		used = env_name(o, name, sizeof(name));
		value = getenv(used);
		if (value == NULL && strcmp(o->name, "port") == 0) {
			used = "PORT";
			value = getenv(used);
		}
		if (value == NULL)
			continue;
		if (config_set(c, o, value, why) == -1) {
			/* why begins with the option's name and a colon */
			snprintf(error, CONFIG_ERROR_BYTES, "%s: %.180s", used,
			    why + strlen(o->name) + 2);
			return -1;
		}
	}
	return 0;
}
