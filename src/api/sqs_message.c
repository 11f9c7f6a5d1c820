/* Messages of SQS: their rules, their size, and what is kept of them. */
#include "api/sqs_message.h"

#include <stdlib.h>
#include <string.h>

#include "api/json_scan.h"
#include "api/sqs_fault.h"
#include "api/sqs_input.h"
#include "api/sqs_output.h"
#include "base/buf.h"

#define ID_MAX_BYTES	128
#define DELAY_MAX_S	900
#define TRACE_MAX_BYTES	8192	/* as of a header: no size counts it */
#define NOT_HERE	"The request include parameter that is not valid for " \
	"this queue type"

int
sqs_message_id_check(const char *name, struct text id, struct sqs_fault *f)
{
	size_t i;

	for (i = 0; i < id.bytes && id.data[i] > ' ' && id.data[i] < 0x7f; i++)
		;
	if (id.data == NULL || (i == id.bytes && i > 0 && i <= ID_MAX_BYTES))
		return 0;
	return sqs_fault_set(f, SQS_INVALID_PARAMETER, "Value %.*s for "
	    "parameter %s is invalid. Reason: %s can only include "
	    "alphanumeric and punctuation characters. 1 to %d in length.",
	    sqs_clip(id), id.data, name, name, ID_MAX_BYTES);
}

static int
read_ids(const json_t *in, bool fifo, struct sqs_message *m,
    struct sqs_fault *f)
{
	m->group = sqs_text(in, "MessageGroupId");
	m->dedup = sqs_text(in, "MessageDeduplicationId");
	if (fifo && m->group.bytes == 0)
		return sqs_fault_missing(f, "MessageGroupId");
	if (!fifo && m->dedup.data != NULL)
		return sqs_fault_value(f, "MessageDeduplicationId", m->dedup,
		    NOT_HERE);
	if (sqs_message_id_check("MessageGroupId", m->group, f) == -1)
		return -1;
	return sqs_message_id_check("MessageDeduplicationId", m->dedup, f);
}

static int
read_delay(const json_t *in, bool fifo, struct sqs_message *m,
    struct sqs_fault *f)
{
	int64_t s;

	m->delay_ms = -1;
	if (!sqs_integer(in, "DelaySeconds", &s))
		return 0;
	if (s < 0 || s > DELAY_MAX_S)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "Value %lld "
		    "for parameter DelaySeconds is invalid. Reason: "
		    "DelaySeconds must be >= 0 and <= %d.", (long long)s,
		    DELAY_MAX_S);
	if (fifo && s > 0)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "Value %lld "
		    "for parameter DelaySeconds is invalid. Reason: " NOT_HERE
		    ".", (long long)s);
	/* In a FIFO queue 0 is as good as nothing. */
	if (!fifo)
		m->delay_ms = s * 1000;
	return 0;
}

static int
read_body(const json_t *in, struct sqs_message *m, struct sqs_fault *f)
{
	m->body = sqs_text(in, "MessageBody");
	if (m->body.bytes == 0)
		return sqs_fault_missing(f, "MessageBody");
	if (!sqs_text_is_good(m->body))
		return sqs_fault_set(f, SQS_INVALID_CONTENTS, "Invalid "
		    "characters were found in the message body; "
		    SQS_CHARACTERS);
	m->sent_bytes = m->body.bytes;
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	const struct sqs_value *x = a, *y = b;

	return strcmp(x->name.data, y->name.data);
}

/* All attributes, in the order of their names. */
static int
read_values(const json_t *in, struct sqs_value *values, size_t *count,
    struct sqs_fault *f)
{
	json_t *map = json_object_get(in, "MessageAttributes"), *json;
	const char *name;

	*count = 0;
	if (json_object_size(map) > SQS_VALUES_MAX)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "Number of "
		    "message attributes [%zu] exceeds the allowed maximum "
		    "[%d].", json_object_size(map), SQS_VALUES_MAX);
	json_object_foreach(map, name, json)
		if (sqs_value_read(name, json, &values[(*count)++], f) == -1)
			return -1;
	qsort(values, *count, sizeof(*values), compare_names);
	return 0;
}

/* The only system attribute that can be sent. */
static int
read_trace(const json_t *in, struct sqs_value *trace, struct sqs_fault *f)
{
	json_t *map = json_object_get(in, "MessageSystemAttributes"), *json;
	const char *name;

	json_object_foreach(map, name, json) {
		struct text given = { name, strlen(name) };

		if (strcmp(name, "AWSTraceHeader") != 0)
			return sqs_fault_value(f, "MessageSystemAttributes",
			    given, "Only AWSTraceHeader can be sent");
		sqs_value_get(name, json, trace);
		if (trace->type.data == NULL ||
		    strcmp(trace->type.data, "String") != 0)
			return sqs_fault_set(f, SQS_INVALID_PARAMETER,
			    "The message system attribute 'AWSTraceHeader' "
			    "must be of type String.");
		if (trace->value.bytes == 0 ||
		    trace->value.bytes > TRACE_MAX_BYTES ||
		    !sqs_text_is_good(trace->value))
			return sqs_fault_set(f, SQS_INVALID_PARAMETER,
			    "The message system attribute 'AWSTraceHeader' "
			    "must contain a non-empty value of valid "
			    "characters, at most %d bytes.", TRACE_MAX_BYTES);
	}
	return 0;
}

