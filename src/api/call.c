/* A native request on its way through the backend and back. */
#include "api/call.h"

#include <inttypes.h>
#include <string.h>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/mem.h"
#include "http/exchange.h"

#define QUEUES	"/queues/{}"

void
call_free(struct call *c)
{
	if (c->out != c->few)
		mem_free(c->out);
	mem_free(c->memory);
	mem_free(c);
}

static void
gone_cb(void *arg)
{
	struct call *c = arg;

	c->x = NULL;
	c->native->backend->ops->cancel(c->native->backend, &c->op);
}

void
answer_no_memory(struct exchange *x)
{
	exchange_problem(x, 500, "no memory; nothing was changed");
}

static void
answer_stale(struct exchange *x, const struct op *op)
{
	uint32_t since = op->verb == OP_EXTEND ? op->extend.receives_since :
	    op->confirm.receives_since;
	const struct op_receipt *given = op->verb == OP_EXTEND ?
	    &op->extend.receipt : &op->confirm.receipt;
	int64_t ended_ns = op->verb == OP_EXTEND ? op->extend.ended_ns :
	    op->confirm.ended_ns;

	if (since == 1)
		exchange_problem(x, 409, "the receipt is not of the newest "
		    "receive: its lock ran out at %" PRId64 " and the message "
		    "was received again since", ended_ns != 0 ?
		    clock_epoch_ms(ended_ns) : given->until_ms);
	else if (since > 0)
		/* How often that lock was extended is not kept so long. */
		exchange_problem(x, 409, "the receipt is not of the newest "
		    "receive: its lock, taken until %" PRId64 ", ran out and "
		    "the message was received %" PRIu32 " times since",
		    given->until_ms, since);
	else
		exchange_problem(x, 409, "the receipt is not of a receive of "
		    "this message");
}

/* A limit is reached: the new is refused, the old stays. */
static void
answer_full(struct exchange *x, const char *limit)
{
	exchange_add_header(x, "Retry-After", "1");
	exchange_problem(x, 429, "%s is reached; try again when messages were "
	    "confirmed", limit);
}

static void
answer_queue(struct exchange *x, const struct op *op)
{
	if (op->status == WQ_NO_QUEUE && op->verb == OP_REDRIVE &&
	    op->redrive.to != NULL)
		exchange_problem(x, 404, "there is no queue %s, or not the one "
		    "of the path; PUT /queues/NAME makes one",
		    op->redrive.to);
	else if (op->status == WQ_NO_QUEUE)
		exchange_problem(x, 404, "there is no queue %s; PUT "
		    "/queues/%s makes it", op->queue, op->queue);
	else
		exchange_problem(x, 400, "a queue's name is 1 to 80 of A-Z "
		    "a-z 0-9 _ -, and may end in .fifo");
}

/* What is wrong with a dead-letter queue. */
static void
answer_target(struct exchange *x, const struct op *op)
{
	const char *name = op->configure.dead_letter_queue;

	if (op->status == WQ_TARGET_MISSING)
		exchange_problem(x, 400, "deadLetterQueue: there is no queue "
		    "%s; PUT /queues/%s makes it", name, name);
	else if (op->status == WQ_BAD_TARGET)
		exchange_problem(x, 400, "deadLetterQueue: a queue's name is "
		    "1 to 80 of A-Z a-z 0-9 _ -, and may end in .fifo");
	else if (op->status == WQ_CYCLE)
		exchange_problem(x, 400, "deadLetterQueue: the dead letters "
		    "would come back to this queue");
	else
		exchange_problem(x, 400, "maxReceives needs a "
		    "deadLetterQueue: no message is dropped for failing");
}

/* A push has reached a limit. */
static void
answer_limit(struct exchange *x, enum wq_status status)
{
	if (status == WQ_TOO_LARGE)
		exchange_problem(x, 413, "the push is larger than maxMessages "
		    "or maxBytes of the queue, or max-memory of the server: "
		    "it would not fit when all else is gone");
	else
		answer_full(x, status == WQ_FULL_MESSAGES ?
		    "maxMessages of the queue" : status == WQ_FULL_BYTES ?
		    "maxBytes of the queue" : "max-memory of the server");
}

/* What the client asked is right, but the server cannot do it, or not now. */
static void
answer_server(struct exchange *x, const struct op *op)
{
	if (op->status == WQ_NO_SPACE)
		exchange_problem(x, 507, "the disk of the server is full; "
		    "nothing was changed, and what was acknowledged is kept");
	else if (op->status == WQ_IO || op->status == WQ_BAD_ROW)
		exchange_problem(x, 500, "the disk of the server has failed; "
		    "whether the change is kept is not known");
	else if (op->status == WQ_UNSUPPORTED)
		exchange_problem(x, 501, op->verb == OP_BACKUP ?
		    "this server keeps its queues in memory only: there is "
		    "nothing to back up without --data" :
		    "this server cannot do that yet");
	else {
		exchange_add_header(x, "Retry-After", "1");
		if (op->status == WQ_BUSY)
			exchange_problem(x, 409, "a backup is being made "
			    "already");
		else
			exchange_problem(x, 503, "the server is starting, "
			    "ending or without its store; try again");
	}
}

