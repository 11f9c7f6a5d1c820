/* ReceiveMessage. */
#include <sys/types.h>

#include <sha2.h>
#include <string.h>

#include "api/call.h"
#include "api/json_read.h"
#include "api/params.h"
#include "api/sqs_batch.h"
#include "api/sqs_call.h"
#include "api/sqs_fault.h"
#include "api/sqs_receipt.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/id.h"
#include "base/utf8.h"
#include "core/message.h"
#include "http/exchange.h"

#define WAIT_MAX_S	20

/* Which system attributes are asked for. */
enum {
	RECEIVE_COUNT = 1, FIRST_RECEIVE = 2, SENDER = 4, SENT = 8,
	SEQUENCE = 16, DEDUP = 32, GROUP = 64, TRACE = 128, SOURCE = 256,
	ALL = 511
};

static const struct {
	const char *name;
	unsigned bits;
} system_names[] = {
	{ "All", ALL },
	{ "ApproximateReceiveCount", RECEIVE_COUNT },
	{ "ApproximateFirstReceiveTimestamp", FIRST_RECEIVE },
	{ "SenderId", SENDER },
	{ "SentTimestamp", SENT },
	{ "SequenceNumber", SEQUENCE },
	{ "MessageDeduplicationId", DEDUP },
	{ "MessageGroupId", GROUP },
	{ "AWSTraceHeader", TRACE },
	{ "DeadLetterQueueSourceArn", SOURCE },
	/* Those of queues, which AttributeNames had in old models too. */
	{ "Policy", 0 }, { "VisibilityTimeout", 0 },
	{ "MaximumMessageSize", 0 }, { "MessageRetentionPeriod", 0 },
	{ "ApproximateNumberOfMessages", 0 },
	{ "ApproximateNumberOfMessagesNotVisible", 0 },
	{ "ApproximateNumberOfMessagesDelayed", 0 },
	{ "CreatedTimestamp", 0 }, { "LastModifiedTimestamp", 0 },
	{ "QueueArn", 0 }, { "DelaySeconds", 0 },
	{ "ReceiveMessageWaitTimeSeconds", 0 }, { "RedrivePolicy", 0 },
	{ "RedriveAllowPolicy", 0 }, { "FifoQueue", 0 },
	{ "ContentBasedDeduplication", 0 }, { "DeduplicationScope", 0 },
	{ "FifoThroughputLimit", 0 }, { "KmsMasterKeyId", 0 },
	{ "KmsDataKeyReusePeriodSeconds", 0 }, { "SqsManagedSseEnabled", 0 },
};

static const struct sqs_map system_map = { "Attributes", "Attribute",
	"Name" };
static const struct sqs_map values_map = { "MessageAttributes",
	"MessageAttribute", "Name" };

/* The state of a call. */
struct receiving {
	unsigned wanted;		/* system attributes */
	bool all_values;		/* and all message attributes */
	const json_t *values;		/* or those; borrowed from the input */
	struct delivery out[SQS_BATCH_MAX];
};

static bool
read_system_names(struct sqs_call *c, const char *member, unsigned *wanted)
{
	const json_t *names = json_object_get(c->in, member), *name;
	struct text t;
	size_t i, n;

	json_array_foreach(names, i, name) {
		t.data = json_string_value(name);
		t.bytes = json_string_length(name);
		for (n = 0; n < sizeof(system_names) / sizeof(system_names[0]);
		    n++)
			if (strcmp(system_names[n].name, t.data) == 0)
				break;
		if (n == sizeof(system_names) / sizeof(system_names[0]))
			return sqs_fail(c, SQS_INVALID_ATTRIBUTE_NAME,
			    "Unknown Attribute %.*s.", sqs_clip(t), t.data);
		*wanted |= system_names[n].bits;
	}
	return true;
}

/* Does it stand for all message attributes? */
static bool
is_all(const char *pattern)
{
	return strcmp(pattern, "All") == 0 || strcmp(pattern, "*") == 0 ||
	    strcmp(pattern, ".*") == 0;
}

/* Does the name match "name" or "prefix.*"? */
static bool
matches(const char *name, const char *pattern)
{
	size_t n = strlen(pattern);

	if (n >= 2 && strcmp(pattern + n - 2, ".*") == 0)
		return strncmp(name, pattern, n - 2) == 0;
	return strcmp(name, pattern) == 0;
}

