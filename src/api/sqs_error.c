/* The errors of SQS, in both protocols. */
#include "api/sqs_error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/sqs_call.h"
#include "api/sqs_fault.h"
#include "base/buf.h"
#include "http/exchange.h"
#include "http/response.h"

#define OURS		"com.amazonaws.sqs#"
#define CORAL		"com.amazon.coral.service#"	/* of all services */
#define PREFIXED	"AWS.SimpleQueueService."

static const struct {
	const char *shape;	/* "__type" in JSON */
	const char *code;	/* in Query, and in x-amzn-query-error */
	int status;
} errors[SQS_ERRORS] = {
	[SQS_BATCH_IDS_NOT_DISTINCT] = { OURS "BatchEntryIdsNotDistinct",
	    PREFIXED "BatchEntryIdsNotDistinct", 400 },
	[SQS_BATCH_TOO_LONG] = { OURS "BatchRequestTooLong",
	    PREFIXED "BatchRequestTooLong", 400 },
	[SQS_EMPTY_BATCH] = { OURS "EmptyBatchRequest",
	    PREFIXED "EmptyBatchRequest", 400 },
	[SQS_INTERNAL] = { CORAL "InternalFailure", "InternalFailure", 500 },
	[SQS_INVALID_ADDRESS] = { OURS "InvalidAddress", "InvalidAddress",
	    400 },
	[SQS_INVALID_ATTRIBUTE_NAME] = { OURS "InvalidAttributeName",
	    "InvalidAttributeName", 400 },
	[SQS_INVALID_ATTRIBUTE_VALUE] = { OURS "InvalidAttributeValue",
	    "InvalidAttributeValue", 400 },
	[SQS_INVALID_BATCH_ID] = { OURS "InvalidBatchEntryId",
	    PREFIXED "InvalidBatchEntryId", 400 },
	[SQS_INVALID_CONTENTS] = { OURS "InvalidMessageContents",
	    "InvalidMessageContents", 400 },
	[SQS_INVALID_PARAMETER] = { CORAL "InvalidParameterValueException",
	    "InvalidParameterValue", 400 },
	[SQS_MALFORMED] = { CORAL "MalformedQueryStringException",
	    "MalformedQueryString", 400 },
	[SQS_MISSING_ACTION] = { CORAL "MissingAction", "MissingAction", 400 },
	[SQS_MISSING_PARAMETER] = { CORAL "MissingRequiredParameterException",
	    "MissingParameter", 400 },
	[SQS_NOT_IN_FLIGHT] = { OURS "MessageNotInflight",
	    PREFIXED "MessageNotInflight", 400 },
	[SQS_OVER_LIMIT] = { OURS "OverLimit", "OverLimit", 403 },
	[SQS_PURGE_IN_PROGRESS] = { OURS "PurgeQueueInProgress",
	    PREFIXED "PurgeQueueInProgress", 403 },
	[SQS_QUEUE_DELETED_RECENTLY] = { OURS "QueueDeletedRecently",
	    PREFIXED "QueueDeletedRecently", 400 },
	[SQS_QUEUE_DOES_NOT_EXIST] = { OURS "QueueDoesNotExist",
	    PREFIXED "NonExistentQueue", 400 },
	[SQS_QUEUE_EXISTS] = { OURS "QueueNameExists", "QueueAlreadyExists",
	    400 },
	[SQS_RECEIPT_INVALID] = { OURS "ReceiptHandleIsInvalid",
	    "ReceiptHandleIsInvalid", 400 },
	[SQS_RESOURCE_NOT_FOUND] = { OURS "ResourceNotFoundException",
	    "ResourceNotFoundException", 404 },
	[SQS_SERIALIZATION] = { CORAL "SerializationException",
	    "SerializationException", 400 },
	[SQS_THROTTLED] = { OURS "RequestThrottled", "RequestThrottled", 400 },
	[SQS_TOO_MANY_ENTRIES] = { OURS "TooManyEntriesInBatchRequest",
	    PREFIXED "TooManyEntriesInBatchRequest", 400 },
	[SQS_UNAVAILABLE] = { CORAL "ServiceUnavailable",
	    "ServiceUnavailable", 503 },
	[SQS_UNKNOWN_ACTION] = { CORAL "UnknownOperationException",
	    "InvalidAction", 400 },
	[SQS_UNSUPPORTED] = { OURS "UnsupportedOperation",
	    PREFIXED "UnsupportedOperation", 400 },
};

