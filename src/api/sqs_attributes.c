/*
 * Attributes.  One table says of each what it is; numbers are settings of the
 * core in other units, and what the core does not read is kept as text.
 */
#include "api/sqs_attributes.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_read.h"
#include "api/sqs_call.h"
#include "api/sqs_message.h"
#include "base/clock.h"

#define MS		1000		/* in a second */
#define SHOWN_BYTES	100
#define KEY_ID_MAX	2048
#define RETENTION_MAX	1209600
#define SETTING(name)	offsetof(struct queue_settings, name)

enum kind {
	NUMBER,			/* a setting, in `unit` of the core's */
	CHOICE,			/* a setting, one of two words: 0 or 1 */
	KEPT,			/* kept as text, unless it is empty */
	REDRIVE, ALLOW,		/* see sqs_redrive.h */
	FIFO,			/* FifoQueue */
	COUNT,			/* a count of messages, never set */
	INSTANT,		/* ns since 1970 as seconds, never set */
	ARN			/* the queue's, never set */
};

static const struct attribute {
	const char *name;
	enum kind kind;
	bool fifo_only;
	size_t offset;		/* in the settings, or in the info */
	unsigned flag;		/* SETTING_* */
	int64_t min, max, unit;
	const char *words[2];	/* of a choice, and of some kept ones */
	int64_t preset;		/* of a number */
} table[] = {
	{ "VisibilityTimeout", NUMBER, false, SETTING(lock_timeout_ms),
	    SETTING_LOCK_TIMEOUT, 0, 43200, MS, { NULL, NULL }, 30 },
	{ "DelaySeconds", NUMBER, false, SETTING(delay_ms),
	    SETTING_DELAY, 0, 900, MS, { NULL, NULL }, 0 },
	{ "MaximumMessageSize", NUMBER, false, SETTING(max_message_bytes),
	    SETTING_MAX_MESSAGE, 1024, SQS_MESSAGE_MAX_BYTES, 1,
	    { NULL, NULL }, SQS_MESSAGE_MAX_BYTES },
	{ "MessageRetentionPeriod", NUMBER, false, SETTING(retention_ms),
	    SETTING_RETENTION, 60, RETENTION_MAX, MS, { NULL, NULL }, 345600 },
	{ "ReceiveMessageWaitTimeSeconds", NUMBER, false, SETTING(wait_ms),
	    SETTING_WAIT, 0, 20, MS, { NULL, NULL }, 0 },
	{ "ContentBasedDeduplication", CHOICE, true,
	    SETTING(content_based_dedup), SETTING_DEDUP, 0, 0, 0,
	    { "false", "true" }, 0 },
	{ "DeduplicationScope", CHOICE, true, SETTING(dedup_by_group),
	    SETTING_DEDUP_BY_GROUP, 0, 0, 0, { "queue", "messageGroup" }, 0 },
	{ "FifoThroughputLimit", KEPT, true, 0, 0, 0, 0, 0,
	    { "perQueue", "perMessageGroupId" }, 0 },
	{ "FifoQueue", FIFO, true, 0, 0, 0, 0, 0, { NULL, NULL }, 0 },
	{ "Policy", KEPT, false, 0, 0, 0, SQS_POLICY_MAX_BYTES, 0,
	    { NULL, NULL }, 0 },
	{ "RedrivePolicy", REDRIVE, false, 0, 0, 0, 0, 0, { NULL, NULL }, 0 },
	{ "RedriveAllowPolicy", ALLOW, false, 0, 0, 0, 0, 0, { NULL, NULL },
	    0 },
	{ "KmsMasterKeyId", KEPT, false, 0, 0, 0, KEY_ID_MAX, 0,
	    { NULL, NULL }, 0 },
	{ "KmsDataKeyReusePeriodSeconds", KEPT, false, 0, 0, 60, 86400, 1,
	    { NULL, NULL }, 0 },
	{ "SqsManagedSseEnabled", KEPT, false, 0, 0, 0, 0, 0,
	    { "true", "false" }, 0 },
	{ "ApproximateNumberOfMessages", COUNT, false,
	    offsetof(struct queue_info, available_count), 0, 0, 0, 0,
	    { NULL, NULL }, 0 },
	{ "ApproximateNumberOfMessagesNotVisible", COUNT, false,
	    offsetof(struct queue_info, locked_count), 0, 0, 0, 0,
	    { NULL, NULL }, 0 },
	{ "ApproximateNumberOfMessagesDelayed", COUNT, false,
	    offsetof(struct queue_info, delayed_count), 0, 0, 0, 0,
	    { NULL, NULL }, 0 },
	{ "CreatedTimestamp", INSTANT, false,
	    offsetof(struct queue_info, created_ns), 0, 0, 0, 0,
	    { NULL, NULL }, 0 },
	{ "LastModifiedTimestamp", INSTANT, false,
	    offsetof(struct queue_info, changed_ns), 0, 0, 0, 0,
	    { NULL, NULL }, 0 },
	{ "QueueArn", ARN, false, 0, 0, 0, 0, 0, { NULL, NULL }, 0 },
};