static bool
is_wanted(const struct receiving *r, const char *name)
{
	const json_t *pattern;
	size_t i;

	if (r->all_values)
		return true;
	json_array_foreach(r->values, i, pattern)
		if (matches(name, json_string_value(pattern)))
			return true;
	return false;
}

/* A string of what is kept, which JSON may have escaped. */
static void
add_kept(struct sqs_out *o, const char *name, struct text t)
{
	bool no_memory;
	json_t *json;

	if (memchr(t.data, '\\', t.bytes) == NULL) {
		sqs_out_map_text(o, &system_map, name, t.data, t.bytes);
		return;
	}
	/* With its quotes it is JSON. */
	t.data--;
	t.bytes += 2;
	json = json_read(t, &no_memory);
	if (json_is_string(json))
		sqs_out_map_text(o, &system_map, name,
		    json_string_value(json), json_string_length(json));
	else
		o->buf->failed = true;
	json_decref(json);
}

/* The MessageDeduplicationId, which may not have been given by its sender. */
static void
add_dedup(struct sqs_out *o, const struct delivery *d, struct text given)
{
	const struct message *m = d->message;
	char id[ID_TEXT_BYTES], hash[SHA256_DIGEST_STRING_LENGTH];
	SHA2_CTX sha;

	if (d->is_dead) {
		id_format(&d->id, id);
		sqs_out_map_text(o, &system_map, "MessageDeduplicationId", id,
		    sizeof(id));
		return;
	}
	if (given.data != NULL) {
		add_kept(o, "MessageDeduplicationId", given);
		return;
	}
	SHA256Init(&sha);
	SHA256Update(&sha, (const uint8_t *)message_body(m), m->body_bytes);
	SHA256End(&sha, hash);
	sqs_out_map_string(o, &system_map, "MessageDeduplicationId", hash);
}

/* Which of those that are asked for the message has. */
static unsigned
those_it_has(const struct sqs_call *c, const struct delivery *d,
    const struct sqs_kept *kept, unsigned wanted)
{
	size_t bytes;

	if (!sqs_is_fifo(c))
		wanted &= ~(unsigned)(SEQUENCE | DEDUP);
	if (message_group(d->message, &bytes) == NULL)
		wanted &= ~(unsigned)GROUP;
	if (kept->trace.data == NULL)
		wanted &= ~(unsigned)TRACE;
	/* Not one that has become it since, nor been redriven. */
	if (!d->is_dead || message_dead_letter(d->message) == NULL)
		wanted &= ~(unsigned)SOURCE;
	return wanted;
}

/* A group of before the native API asked for UTF-8 may be no text. */
static void
add_group(struct sqs_out *o, const char *group, size_t bytes)
{
	struct buf b;
	size_t i, n;

	if (utf8_is_valid(group, bytes)) {
		sqs_out_map_text(o, &system_map, "MessageGroupId", group,
		    bytes);
		return;
	}
	buf_init(&b);
	for (i = 0; i < bytes; i += n) {
		if ((n = utf8_bytes(group + i, bytes - i)) > 0) {
			buf_add(&b, group + i, n);
			continue;
		}
		n = 1;
		buf_add_str(&b, "\xef\xbf\xbd");	/* U+FFFD */
	}
	if (b.failed)
		o->buf->failed = true;
	else
		sqs_out_map_text(o, &system_map, "MessageGroupId", b.data,
		    b.bytes);
	buf_fini(&b);
}

/* Those that are text. */
static void
add_texts(struct sqs_out *o, const struct delivery *d,
    const struct sqs_kept *kept, unsigned has)
{
	const struct message *m = d->message;
	char number[SQS_SEQUENCE_BYTES], arn[SQS_ARN_BYTES];
	const char *group;
	size_t bytes;

	if (has & SENDER)
		sqs_out_map_string(o, &system_map, "SenderId",
		    o->call->sqs->config->sqs_account);
	if (has & SEQUENCE) {
		sqs_sequence(d->pushed_ns, number);
		sqs_out_map_text(o, &system_map, "SequenceNumber", number,
		    sizeof(number));
	}
	if (has & DEDUP)
		add_dedup(o, d, kept->dedup);
	if (has & GROUP) {
		group = message_group(m, &bytes);
		add_group(o, group, bytes);
	}
	if (has & TRACE)
		add_kept(o, "AWSTraceHeader", kept->trace);
	if (has & SOURCE)
		sqs_out_map_string(o, &system_map, "DeadLetterQueueSourceArn",
		    sqs_arn(o->call->sqs, message_dead_letter(m)->queue, arn));
}

