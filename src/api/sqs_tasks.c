/*
 * Tasks that move dead letters.  A handle is the task's id and its queue's
 * name with a point between, which needs no escape anywhere.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/sqs_call.h"
#include "base/clock.h"

#define RATE_MAX	500
#define LIST_MAX	10
#define HANDLE_BYTES	(ID_TEXT_BYTES + 1 + QUEUE_NAME_BYTES + 1)

struct tasks {				/* a call's state */
	char to[QUEUE_NAME_BYTES + 1];	/* "": each one's source */
	int64_t rate;			/* 0: none was given */
	struct id id;
	struct task_info out[LIST_MAX];
};

static bool
fail_arn(struct sqs_call *c, const char *name)
{
	return sqs_fail(c, SQS_RESOURCE_NOT_FOUND, "The resource that you "
	    "specified for the %s parameter doesn't exist.", name);
}

/* Of an action on the queue that SourceArn names. */
static void
fail_source(struct sqs_call *c, const struct op *op)
{
	if (op->status == WQ_NO_QUEUE || op->status == WQ_BAD_NAME)
		fail_arn(c, "SourceArn");
	else
		sqs_fail_status(c, op);
}

static void
format_handle(const struct id *id, const char *queue, char *out)
{
	id_format(id, out);
	snprintf(out + ID_TEXT_BYTES, HANDLE_BYTES - ID_TEXT_BYTES, ".%s",
	    queue);
}

static void
start_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;
	struct tasks *t = c->state;
	char handle[HANDLE_BYTES];
	struct sqs_out o;

	if (op->status != WQ_OK)
		fail_source(c, op);
	else if (c->x != NULL) {
		format_handle(&t->id, c->queue, handle);
		sqs_out_begin(&o, c);
		sqs_out_string(&o, "TaskHandle", handle);
		sqs_out_send(&o);
	}
	sqs_call_free(c);
}

static bool
submit_start(struct sqs_call *c)
{
	struct tasks *t = c->state;

	memset(&c->op.task_start, 0, sizeof(c->op.task_start));
	c->op.queue = c->queue;
	c->op.task_start.to = t->to[0] != '\0' ? t->to : NULL;
	c->op.task_start.rate = t->rate;
	c->op.task_start.id = t->id;
	return sqs_submit(c, OP_TASK_START, start_done);
}

/* Which of the two queues is missing has to be told. */
static void
destination_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;

	if (op->status == WQ_OK) {
		queue_info_fini(&op->info);
		submit_start(c);
		return;
	}
	if (op->status == WQ_NO_QUEUE || op->status == WQ_BAD_NAME)
		fail_arn(c, "DestinationArn");
	else
		sqs_fail_status(c, op);
	sqs_call_free(c);
}

bool
sqs_start_move_task(struct sqs_call *c)
{
	struct text to = sqs_text(c->in, "DestinationArn");
	struct tasks *t;

	if (!sqs_call_alloc(c, sizeof(*t)))
		return false;
	t = c->state;
	if (!sqs_integer_within(c, "MaxNumberOfMessagesPerSecond", 1,
	    RATE_MAX, &t->rate))
		return false;
	if (!sqs_arn_queue(sqs_text(c->in, "SourceArn"), c->queue))
		return fail_arn(c, "SourceArn");
	t->id = id_new();
	if (to.data == NULL)
		return submit_start(c);
	if (!sqs_arn_queue(to, t->to))
		return fail_arn(c, "DestinationArn");
	c->op.queue = t->to;
	return sqs_submit(c, OP_INFO, destination_done);
}

static void
cancel_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;
	struct sqs_out o;

	if (op->status != WQ_OK)
		fail_source(c, op);
	else if (c->x != NULL) {
		sqs_out_begin(&o, c);
		sqs_out_integer(&o, "ApproximateNumberOfMessagesMoved",
		    (int64_t)op->task_cancel.moved);
		sqs_out_send(&o);
	}
	sqs_call_free(c);
}

/* The task's queue must be there, whatever became of the task. */
static void
cancel_source_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;
	struct tasks *t = c->state;

	if (op->status != WQ_OK) {
		fail_source(c, op);
		sqs_call_free(c);
		return;
	}
	queue_info_fini(&op->info);
	memset(&op->task_cancel, 0, sizeof(op->task_cancel));
	op->task_cancel.id = t->id;
	sqs_submit(c, OP_TASK_CANCEL, cancel_done);
}