/* "name":"text", and what stands before it. */
static void
keep_text(struct buf *out, const char *before, const char *name,
    struct text text)
{
	buf_add_str(out, before);
	buf_add_str(out, "\"");
	buf_add_str(out, name);
	buf_add_str(out, "\":\"");
	sqs_json_text(out, text.data, text.bytes);
	buf_add_str(out, "\"");
}

static void
keep_values(struct buf *out, const struct sqs_value *v, size_t count)
{
	size_t i;

	buf_add_str(out, "\"MessageAttributes\":{");
	for (i = 0; i < count; i++) {
		/* A name has nothing that JSON escapes. */
		buf_add_str(out, i > 0 ? ",\"" : "\"");
		buf_add(out, v[i].name.data, v[i].name.bytes);
		buf_add_str(out, "\":");
		keep_text(out, "{", "DataType", v[i].type);
		keep_text(out, ",", v[i].is_binary ? "BinaryValue" :
		    "StringValue", v[i].value);
		buf_add_str(out, "}");
	}
	buf_add_str(out, "}");
}

/* See sqs_message.h for what is kept. */
static void
keep(struct buf *out, const struct sqs_message *m, const struct text *trace,
    const struct sqs_value *values, size_t count)
{
	struct text md5 = { m->values_md5, SQS_MD5_BYTES };
	const char *before = "{";

	if (m->dedup.data != NULL) {
		keep_text(out, before, "MessageDeduplicationId", m->dedup);
		before = ",";
	}
	if (trace->data != NULL) {
		keep_text(out, before, "AWSTraceHeader", *trace);
		before = ",";
	}
	if (m->has_values) {
		keep_text(out, before, "MD5OfMessageAttributes", md5);
		buf_add_str(out, ",");
		keep_values(out, values, count);
	}
	buf_add_str(out, "}");
}

static int
read_attributes(const json_t *in, struct text traced, struct sqs_message *m,
    struct buf *kept, struct sqs_fault *f)
{
	struct sqs_value values[SQS_VALUES_MAX], trace = { .is_binary = false };
	size_t count, i, before = kept->bytes;

	if (read_values(in, values, &count, f) == -1 ||
	    read_trace(in, &trace, f) == -1)
		return -1;
	for (i = 0; i < count; i++)
		m->sent_bytes += sqs_value_bytes(&values[i]);
	m->has_values = count > 0;
	m->has_system = trace.value.data != NULL;
	if (m->has_values)
		sqs_md5_values(values, count, m->values_md5);
	if (m->has_system)
		sqs_md5_values(&trace, 1, m->system_md5);
	else
		trace.value = traced;
	if (m->has_values || trace.value.data != NULL || m->dedup.data != NULL)
		keep(kept, m, &trace.value, values, count);
	m->kept_bytes = kept->bytes - before;
	return 0;
}

int
sqs_message_read(const json_t *in, bool fifo, struct text traced,
    struct sqs_message *m, struct buf *kept, struct sqs_fault *f)
{
	memset(m, 0, offsetof(struct sqs_message, body_md5));
	if (read_body(in, m, f) == -1 || read_delay(in, fifo, m, f) == -1 ||
	    read_ids(in, fifo, m, f) == -1 ||
	    read_attributes(in, traced, m, kept, f) == -1)
		return -1;
	if (m->sent_bytes > SQS_MESSAGE_MAX_BYTES)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "One or more "
		    "parameters are invalid. Reason: Message must be shorter "
		    "than %d bytes.", SQS_MESSAGE_MAX_BYTES);
	m->is_text = !json_scan(m->body.data, m->body.bytes, NULL);
	sqs_md5_text(m->body, m->body_md5);
	return 0;
}

/* The end of a string that begins at p, which is behind its quote. */
static const char *
string_end(const char *p, const char *end)
{
	while (p < end && *p != '"')
		p += *p == '\\' ? 2 : 1;
	return p < end ? p : end;
}

/* Which member of kept a name is; NULL: none. */
static struct text *
member(struct sqs_kept *kept, const char *name, size_t bytes)
{
	const struct {
		const char *name;
		struct text *to;
	} members[] = {
		{ "MessageDeduplicationId", &kept->dedup },
		{ "AWSTraceHeader", &kept->trace },
		{ "MD5OfMessageAttributes", &kept->md5 },
	};
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (strlen(members[i].name) == bytes &&
		    memcmp(members[i].name, name, bytes) == 0)
			return members[i].to;
	return NULL;
}

void
sqs_kept_find(struct text t, struct sqs_kept *out)
{
	const char *p = t.data, *end = p + t.bytes, *name, *to;
	struct text *found;

	memset(out, 0, sizeof(*out));
	/* p is at what stands before a member's name. */
	while (end - p > 2 && p[1] == '"') {
		name = p + 2;
		to = string_end(name, end);
		if (end - to < 4 || to[1] != ':')
			return;
		if (to[2] == '{') {
			/* The last one: all but the object's own end. */
			out->values.data = to + 2;
			out->values.bytes = (size_t)(end - to - 3);
			return;
		}
		found = member(out, name, (size_t)(to - name));
		name = to + 3;
		p = string_end(name, end);
		if (found != NULL) {
			found->data = name;
			found->bytes = (size_t)(p - name);
		}
		p += p < end;
	}
}