static void
add_system(struct sqs_out *o, const struct delivery *d,
    const struct sqs_kept *kept, unsigned wanted)
{
	unsigned has = those_it_has(o->call, d, kept, wanted);

	if (has == 0)
		return;
	sqs_out_map(o, &system_map);
	if (has & RECEIVE_COUNT)
		sqs_out_map_integer(o, &system_map, "ApproximateReceiveCount",
		    d->receives);
	if (has & FIRST_RECEIVE)
		sqs_out_map_integer(o, &system_map,
		    "ApproximateFirstReceiveTimestamp",
		    clock_epoch_ms(d->first_received_ns));
	if (has & SENT)
		sqs_out_map_integer(o, &system_map, "SentTimestamp",
		    clock_epoch_ms(d->pushed_ns));
	add_texts(o, d, kept, has);
	sqs_out_map_end(o);
}

/* Those message attributes that are asked for, built anew. */
static void
add_selected(struct sqs_out *o, const struct receiving *r, json_t *all)
{
	struct sqs_value values[SQS_VALUES_MAX];
	char md5[SQS_MD5_BYTES];
	size_t i, count = 0;
	const char *name;
	json_t *json;

	json_object_foreach(all, name, json)
		if (count < SQS_VALUES_MAX && is_wanted(r, name))
			sqs_value_get(name, json, &values[count++]);
	if (count == 0)
		return;
	sqs_md5_values(values, count, md5);
	sqs_out_text(o, "MD5OfMessageAttributes", md5, sizeof(md5));
	sqs_out_map(o, &values_map);
	for (i = 0; i < count; i++) {
		sqs_out_map_entry(o, &values_map, values[i].name.data,
		    values[i].name.bytes);
		sqs_out_text(o, values[i].is_binary ? "BinaryValue" :
		    "StringValue", values[i].value.data,
		    values[i].value.bytes);
		sqs_out_text(o, "DataType", values[i].type.data,
		    values[i].type.bytes);
		sqs_out_map_entry_end(o, &values_map);
	}
	sqs_out_map_end(o);
}

static void
add_values(struct sqs_out *o, const struct receiving *r,
    const struct sqs_kept *kept)
{
	bool no_memory;
	json_t *all;

	if (kept->values.data == NULL ||
	    (!r->all_values && json_array_size(r->values) == 0))
		return;
	if (r->all_values && !o->xml && kept->md5.bytes == SQS_MD5_BYTES) {
		sqs_out_text(o, "MD5OfMessageAttributes", kept->md5.data,
		    kept->md5.bytes);
		sqs_out_json(o, "MessageAttributes", kept->values.data,
		    kept->values.bytes);
		return;
	}
	all = json_read(kept->values, &no_memory);
	if (all == NULL)
		o->buf->failed = true;
	else
		add_selected(o, r, all);
	json_decref(all);
}

static void
add_message(struct sqs_out *o, const struct receiving *r,
    const struct delivery *d)
{
	char id[ID_TEXT_BYTES], handle[SQS_RECEIPT_BYTES], md5[SQS_MD5_BYTES];
	struct text body = { message_body(d->message),
	    d->message->body_bytes };
	struct sqs_kept kept;
	struct text t;

	t.data = message_attributes(d->message, &t.bytes);
	if (t.data != NULL)
		sqs_kept_find(t, &kept);
	else
		memset(&kept, 0, sizeof(kept));
	id_format(&d->id, id);
	sqs_receipt_format(d, o->call->queue, handle);
	sqs_md5_text(body, md5);
	sqs_out_item(o, "Message");
	sqs_out_text(o, "MessageId", id, sizeof(id));
	sqs_out_text(o, "ReceiptHandle", handle, sizeof(handle));
	sqs_out_text(o, "MD5OfBody", md5, sizeof(md5));
	sqs_out_text(o, "Body", body.data, body.bytes);
	add_system(o, d, &kept, r->wanted);
	add_values(o, r, &kept);
	sqs_out_item_end(o, "Message");
}