bool
sqs_cancel_move_task(struct sqs_call *c)
{
	struct text handle = sqs_text(c->in, "TaskHandle");
	struct text name = { NULL, 0 };
	struct tasks *t;

	if (!sqs_call_alloc(c, sizeof(*t)))
		return false;
	t = c->state;
	if (handle.bytes >= ID_TEXT_BYTES + 2) {
		name.data = handle.data + ID_TEXT_BYTES + 1;
		name.bytes = handle.bytes - ID_TEXT_BYTES - 1;
	}
	if (name.data == NULL || handle.data[ID_TEXT_BYTES] != '.' ||
	    !id_parse(handle.data, ID_TEXT_BYTES, &t->id) ||
	    !sqs_url_queue(name, c->queue))
		return sqs_fail(c, SQS_INVALID_PARAMETER, "Value for parameter "
		    "TaskHandle is invalid.");
	c->op.queue = c->queue;
	return sqs_submit(c, OP_INFO, cancel_source_done);
}

static const char *
state_name(enum task_state state)
{
	switch (state) {
	case TASK_RUNNING:
		return "RUNNING";
	case TASK_COMPLETED:
		return "COMPLETED";
	case TASK_CANCELED:
		return "CANCELLED";
	case TASK_FAILED:
		return "FAILED";
	}
	return NULL;
}

static const char *
failure_name(const struct sqs_call *c, enum wq_status failure)
{
	struct op op = { .verb = OP_TASK_START, .status = failure };
	struct sqs_fault fault;

	sqs_fault_status(c, &op, &fault);
	return sqs_error_code(fault.error);
}

static void
add_task(struct sqs_out *o, const struct task_info *t)
{
	const struct sqs_call *c = o->call;
	char arn[SQS_ARN_BYTES], handle[HANDLE_BYTES];

	sqs_out_item(o, "ListMessageMoveTasksResultEntry");
	if (t->state == TASK_RUNNING) {
		format_handle(&t->id, c->queue, handle);
		sqs_out_string(o, "TaskHandle", handle);
	}
	sqs_out_string(o, "Status", state_name(t->state));
	sqs_out_string(o, "SourceArn", sqs_arn(c->sqs, c->queue, arn));
	if (t->to[0] != '\0')
		sqs_out_string(o, "DestinationArn", sqs_arn(c->sqs, t->to,
		    arn));
	if (t->rate > 0)
		sqs_out_integer(o, "MaxNumberOfMessagesPerSecond", t->rate);
	sqs_out_integer(o, "ApproximateNumberOfMessagesMoved",
	    (int64_t)t->moved);
	sqs_out_integer(o, "ApproximateNumberOfMessagesToMove",
	    (int64_t)t->to_move);
	if (t->state == TASK_FAILED)
		sqs_out_string(o, "FailureReason", failure_name(c,
		    t->failure));
	sqs_out_integer(o, "StartedTimestamp", clock_epoch_ms(t->started_ns));
	sqs_out_item_end(o, "ListMessageMoveTasksResultEntry");
}

static void
list_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;
	struct sqs_out o;
	size_t i;

	if (op->status != WQ_OK)
		fail_source(c, op);
	else if (c->x != NULL) {
		sqs_out_begin(&o, c);
		sqs_out_list(&o, "Results");
		for (i = 0; i < op->task_list.count; i++)
			add_task(&o, &op->task_list.out[i]);
		sqs_out_list_end(&o);
		sqs_out_send(&o);
	}
	sqs_call_free(c);
}

bool
sqs_list_move_tasks(struct sqs_call *c)
{
	int64_t max = 1;
	struct tasks *t;

	if (!sqs_call_alloc(c, sizeof(*t)))
		return false;
	t = c->state;
	if (!sqs_integer_within(c, "MaxResults", 1, LIST_MAX, &max))
		return false;
	if (!sqs_arn_queue(sqs_text(c->in, "SourceArn"), c->queue))
		return fail_arn(c, "SourceArn");
	c->op.queue = c->queue;
	c->op.task_list.max = (size_t)max;
	c->op.task_list.out = t->out;
	return sqs_submit(c, OP_TASK_LIST, list_done);
}
