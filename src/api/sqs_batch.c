/*
 * Batches.  Each entry is an op of its own; they are submitted one after the
 * other in the same turn, so they take effect in their order, and a durable
 * store commits them together.
 */
#include "api/sqs_batch.h"

#include <string.h>

#include "api/sqs_call.h"
#include "api/sqs_fault.h"
#include "backend/backend.h"
#include "base/name.h"

bool
sqs_is_fifo(const struct sqs_call *c)
{
	return queue_name_is_fifo(c->queue, strlen(c->queue));
}

void
sqs_sequence(int64_t pushed_ns, char out[SQS_SEQUENCE_BYTES])
{
	size_t i;

	/* Nanoseconds since 1970 have 19 digits until the year 2286. */
	for (i = SQS_SEQUENCE_BYTES; i-- > 1; pushed_ns /= 10)
		out[i] = (char)('0' + pushed_ns % 10);
	out[0] = '1';
}

size_t
sqs_batch_bytes(const struct sqs_batch *batch)
{
	return sizeof(*batch) + batch->count * sizeof(batch->entries[0]);
}

static bool
check_count(struct sqs_call *c, const struct sqs_batch_kind *kind,
    size_t count)
{
	if (count == 0)
		return sqs_fail(c, SQS_EMPTY_BATCH, "There should be at least "
		    "one %s in the request.", kind->entry);
	if (count > SQS_BATCH_MAX)
		return sqs_fail(c, SQS_TOO_MANY_ENTRIES, "Maximum number of "
		    "entries per request are %d. You have sent %zu.",
		    SQS_BATCH_MAX, count);
	return true;
}

/* The ids of all entries: their form, and that no two are the same. */
static bool
check_ids(struct sqs_call *c, const struct sqs_batch *batch)
{
	const struct sqs_entry *e;
	size_t i, j;

	for (i = 0; i < batch->count; i++) {
		e = &batch->entries[i];
		if (e->id.data == NULL)
			return sqs_fail(c, SQS_MISSING_PARAMETER, "The request "
			    "must contain the parameter %s.%zu.Id.",
			    batch->kind->entry, i + 1);
		if (!name_is_plain(e->id.data, e->id.bytes))
			return sqs_fail(c, SQS_INVALID_BATCH_ID, "A batch "
			    "entry id can only contain alphanumeric "
			    "characters, hyphens and underscores. It can be "
			    "at most %d letters long.", NAME_MAX_BYTES);
		for (j = 0; j < i; j++)
			if (strcmp(e->id.data, batch->entries[j].id.data) == 0)
				return sqs_fail(c, SQS_BATCH_IDS_NOT_DISTINCT,
				    "Id %s repeated.", e->id.data);
	}
	return true;
}

bool
sqs_batch_new(struct sqs_call *c, const struct sqs_batch_kind *kind)
{
	const json_t *list = json_object_get(c->in, "Entries");
	size_t i, count = json_array_size(list);
	struct sqs_batch *batch;

	if (!check_count(c, kind, count) || !sqs_call_alloc(c,
	    sizeof(*batch) + count * sizeof(batch->entries[0])))
		return false;
	batch = c->state;
	batch->kind = kind;
	batch->count = count;
	for (i = 0; i < count; i++) {
		batch->entries[i].in = json_array_get(list, i);
		batch->entries[i].id = sqs_text(batch->entries[i].in, "Id");
	}
	return check_ids(c, batch);
}

static void
add_failure(struct sqs_out *o, const struct sqs_entry *e)
{
	static const char name[] = "BatchResultErrorEntry";

	sqs_out_item(o, name);
	sqs_out_text(o, "Id", e->id.data, e->id.bytes);
	sqs_out_bool(o, "SenderFault", sqs_error_is_sender(e->fault.error));
	sqs_out_string(o, "Code", sqs_error_code(e->fault.error));
	sqs_out_string(o, "Message", e->fault.detail);
	sqs_out_item_end(o, name);
}

static void
add_success(struct sqs_out *o, const struct sqs_batch_kind *kind,
    const struct sqs_entry *e)
{
	sqs_out_item(o, kind->result);
	sqs_out_text(o, "Id", e->id.data, e->id.bytes);
	if (kind->add != NULL)
		kind->add(o, e);
	sqs_out_item_end(o, kind->result);
}

/* The list of those that failed, or of the others; none where it is empty. */
static void
add_list(struct sqs_out *o, const struct sqs_batch *batch, bool failed)
{
	const struct sqs_entry *e = batch->entries, *end = e + batch->count;
	bool any = false;

	for (; e < end; e++) {
		if (e->has_failed != failed)
			continue;
		if (!any)
			sqs_out_list(o, failed ? "Failed" : "Successful");
		any = true;
		if (failed)
			add_failure(o, e);
		else
			add_success(o, batch->kind, e);
	}
	if (any)
		sqs_out_list_end(o);
}

/* All ops are done. */
static void
answer(struct sqs_call *c)
{
	struct sqs_batch *batch = c->state;
	struct sqs_out o;

	if (c->x != NULL) {
		sqs_out_begin(&o, c);
		add_list(&o, batch, false);
		add_list(&o, batch, true);
		sqs_out_send(&o);
	}
	sqs_call_free(c);
}

static void
entry_done(struct op *op, void *arg)
{
	struct sqs_entry *e = (struct sqs_entry *)(void *)op;
	struct sqs_call *c = arg;
	struct sqs_batch *batch = c->state;

	/* Where there is no queue, it is the whole request that fails. */
	if (op->status == WQ_NO_QUEUE || op->status == WQ_BAD_NAME)
		sqs_fail_status(c, op);
	else
		e->has_failed = batch->kind->settle(c, e) == -1;
	if (--batch->pending == 0)
		answer(c);
}

bool
sqs_batch_submit(struct sqs_call *c)
{
	struct sqs_batch *batch = c->state;
	struct backend *b = c->sqs->backend;
	struct sqs_entry *e = batch->entries, *end = e + batch->count;

	sqs_watch(c);
	for (; e < end; e++) {
		if (e->has_failed)
			continue;
		e->op.verb = batch->kind->verb;
		e->op.queue = c->queue;
		e->op.done = entry_done;
		e->op.arg = c;
		batch->pending++;
		backend_submit(b, &e->op);
	}
	if (batch->pending == 0)
		answer(c);
	else
		backend_run(b);
	return true;
}