static void
unref_all(const struct delivery *d, size_t count)
{
	while (count-- > 0)
		message_unref(d[count].message);
}

static void
release_done(struct op *op, void *arg)
{
	unref_all(op->release.deliveries, op->release.count);
	sqs_call_free(arg);
}

/* False: what was received did not reach the client. */
static bool
answer(struct sqs_call *c, const struct receiving *r, size_t count)
{
	struct sqs_out o;
	size_t i;

	if (c->x == NULL)
		return false;
	sqs_out_begin(&o, c);
	if (count > 0)
		sqs_out_list(&o, "Messages");
	for (i = 0; i < count; i++)
		add_message(&o, r, &r->out[i]);
	if (count > 0)
		sqs_out_list_end(&o);
	return sqs_out_send(&o);
}

static void
receive_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;
	struct receiving *r = c->state;
	size_t count = op->receive.count;

	if (op->status != WQ_OK)
		sqs_fail_status(c, op);
	else if (op->receive.over_limit && count == 0 &&
	    op->receive.wait_ms == 0 && !sqs_is_fifo(c))
		sqs_fail(c, SQS_OVER_LIMIT, "The maximum number of in flight "
		    "messages is reached; delete some first.");
	else if (!answer(c, r, count) && count > 0) {
		/* As if they had not been given out. */
		c->op.release.deliveries = r->out;
		c->op.release.count = count;
		sqs_submit(c, OP_RELEASE, release_done);
		return;
	}
	unref_all(r->out, count);
	sqs_call_free(c);
}

/* What the call asks for; false: it was answered. */
static bool
read_input(struct sqs_call *c, struct receiving *r)
{
	struct op_receive *receive = &c->op.receive;
	int64_t max = 1, lock_s = -1, wait_s = -1;
	const json_t *pattern;
	size_t i;

	if (!sqs_integer_within(c, "MaxNumberOfMessages", 1, SQS_BATCH_MAX,
	    &max) || !sqs_integer_within(c, "VisibilityTimeout", 0,
	    PARAM_LOCK_MAX_MS / 1000, &lock_s) ||
	    !sqs_integer_within(c, "WaitTimeSeconds", 0, WAIT_MAX_S,
	    &wait_s) || !read_system_names(c, "AttributeNames", &r->wanted) ||
	    !read_system_names(c, "MessageSystemAttributeNames", &r->wanted))
		return false;
	r->values = json_object_get(c->in, "MessageAttributeNames");
	json_array_foreach(r->values, i, pattern)
		r->all_values = r->all_values ||
		    is_all(json_string_value(pattern));
	receive->max = (size_t)max;
	receive->max_bytes = CALL_BODIES_MAX_BYTES;
	receive->lock_ms = lock_s >= 0 ? lock_s * 1000 : -1;
	receive->wait_ms = wait_s >= 0 ? wait_s * 1000 : -1;
	receive->out = r->out;
	return true;
}

/* Only a FIFO queue knows a receive again. */
static bool
read_attempt(struct sqs_call *c)
{
	struct text t = sqs_text(c->in, "ReceiveRequestAttemptId");
	struct sqs_fault f;

	if (!sqs_is_fifo(c) || t.data == NULL)
		return true;
	if (sqs_message_id_check("ReceiveRequestAttemptId", t, &f) == -1)
		return sqs_fail(c, f.error, "%s", f.detail);
	c->op.receive.attempt = t.data;
	c->op.receive.attempt_bytes = t.bytes;
	return true;
}

bool
sqs_receive(struct sqs_call *c)
{
	struct receiving *r;

	if (!sqs_call_alloc(c, sizeof(*r)))
		return false;
	r = c->state;
	if (!read_input(c, r) || !read_attempt(c))
		return false;
	if (exchange_unsent_bytes(c->x) > CALL_UNSENT_MAX_BYTES)
		return sqs_fail(c, SQS_THROTTLED, "Too many clients do not "
		    "read their answers; try again.");
	if (c->op.receive.wait_ms != 0)
		exchange_is_wait(c->x);
	return sqs_submit(c, OP_RECEIVE, receive_done);
}
