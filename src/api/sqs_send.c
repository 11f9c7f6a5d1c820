/* SendMessage and SendMessageBatch. */
#include <string.h>

#include "api/sqs_batch.h"
#include "api/sqs_call.h"
#include "api/sqs_fault.h"
#include "api/sqs_message.h"
#include "base/buf.h"
#include "base/mem.h"
#include "http/exchange.h"

/* The state of a SendMessage; what is kept beside the body is behind it. */
struct sending {
	struct sqs_message message;
	struct op_body body;
};

/* The arguments of m's push. */
static void
set_push(struct op *op, struct sqs_message *m, struct op_body *b,
    const char *kept)
{
	struct op_push *push = &op->push;

	b->data = m->body.data;
	b->bytes = m->body.bytes;
	b->is_text = m->is_text;
	b->attributes = m->kept_bytes > 0 ? kept : NULL;
	b->attributes_bytes = m->kept_bytes;
	b->sent_bytes = m->sent_bytes;
	push->bodies = b;
	push->count = 1;
	push->delay_ms = m->delay_ms;
	push->lock_ms = push->ttl_ms = -1;
	push->group = m->group.data;
	push->group_bytes = m->group.bytes;
	push->dedup = m->dedup.data;
	push->dedup_bytes = m->dedup.bytes;
	push->no_create = push->needs_key = true;
}

/* The result of m's push. */
static void
add_result(struct sqs_out *o, const struct sqs_message *m,
    const struct op_body *b)
{
	char id[ID_TEXT_BYTES], number[SQS_SEQUENCE_BYTES];

	id_format(&b->id, id);
	sqs_out_text(o, "MessageId", id, sizeof(id));
	sqs_out_text(o, "MD5OfMessageBody", m->body_md5, SQS_MD5_BYTES);
	if (m->has_values)
		sqs_out_text(o, "MD5OfMessageAttributes", m->values_md5,
		    SQS_MD5_BYTES);
	if (m->has_system)
		sqs_out_text(o, "MD5OfMessageSystemAttributes", m->system_md5,
		    SQS_MD5_BYTES);
	if (sqs_is_fifo(o->call) && b->pushed_ns != 0) {
		sqs_sequence(b->pushed_ns, number);
		sqs_out_text(o, "SequenceNumber", number, sizeof(number));
	}
}

static void
send_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;
	struct sending *s = c->state;
	struct sqs_out o;

	if (op->status != WQ_OK)
		sqs_fail_status(c, op);
	else if (c->x != NULL) {
		sqs_out_begin(&o, c);
		add_result(&o, &s->message, &s->body);
		sqs_out_send(&o);
	}
	sqs_call_free(c);
}

/* X-Ray's header goes on with the messages that it came with. */
static struct text
trace_header(const struct sqs_call *c)
{
	struct text t = exchange_header(c->x, "X-Amzn-Trace-Id");
	size_t i;

	for (i = 0; i < t.bytes; i++)
		if (t.data[i] < ' ' || t.data[i] >= 0x7f)
			break;
	if (t.bytes == 0 || i < t.bytes)
		t.data = NULL;
	return t;
}

/* Put what is kept behind the call's state; false: it was answered. */
static bool
add_kept(struct sqs_call *c, size_t state_bytes, const struct buf *kept)
{
	void *state;

	if (kept->failed)
		return sqs_fail_memory(c);
	if (kept->bytes == 0)
		return true;
	state = mem_realloc(c->state, state_bytes + kept->bytes);
	if (state == NULL)
		return sqs_fail_memory(c);
	memcpy((char *)state + state_bytes, kept->data, kept->bytes);
	c->state = state;
	return true;
}

bool
sqs_send(struct sqs_call *c)
{
	struct sqs_fault fault;
	struct sending *s;
	struct buf kept;
	bool good;

	if (!sqs_call_alloc(c, sizeof(*s)))
		return false;
	s = c->state;
	buf_init(&kept);
	if (sqs_message_read(c->in, sqs_is_fifo(c), trace_header(c),
	    &s->message, &kept, &fault) == -1)
		good = sqs_fail(c, fault.error, "%s", fault.detail);
	else
		good = add_kept(c, sizeof(*s), &kept);
	buf_fini(&kept);
	if (!good)
		return false;
	s = c->state;
	set_push(&c->op, &s->message, &s->body, (const char *)(s + 1));
	return sqs_submit(c, OP_PUSH, send_done);
}