#define ATTRIBUTES	(sizeof(table) / sizeof(table[0]))

static const struct sqs_map attribute_map = { "Attributes", "Attribute",
    "Name" };

static const struct attribute *
find(const char *name)
{
	const struct attribute *a;

	for (a = table; a < table + ATTRIBUTES; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

static bool
fail_name(struct sqs_call *c, const char *name)
{
	return sqs_fail(c, SQS_INVALID_ATTRIBUTE_NAME, "Unknown Attribute "
	    "%.*s.", SHOWN_BYTES, name);
}

static bool
fail_value(struct sqs_call *c, const char *name, const char *reason)
{
	return sqs_fail(c, SQS_INVALID_ATTRIBUTE_VALUE, "Invalid value for "
	    "the parameter %s.%s%s", name, reason != NULL ? " Reason: " : "",
	    reason != NULL ? reason : "");
}

static int64_t *
setting_of(struct queue_settings *s, const struct attribute *a)
{
	return (int64_t *)(void *)((char *)s + a->offset);
}

static int64_t
setting(const struct queue_settings *s, const struct attribute *a)
{
	return *(const int64_t *)(const void *)((const char *)s + a->offset);
}

void
sqs_attributes_preset(struct op_configure *c)
{
	const struct attribute *a;

	memset(c, 0, sizeof(*c));
	c->given = SETTING_TTL | SETTING_MAX_RECEIVES | SETTING_MAX_MESSAGES |
	    SETTING_MAX_BYTES | SETTING_MAX_LOCKED | SETTING_TAGS |
	    SETTING_DEAD_LETTER_QUEUE | SETTING_REDRIVE_ALLOW |
	    SETTING_ATTRIBUTES | SETTING_SOURCES | SETTING_DELAY_FOR_ALL;
	c->settings.max_locked = QUEUE_MAX_LOCKED;
	c->settings.delay_for_all = 1;
	for (a = table; a < table + ATTRIBUTES; a++) {
		if (a->kind != NUMBER && a->kind != CHOICE)
			continue;
		c->given |= a->flag;
		*setting_of(&c->settings, a) = a->preset * (a->kind == NUMBER ?
		    a->unit : 1);
	}
}

/* Digits alone, within the limits. */
static bool
is_number(const struct attribute *a, struct text value, int64_t *out)
{
	if (value.bytes == 0 || value.bytes > 10 ||
	    strspn(value.data, "0123456789") != value.bytes)
		return false;
	*out = strtoll(value.data, NULL, 10);
	return *out >= a->min && *out <= a->max;
}

/* Which of its words; -1: none. */
static int
word_of(const struct attribute *a, const char *value)
{
	return strcmp(value, a->words[0]) == 0 ? 0 :
	    strcmp(value, a->words[1]) == 0 ? 1 : -1;
}

static bool
check_policy(struct sqs_call *c, struct text value)
{
	bool no_memory, good;
	json_t *policy = json_read(value, &no_memory);

	if (no_memory)
		return sqs_fail_memory(c);
	good = json_is_object(policy);
	json_decref(policy);
	return good || fail_value(c, "Policy", NULL);
}

/* One that is kept as text; an empty one is taken away. */
static bool
read_kept(struct sqs_call *c, const struct attribute *a, struct text value,
    json_t *kept)
{
	int64_t number;

	if (value.bytes == 0) {
		json_object_del(kept, a->name);
		return true;
	}
	if (a->words[0] != NULL ? word_of(a, value.data) == -1 :
	    a->unit != 0 ? !is_number(a, value, &number) :
	    value.bytes > (size_t)a->max)
		return fail_value(c, a->name, NULL);
	if (strcmp(a->name, "Policy") == 0 && !check_policy(c, value))
		return false;
	return json_object_set_new(kept, a->name, json_stringn(value.data,
	    value.bytes)) == 0 || sqs_fail_memory(c);
}

/* The name says it already; it can only be confirmed. */
static bool
read_fifo(struct sqs_call *c, struct text value, bool is_new)
{
	if (is_new && strcmp(value.data, "true") == 0)
		return true;
	if (is_new)
		return fail_name(c, "FifoQueue");
	return strcmp(value.data, "true") == 0 || fail_value(c, "FifoQueue",
	    "Modifying queue type is not supported.");
}

static bool
read_one(struct sqs_call *c, const struct attribute *a, struct text value,
    bool is_new, struct sqs_wish *w)
{
	struct op_configure *to = w->configure;
	int64_t n;

	switch (a->kind) {
	case NUMBER:
		if (!is_number(a, value, &n))
			return fail_value(c, a->name, NULL);
		*setting_of(&to->settings, a) = n * a->unit;
		to->given |= a->flag;
		if (a->flag == SETTING_DELAY) {
			to->settings.delay_for_all = 1;
			to->given |= SETTING_DELAY_FOR_ALL;
		}
		return true;
	case CHOICE:
		n = word_of(a, value.data);
		if (n == -1)
			return fail_value(c, a->name, NULL);
		*setting_of(&to->settings, a) = n;
		to->given |= a->flag;
		return true;
	case KEPT:
		to->given |= SETTING_ATTRIBUTES;
		return read_kept(c, a, value, w->kept);
	case REDRIVE:
		return sqs_redrive_read(c, value, to);
	case ALLOW:
		/* As text too, so that it is given back as it came. */
		to->given |= SETTING_ATTRIBUTES;
		return sqs_allow_read(c, value, to, w->sources) &&
		    (value.bytes > 0 ? json_object_set_new(w->kept, a->name,
		    json_stringn(value.data, value.bytes)) == 0 ||
		    sqs_fail_memory(c) :
		    (json_object_del(w->kept, a->name), true));
	case FIFO:
		return read_fifo(c, value, is_new);
	case COUNT:
	case INSTANT:
	case ARN:
		break;
	}
	return fail_name(c, a->name);
}

static const char *
kept_text(const json_t *kept, const char *name)
{
	const char *text = json_string_value(json_object_get(kept, name));

	return text != NULL ? text : "";
}

/* There is one kind of encryption at a time, as far as we are told. */
static bool
settle_encryption(struct sqs_call *c, const json_t *attributes,
    struct sqs_wish *w)
{
	bool key = *kept_text(w->kept, "KmsMasterKeyId") != '\0';
	bool managed = json_object_get(attributes, "SqsManagedSseEnabled") !=
	    NULL;

	if (!key)
		return true;
	if (managed && strcmp(kept_text(w->kept, "SqsManagedSseEnabled"),
	    "true") == 0)
		return sqs_fail(c, SQS_INVALID_ATTRIBUTE_NAME, "You can use "
		    "one type of server-side encryption (SSE) at one time. "
		    "You can either enable KMS SSE or SQS SSE.");
	if (managed || json_object_get(attributes, "KmsMasterKeyId") == NULL)
		return true;
	return json_object_set_new(w->kept, "SqsManagedSseEnabled",
	    json_string("false")) == 0 || sqs_fail_memory(c);
}

/* Groups have throughputs of their own where they have repeats of their own. */
static bool
settle_throughput(struct sqs_call *c, const struct queue_info *info,
    const struct sqs_wish *w)
{
	const struct op_configure *to = w->configure;
	int64_t by_group = to->given & SETTING_DEDUP_BY_GROUP || info == NULL ?
	    to->settings.dedup_by_group : info->settings.dedup_by_group;

	if (by_group || strcmp(kept_text(w->kept, "FifoThroughputLimit"),
	    "perMessageGroupId") != 0)
		return true;
	return fail_value(c, "FifoThroughputLimit", "perMessageGroupId is "
	    "allowed only when the value for DeduplicationScope is "
	    "messageGroup.");
}

bool
sqs_attributes_read(struct sqs_call *c, json_t *attributes,
    const struct queue_info *info, struct sqs_wish *w)
{
	bool fifo = queue_name_is_fifo(c->queue, strlen(c->queue));
	const struct attribute *a;
	const char *name;
	json_t *value;
	struct text t;

	json_object_foreach(attributes, name, value) {
		t.data = json_string_value(value);
		t.bytes = json_string_length(value);
		a = find(name);
		if (a == NULL || (a->fifo_only && !fifo))
			return fail_name(c, name);
		if (strlen(t.data) != t.bytes)
			return fail_value(c, name, NULL);
		if (!read_one(c, a, t, info == NULL, w))
			return false;
	}
	return settle_encryption(c, attributes, w) &&
	    settle_throughput(c, info, w);
}

/* What a kept attribute is where nobody said; "": it is not there. */
static const char *
kept_value(const struct attribute *a, const json_t *kept)
{
	const char *text = kept_text(kept, a->name);

	if (*text != '\0')
		return text;
	if (a->words[0] != NULL)
		return a->words[0];
	if (strcmp(a->name, "KmsDataKeyReusePeriodSeconds") == 0 &&
	    *kept_text(kept, "KmsMasterKeyId") != '\0')
		return "300";
	return "";
}

/* Does the queue have that attribute as it was wished? */
static bool
is_same(const struct attribute *a, const struct sqs_wish *w,
    const struct queue_info *info, const json_t *kept)
{
	const struct op_configure *to = w->configure;
	const struct shared *sources = info->text[QUEUE_SOURCES];

	switch (a->kind) {
	case NUMBER:
	case CHOICE:
		return setting(&to->settings, a) == setting(&info->settings,
		    a);
	case KEPT:
		return strcmp(kept_value(a, w->kept), kept_value(a, kept)) ==
		    0;
	case REDRIVE:
		return to->settings.max_receives ==
		    info->settings.max_receives &&
		    strcmp(to->dead_letter_queue, info->dead_letter_queue) ==
		    0;
	case ALLOW:
		return to->settings.redrive_allow ==
		    info->settings.redrive_allow &&
		    strcmp(w->sources, sources != NULL ? sources->text : "")
		    == 0;
	case FIFO:
	case COUNT:
	case INSTANT:
	case ARN:
		break;
	}
	return true;
}

const char *
sqs_attributes_differ(const json_t *attributes, const struct sqs_wish *w,
    const struct queue_info *info, const json_t *kept)
{
	const struct attribute *a;

	for (a = table; a < table + ATTRIBUTES; a++)
		if (json_object_get(attributes, a->name) != NULL &&
		    !is_same(a, w, info, kept))
			return a->name;
	return NULL;
}

bool
sqs_attributes_choose(struct sqs_call *c, const json_t *names, uint32_t *set)
{
	const struct attribute *a;
	const char *name;
	json_t *one;
	size_t i;

	*set = 0;
	json_array_foreach(names, i, one) {
		name = json_string_value(one);
		if (strcmp(name, "All") == 0)
			*set = (UINT32_C(1) << ATTRIBUTES) - 1;
		else if ((a = find(name)) != NULL)
			*set |= UINT32_C(1) << (a - table);
		else
			return fail_name(c, name);
	}
	return true;
}

/* A limit that the core does not have is SQS's largest. */
static int64_t
number_of(const struct attribute *a, const struct queue_info *info)
{
	int64_t n = setting(&info->settings, a);

	if (n == 0 && a->min > 0)
		return a->max;
	return (n + a->unit - 1) / a->unit;
}

static void
write_one(struct sqs_out *o, const struct attribute *a,
    const struct queue_info *info, const json_t *kept)
{
	const struct sqs_map *m = &attribute_map;
	const struct sqs_call *c = o->call;
	char text[SQS_REDRIVE_BYTES];
	const char *value = "";

	switch (a->kind) {
	case NUMBER:
		sqs_out_map_integer(o, m, a->name, number_of(a, info));
		return;
	case COUNT:
		sqs_out_map_integer(o, m, a->name, (int64_t)*(const size_t *)
		    (const void *)((const char *)info + a->offset));
		return;
	case INSTANT:
		sqs_out_map_integer(o, m, a->name, clock_epoch_ms(
		    *(const int64_t *)(const void *)((const char *)info +
		    a->offset)) / MS);
		return;
	case CHOICE:
		value = a->words[setting(&info->settings, a) != 0];
		break;
	case KEPT:
		value = kept_value(a, kept);
		break;
	case ALLOW:
		value = kept_text(kept, a->name);
		break;
	case REDRIVE:
		if (info->dead_letter_queue[0] != '\0' &&
		    info->settings.max_receives > 0)
			value = sqs_redrive_format(c, info, text);
		break;
	case FIFO:
		value = "true";
		break;
	case ARN:
		value = sqs_arn(c->sqs, c->queue, text);
		break;
	}
	if (*value != '\0')
		sqs_out_map_string(o, m, a->name, value);
}

void
sqs_attributes_write(struct sqs_out *o, uint32_t set,
    const struct queue_info *info, const json_t *kept)
{
	const struct attribute *a;

	sqs_out_map(o, &attribute_map);
	for (a = table; a < table + ATTRIBUTES; a++)
		if (set & UINT32_C(1) << (a - table) &&
		    (info->fifo || !a->fifo_only))
			write_one(o, a, info, kept);
	sqs_out_map_end(o);
}
