/* DeleteMessage and ChangeMessageVisibility, of one message and of several. */
#include <string.h>

#include "api/params.h"
#include "api/sqs_batch.h"
#include "api/sqs_call.h"
#include "api/sqs_fault.h"
#include "api/sqs_receipt.h"

#define LOCK_MAX_S	(PARAM_LOCK_MAX_MS / 1000)

/* Which receive of which message a ReceiptHandle names. */
static int
read_receipt(const json_t *in, const char *queue, struct id *id,
    struct op_receipt *receipt, struct sqs_fault *f)
{
	struct text t = sqs_text(in, "ReceiptHandle");

	if (t.bytes == 0)
		return sqs_fault_missing(f, "ReceiptHandle");
	switch (sqs_receipt_parse(t.data, t.bytes, queue, id, receipt)) {
	case SQS_RECEIPT_GOOD:
		break;
	case SQS_RECEIPT_BAD:
		return sqs_fault_set(f, SQS_RECEIPT_INVALID, "The input "
		    "receipt handle \"%.*s\" is not a valid receipt handle.",
		    sqs_clip(t), t.data);
	case SQS_RECEIPT_STRANGE:
		return sqs_fault_set(f, SQS_RECEIPT_INVALID, "The receipt "
		    "handle \"%.*s\" is not valid for this queue.",
		    sqs_clip(t), t.data);
	}
	return 0;
}

/* The arguments of a delete. */
static int
read_delete(const struct sqs_call *c, const json_t *in, struct op *op,
    struct sqs_fault *f)
{
	struct op_confirm *confirm = &op->confirm;

	confirm->while_locked = sqs_is_fifo(c);
	confirm->even_dead = !confirm->while_locked;
	return read_receipt(in, c->queue, &confirm->id, &confirm->receipt, f);
}

/* The arguments of a change of the visibility. */
static int
read_change(const struct sqs_call *c, const json_t *in, struct op *op,
    struct sqs_fault *f)
{
	struct op_extend *extend = &op->extend;
	int64_t s;

	if (read_receipt(in, c->queue, &extend->id, &extend->receipt, f) ==
	    -1)
		return -1;
	if (!sqs_integer(in, "VisibilityTimeout", &s))
		return sqs_fault_missing(f, "VisibilityTimeout");
	if (s < 0 || s > LOCK_MAX_S)
		return sqs_fault_set(f, SQS_INVALID_PARAMETER, "Value %lld "
		    "for parameter VisibilityTimeout is invalid. Reason: Must "
		    "be >= 0 and <= %lld, if provided.", (long long)s,
		    (long long)LOCK_MAX_S);
	extend->lock_ms = s * 1000;
	extend->max_total_ms = PARAM_LOCK_MAX_MS;
	return 0;
}

/* What became of a delete; -1: f says what. */
static int
settle_delete(const struct sqs_call *c, const json_t *in, const struct op *op,
    struct sqs_fault *f)
{
	/* One that is gone, or was received since, is none of theirs now. */
	if (op->status == WQ_OK || op->status == WQ_NO_MESSAGE)
		return 0;
	if (op->status != WQ_STALE_RECEIPT && op->status != WQ_NOT_LOCKED) {
		sqs_fault_status(c, op, f);
		return -1;
	}
	if (!sqs_is_fifo(c))
		return 0;
	return sqs_fault_value(f, "ReceiptHandle", sqs_text(in,
	    "ReceiptHandle"), "The receipt handle has expired");
}

static int
settle_change(const struct sqs_call *c, const json_t *in, const struct op *op,
    struct sqs_fault *f)
{
	struct text handle = sqs_text(in, "ReceiptHandle");

	if (op->status == WQ_OK)
		return 0;
	if (sqs_is_fifo(c) && (op->status == WQ_STALE_RECEIPT ||
	    op->status == WQ_NOT_LOCKED))
		return sqs_fault_value(f, "ReceiptHandle", handle,
		    "The receipt handle has expired");
	if (op->status == WQ_STALE_RECEIPT || op->status == WQ_NO_MESSAGE)
		return sqs_fault_value(f, "ReceiptHandle", handle, "Message "
		    "does not exist or is not available for visibility "
		    "timeout change");
	sqs_fault_status(c, op, f);
	return -1;
}

/* Of both actions with one message. */
static void
one_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;
	struct sqs_fault f;

	if (c->x == NULL)
		;
	else if ((op->verb == OP_EXTEND ? settle_change(c, c->in, op, &f) :
	    settle_delete(c, c->in, op, &f)) == -1)
		sqs_fail(c, f.error, "%s", f.detail);
	else
		sqs_out_nothing(c);
	sqs_call_free(c);
}

bool
sqs_delete_message(struct sqs_call *c)
{
	struct sqs_fault f;

	if (read_delete(c, c->in, &c->op, &f) == -1)
		return sqs_fail(c, f.error, "%s", f.detail);
	return sqs_submit(c, OP_CONFIRM, one_done);
}

bool
sqs_change_visibility(struct sqs_call *c)
{
	struct sqs_fault f;

	if (read_change(c, c->in, &c->op, &f) == -1)
		return sqs_fail(c, f.error, "%s", f.detail);
	return sqs_submit(c, OP_EXTEND, one_done);
}

static int
delete_settle(const struct sqs_call *c, struct sqs_entry *e)
{
	return settle_delete(c, e->in, &e->op, &e->fault);
}

static int
change_settle(const struct sqs_call *c, struct sqs_entry *e)
{
	return settle_change(c, e->in, &e->op, &e->fault);
}

static bool
many(struct sqs_call *c, const struct sqs_batch_kind *kind)
{
	struct sqs_batch *batch;
	struct sqs_entry *e;
	size_t i;

	if (!sqs_batch_new(c, kind))
		return false;
	batch = c->state;
	for (i = 0; i < batch->count; i++) {
		e = &batch->entries[i];
		e->has_failed = (kind->verb == OP_EXTEND ?
		    read_change(c, e->in, &e->op, &e->fault) :
		    read_delete(c, e->in, &e->op, &e->fault)) == -1;
	}
	return sqs_batch_submit(c);
}

bool
sqs_delete_message_batch(struct sqs_call *c)
{
	static const struct sqs_batch_kind kind = {
		.verb = OP_CONFIRM,
		.entry = "DeleteMessageBatchRequestEntry",
		.result = "DeleteMessageBatchResultEntry",
		.settle = delete_settle,
	};

	return many(c, &kind);
}

bool
sqs_change_visibility_batch(struct sqs_call *c)
{
	static const struct sqs_batch_kind kind = {
		.verb = OP_EXTEND,
		.entry = "ChangeMessageVisibilityBatchRequestEntry",
		.result = "ChangeMessageVisibilityBatchResultEntry",
		.settle = change_settle,
	};

	return many(c, &kind);
}