static void
entry_result(struct sqs_out *o, const struct sqs_entry *e)
{
	add_result(o, &e->message, &e->body);
}

static int
entry_settle(const struct sqs_call *c, struct sqs_entry *e)
{
	if (e->op.status == WQ_OK)
		return 0;
	sqs_fault_status(c, &e->op, &e->fault);
	return -1;
}

static const struct sqs_batch_kind kind = {
	.verb = OP_PUSH,
	.entry = "SendMessageBatchRequestEntry",
	.result = "SendMessageBatchResultEntry",
	.settle = entry_settle,
	.add = entry_result,
};

/* Where one has no MessageGroupId, SQS refuses all of them. */
static bool
check_groups(struct sqs_call *c, const struct sqs_batch *batch)
{
	size_t i;

	if (!sqs_is_fifo(c))
		return true;
	for (i = 0; i < batch->count; i++)
		if (sqs_text(batch->entries[i].in,
		    "MessageGroupId").bytes == 0)
			return sqs_fail(c, SQS_INVALID_PARAMETER, "The request "
			    "must contain the parameter MessageGroupId.");
	return true;
}

/* Read all entries; false: the whole was answered. */
static bool
read_entries(struct sqs_call *c, struct sqs_batch *batch, struct buf *kept)
{
	struct sqs_entry *e = batch->entries, *end = e + batch->count;
	struct text traced = trace_header(c);
	size_t bytes = 0;

	for (; e < end; e++) {
		e->has_failed = sqs_message_read(e->in, sqs_is_fifo(c),
		    traced, &e->message, kept, &e->fault) == -1;
		bytes += e->message.sent_bytes;
	}
	if (bytes > SQS_MESSAGE_MAX_BYTES)
		return sqs_fail(c, SQS_BATCH_TOO_LONG, "Batch requests cannot "
		    "be longer than %d bytes. You have sent %zu bytes.",
		    SQS_MESSAGE_MAX_BYTES, bytes);
	return add_kept(c, sqs_batch_bytes(batch), kept);
}

/* Does one need to be known by its content? */
static bool
has_no_dedup(const struct sqs_batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count; i++)
		if (!batch->entries[i].has_failed &&
		    batch->entries[i].message.dedup.data == NULL)
			return true;
	return false;
}

static void
info_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;
	bool by_content = false;

	if (op->status == WQ_OK) {
		by_content = op->info.settings.content_based_dedup != 0;
		queue_info_fini(&op->info);
	}
	c->is_submitted = false;
	if (op->status != WQ_OK)
		sqs_fail_status(c, op);
	else if (!by_content)
		sqs_fail(c, SQS_INVALID_PARAMETER, "The queue should either "
		    "have ContentBasedDeduplication enabled or "
		    "MessageDeduplicationId provided explicitly");
	else {
		sqs_batch_submit(c);
		return;
	}
	sqs_call_free(c);
}

bool
sqs_send_batch(struct sqs_call *c)
{
	struct sqs_batch *batch;
	const char *kept_at;
	struct buf kept;
	size_t i;
	bool good;

	if (!sqs_batch_new(c, &kind) || !check_groups(c, c->state))
		return false;
	buf_init(&kept);
	good = read_entries(c, c->state, &kept);
	buf_fini(&kept);
	if (!good)
		return false;
	batch = c->state;
	kept_at = (const char *)batch + sqs_batch_bytes(batch);
	for (i = 0; i < batch->count; i++) {
		set_push(&batch->entries[i].op, &batch->entries[i].message,
		    &batch->entries[i].body, kept_at);
		kept_at += batch->entries[i].message.kept_bytes;
	}
	if (sqs_is_fifo(c) && has_no_dedup(batch))
		return sqs_submit(c, OP_INFO, info_done);
	return sqs_batch_submit(c);
}