const char *
sqs_error_code(enum sqs_error error)
{
	return errors[error].code;
}

bool
sqs_error_is_sender(enum sqs_error error)
{
	return errors[error].status < 500;
}

/* The detail may have been cut within a character: it is checked again. */
static void
write_json(struct buf *out, enum sqs_error error, const char *detail)
{
	buf_add_str(out, "{\"__type\":\"");
	buf_add_str(out, errors[error].shape);
	buf_add_str(out, "\",\"message\":");
	response_json_string(out, detail, strlen(detail));
	buf_add_str(out, "}");
}

static void
write_xml(struct buf *out, enum sqs_error error, const char *detail,
    const char *request_id)
{
	buf_add_str(out, "<?xml version=\"1.0\"?><ErrorResponse xmlns=\""
	    SQS_NAMESPACE "\"><Error><Type>");
	buf_add_str(out, sqs_error_is_sender(error) ? "Sender" : "Receiver");
	buf_add_str(out, "</Type><Code>");
	buf_add_str(out, errors[error].code);
	buf_add_str(out, "</Code><Message>");
	sqs_xml_text(out, detail, strlen(detail));
	buf_add_str(out, "</Message><Detail/></Error><RequestId>");
	buf_add_str(out, request_id);
	buf_add_str(out, "</RequestId></ErrorResponse>");
}

static void
answer(struct sqs_call *c, enum sqs_error error, const char *detail)
{
	struct exchange *x = c->x;
	char request_id[ID_TEXT_BYTES + 1], query_error[80];
	struct buf *out;

	if (x == NULL)
		return;
	c->x = NULL;
	out = exchange_reply(x);
	sqs_out_request_id(x, request_id);
	if (c->protocol == SQS_QUERY) {
		write_xml(out, error, detail, request_id);
		exchange_send(x, errors[error].status, SQS_XML_TYPE);
		return;
	}
	snprintf(query_error, sizeof(query_error), "%s;%s",
	    errors[error].code, sqs_error_is_sender(error) ? "Sender" :
	    "Receiver");
	exchange_add_header(x, "x-amzn-query-error", query_error);
	write_json(out, error, detail);
	exchange_send(x, errors[error].status, SQS_JSON_TYPE);
}

bool
sqs_fail(struct sqs_call *c, enum sqs_error error, const char *format, ...)
{
	char detail[SQS_DETAIL_BYTES];
	va_list ap;

	va_start(ap, format);
	vsnprintf(detail, sizeof(detail), format, ap);
	va_end(ap);
	answer(c, error, detail);
	return false;
}

bool
sqs_fail_value(struct sqs_call *c, const char *name, struct text value,
    size_t shown, const char *why)
{
	return sqs_fail(c, SQS_INVALID_PARAMETER, "Value %.*s for parameter "
	    "%s is invalid. Reason: %s", sqs_shown(value, shown), value.data,
	    name, why);
}

bool
sqs_fail_missing(struct sqs_call *c, const char *parameter)
{
	return sqs_fail(c, SQS_MISSING_PARAMETER, "The request must contain "
	    "the parameter %s.", parameter);
}

bool
sqs_fail_memory(struct sqs_call *c)
{
	return sqs_fail(c, SQS_INTERNAL, "There is no memory; nothing was "
	    "changed.");
}

/* What is wrong with a dead-letter queue. */
static void
set_target(struct sqs_fault *out, enum wq_status status)
{
	const char *why = status == WQ_TARGET_MISSING ?
	    "Dead letter target does not exist." :
	    status == WQ_TARGET_KIND ?
	    "Dead-letter queue must be same type of queue as the source." :
	    status == WQ_TARGET_DENIES ? "The dead-letter queue's "
	    "RedriveAllowPolicy does not allow this queue." :
	    status == WQ_CYCLE ?
	    "The dead letters would come back to this queue." :
	    status == WQ_BAD_TARGET ?
	    "Invalid value for deadLetterTargetArn." :
	    "maxReceiveCount needs a deadLetterTargetArn.";

	sqs_fault_set(out, SQS_INVALID_PARAMETER, "Value for parameter "
	    "RedrivePolicy is invalid. Reason: %s", why);
}