/* Long and flat, without a default: the compiler names a status it lacks. */
void
answer_status(struct exchange *x, const struct op *op)
{
	switch (op->status) {
	case WQ_OK:
		exchange_send(x, 204, NULL);
		return;
	case WQ_NOMEM:
		answer_no_memory(x);
		return;
	case WQ_NO_MESSAGE:
		exchange_problem(x, 404, "the queue has no message with this "
		    "ID; it may have been confirmed");
		return;
	case WQ_NOT_LOCKED:
		exchange_problem(x, 404, "the message is not locked: its lock "
		    "ran out and it is back in the queue, or it was not "
		    "received yet");
		return;
	case WQ_STALE_RECEIPT:
		answer_stale(x, op);
		return;
	case WQ_NO_QUEUE:
	case WQ_BAD_NAME:
		answer_queue(x, op);
		return;
	case WQ_ROOT:
		exchange_problem(x, 409, "the default queue always exists; "
		    "POST /purge empties it");
		return;
	case WQ_IS_TARGET:
		exchange_problem(x, 409, "the queue is the deadLetterQueue of "
		    "another; change that one first");
		return;
	case WQ_BAD_TARGET:
	case WQ_TARGET_MISSING:
	case WQ_CYCLE:
	case WQ_NO_TARGET:
		answer_target(x, op);
		return;
	case WQ_MESSAGE_TOO_LARGE:
		exchange_problem(x, 413, "the message is larger than "
		    "maxMessageBytes of the queue");
		return;
	case WQ_RECENT:
		exchange_add_header(x, "Retry-After", "60");
		exchange_problem(x, 429, "this was done less than a minute "
		    "ago; try again later");
		return;
	case WQ_NO_DELAY:
		exchange_problem(x, 400, "delay: in a FIFO queue only the "
		    "queue's own setting delays");
		return;
	case WQ_TOO_LARGE:
	case WQ_FULL_MESSAGES:
	case WQ_FULL_BYTES:
	case WQ_FULL_MEMORY:
		answer_limit(x, op->status);
		return;
	case WQ_NO_SPACE:
	case WQ_IO:
	case WQ_BAD_ROW:
	case WQ_BUSY:
	case WQ_UNSUPPORTED:
	case WQ_CANCELED:
	case WQ_UNAVAIL:
	/* No native call asks for what these are of. */
	case WQ_TARGET_KIND:
	case WQ_TARGET_DENIES:
	case WQ_CHANGED:
	case WQ_NO_KEY:
	case WQ_BEYOND:
	case WQ_NOT_TARGET:
	case WQ_TASK_RUNS:
	case WQ_NO_TASK:
		answer_server(x, op);
		return;
	}
}

static bool
has_queue(const struct exchange *x)
{
	return strncmp(exchange_pattern(x), QUEUES, strlen(QUEUES)) == 0;
}

struct text
call_path_id(const struct exchange *x)
{
	return exchange_param(x, has_queue(x) ? 1 : 0);
}

struct call *
call_new(struct native *n, struct exchange *x, enum op_verb verb,
    op_done_fn done)
{
	struct call *c;
	struct text name = { "", 0 };

	if (has_queue(x))
		name = exchange_param(x, 0);
	if (name.bytes >= sizeof(c->queue) ||
	    memchr(name.data, '\0', name.bytes) != NULL) {
		exchange_problem(x, 400, "a queue's name is 1 to 80 of A-Z "
		    "a-z 0-9 _ -, and may end in .fifo");
		return NULL;
	}
	if ((c = mem_alloc(sizeof(*c))) == NULL) {
		answer_no_memory(x);
		return NULL;
	}
	memset(c, 0, offsetof(struct call, few));
	memcpy(c->queue, name.data, name.bytes);
	c->op.queue = has_queue(x) ? c->queue : NULL;
	c->op.verb = verb;
	c->op.done = done;
	c->op.arg = c;
	c->native = n;
	c->x = x;
	c->out = c->few;
	return c;
}

bool
call_alloc(struct call *c, size_t bytes)
{
	struct exchange *x = c->x;

	if ((c->memory = mem_alloc(bytes)) != NULL)
		return true;
	call_free(c);
	answer_no_memory(x);
	return false;
}

bool
call_alloc_out(struct call *c, size_t count)
{
	struct exchange *x = c->x;

	if (count <= CALL_FEW)
		return true;
	if ((c->out = mem_alloc(count * sizeof(*c->out))) != NULL)
		return true;
	c->out = c->few;
	call_free(c);
	answer_no_memory(x);
	return false;
}

void
call_submit(struct call *c)
{
	struct backend *b = c->native->backend;

	exchange_on_gone(c->x, gone_cb, c);
	backend_submit(b, &c->op);
	backend_run(b);
}

void
status_done(struct op *op, void *arg)
{
	struct call *c = arg;

	if (c->x != NULL)
		answer_status(c->x, op);
	call_free(c);
}