static void
set_queue(struct sqs_fault *out, const struct sqs_call *c,
    const struct op *op)
{
	if (op->status == WQ_BAD_NAME && op->verb == OP_CONFIGURE)
		sqs_fault_set(out, SQS_INVALID_PARAMETER, "Can only include "
		    "alphanumeric characters, hyphens, or underscores. 1 to "
		    "80 in length");
	else
		sqs_fault_set(out, SQS_QUEUE_DOES_NOT_EXIST, "The specified "
		    "queue does not exist%s.", c->protocol == SQS_QUERY ? " "
		    "for this wsdl version" : "");
}

/* Something was done less than a minute ago. */
static void
set_recent(struct sqs_fault *out, const struct op *op)
{
	if (op->verb == OP_PURGE)
		sqs_fault_set(out, SQS_PURGE_IN_PROGRESS, "Only one PurgeQueue "
		    "operation on %s is allowed every 60 seconds.", op->queue);
	else
		sqs_fault_set(out, SQS_QUEUE_DELETED_RECENTLY, "You must wait "
		    "60 seconds after deleting a queue before you can create "
		    "another with the same name.");
}

/* What is asked is right, but the server cannot do it, or not now. */
static void
set_server(struct sqs_fault *out, enum wq_status status)
{
	if (status == WQ_UNSUPPORTED)
		sqs_fault_set(out, SQS_UNSUPPORTED, "This server cannot do "
		    "that yet.");
	else if (status == WQ_NOMEM)
		sqs_fault_set(out, SQS_INTERNAL, "There is no memory; nothing "
		    "was changed.");
	else if (status == WQ_NO_SPACE)
		sqs_fault_set(out, SQS_INTERNAL, "The disk of the server is "
		    "full; nothing was changed, and what was acknowledged is "
		    "kept.");
	else if (status == WQ_IO || status == WQ_BAD_ROW)
		sqs_fault_set(out, SQS_INTERNAL, "The disk of the server has "
		    "failed; whether the change is kept is not known.");
	else
		sqs_fault_set(out, SQS_UNAVAILABLE, "The server is starting, "
		    "ending or without its store; try again.");
}

/* A message's lock, or what a receipt handle says of it. */
static void
set_message(struct sqs_fault *out, const struct op *op)
{
	switch ((int)op->status) {
	case WQ_NO_MESSAGE:
		sqs_fault_set(out, SQS_INVALID_PARAMETER, "Value for parameter "
		    "ReceiptHandle is invalid. Reason: Message does not exist "
		    "or is not available for visibility timeout change.");
		break;
	case WQ_NOT_LOCKED:
		sqs_fault_set(out, SQS_NOT_IN_FLIGHT, "The message is not in "
		    "flight.");
		break;
	case WQ_STALE_RECEIPT:
		sqs_fault_set(out, SQS_INVALID_PARAMETER, "Value for parameter "
		    "ReceiptHandle is invalid. Reason: The receipt handle has "
		    "expired.");
		break;
	default:
		sqs_fault_set(out, SQS_INVALID_PARAMETER, "Value %" PRId64 " "
		    "for parameter VisibilityTimeout is invalid. Reason: Total "
		    "VisibilityTimeout for the message is beyond the limit "
		    "[43200 seconds].", op->extend.lock_ms / 1000);
	}
}

/* What a queue does not take. */
static void
set_push(struct sqs_fault *out, const struct op *op)
{
	switch ((int)op->status) {
	case WQ_NO_KEY:
		sqs_fault_set(out, SQS_INVALID_PARAMETER, "The queue should "
		    "either have ContentBasedDeduplication enabled or "
		    "MessageDeduplicationId provided explicitly");
		break;
	case WQ_NO_DELAY:
		sqs_fault_set(out, SQS_INVALID_PARAMETER, "Value %" PRId64 " "
		    "for parameter DelaySeconds is invalid. Reason: The "
		    "request include parameter that is not valid for this "
		    "queue type.", op->push.delay_ms / 1000);
		break;
	case WQ_MESSAGE_TOO_LARGE:
		sqs_fault_set(out, SQS_INVALID_PARAMETER, "One or more "
		    "parameters are invalid. Reason: Message must be shorter "
		    "than the MaximumMessageSize of the queue.");
		break;
	case WQ_TOO_LARGE:
		sqs_fault_set(out, SQS_INVALID_PARAMETER, "One or more "
		    "parameters are invalid. Reason: Message is larger than "
		    "maxBytes of the queue, or max-memory of the server.");
		break;
	default:
		sqs_fault_set(out, SQS_THROTTLED, "%s is reached; try again "
		    "when messages were deleted.", op->status ==
		    WQ_FULL_MESSAGES ? "maxMessages of the queue" : op->status
		    == WQ_FULL_BYTES ? "maxBytes of the queue" : "max-memory "
		    "of the server");
	}
}

static void
set_task(struct sqs_fault *out, enum wq_status status)
{
	if (status == WQ_NOT_TARGET)
		sqs_fault_set(out, SQS_INVALID_PARAMETER, "Source queue must "
		    "be configured as a Dead Letter Queue.");
	else if (status == WQ_TASK_RUNS)
		sqs_fault_set(out, SQS_INVALID_PARAMETER, "There is already a "
		    "task running. Only one active task is allowed for a "
		    "source queue arn at a given time.");
	else
		sqs_fault_set(out, SQS_RESOURCE_NOT_FOUND, "Task does not "
		    "exist.");
}

void
sqs_fault_status(const struct sqs_call *c, const struct op *op,
    struct sqs_fault *out)
{
	switch (op->status) {
	case WQ_NO_MESSAGE:
	case WQ_NOT_LOCKED:
	case WQ_STALE_RECEIPT:
	case WQ_BEYOND:
		set_message(out, op);
		return;
	case WQ_NO_QUEUE:
	case WQ_BAD_NAME:
		set_queue(out, c, op);
		return;
	case WQ_ROOT:
		sqs_fault_set(out, SQS_UNSUPPORTED, "The default queue always "
		    "exists; PurgeQueue empties it.");
		return;
	case WQ_IS_TARGET:
		sqs_fault_set(out, SQS_UNSUPPORTED, "The queue is the "
		    "dead-letter queue of another.");
		return;
	case WQ_BAD_TARGET:
	case WQ_TARGET_MISSING:
	case WQ_CYCLE:
	case WQ_NO_TARGET:
	case WQ_TARGET_KIND:
	case WQ_TARGET_DENIES:
		set_target(out, op->status);
		return;
	case WQ_NO_KEY:
	case WQ_MESSAGE_TOO_LARGE:
	case WQ_NO_DELAY:
	case WQ_TOO_LARGE:
	case WQ_FULL_MESSAGES:
	case WQ_FULL_BYTES:
	case WQ_FULL_MEMORY:
		set_push(out, op);
		return;
	case WQ_NOT_TARGET:
	case WQ_TASK_RUNS:
	case WQ_NO_TASK:
		set_task(out, op->status);
		return;
	case WQ_RECENT:
		set_recent(out, op);
		return;
	case WQ_OK:
	case WQ_NOMEM:
	case WQ_CHANGED:
	case WQ_NO_SPACE:
	case WQ_IO:
	case WQ_BAD_ROW:
	case WQ_BUSY:
	case WQ_CANCELED:
	case WQ_UNSUPPORTED:
	case WQ_UNAVAIL:
		set_server(out, op->status);
		return;
	}
}

bool
sqs_fail_status(struct sqs_call *c, const struct op *op)
{
	struct sqs_fault fault;

	if (c->x == NULL)
		return false;
	sqs_fault_status(c, op, &fault);
	answer(c, fault.error, fault.detail);
	return false;
}
