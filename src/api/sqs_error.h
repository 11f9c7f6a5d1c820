#ifndef WQ_API_SQS_ERROR_H
#define WQ_API_SQS_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "http/route.h"

struct op;
struct sqs_call;

/* The errors of SQS; sqs_error.c has the names and the statuses of each. */
enum sqs_error {
	SQS_BATCH_IDS_NOT_DISTINCT,
	SQS_BATCH_TOO_LONG,
	SQS_EMPTY_BATCH,
	SQS_INTERNAL,			/* a fault of ours */
	SQS_INVALID_ADDRESS,
	SQS_INVALID_ATTRIBUTE_NAME,
	SQS_INVALID_ATTRIBUTE_VALUE,
	SQS_INVALID_BATCH_ID,
	SQS_INVALID_CONTENTS,
	SQS_INVALID_PARAMETER,		/* InvalidParameterValue */
	SQS_MALFORMED,			/* a Query that is none */
	SQS_MISSING_ACTION,
	SQS_MISSING_PARAMETER,
	SQS_NOT_IN_FLIGHT,
	SQS_OVER_LIMIT,
	SQS_PURGE_IN_PROGRESS,
	SQS_QUEUE_DELETED_RECENTLY,
	SQS_QUEUE_DOES_NOT_EXIST,
	SQS_QUEUE_EXISTS,
	SQS_RECEIPT_INVALID,
	SQS_RESOURCE_NOT_FOUND,
	SQS_SERIALIZATION,		/* JSON that is none, or a wrong type */
	SQS_THROTTLED,
	SQS_TOO_MANY_ENTRIES,
	SQS_UNAVAILABLE,
	SQS_UNKNOWN_ACTION,
	SQS_UNSUPPORTED,		/* UnsupportedOperation */
	SQS_ERRORS
};

#define SQS_DETAIL_BYTES	1024

/* What is wrong with one entry of a batch, or with a whole request. */
struct sqs_fault {
	enum sqs_error error;
	char detail[SQS_DETAIL_BYTES];
};

/* Of an entry of a batch: its Code, and whether the client is to blame. */
const char	*sqs_error_code(enum sqs_error);
bool		 sqs_error_is_sender(enum sqs_error);

/*
 * Answer with an error, in the call's protocol; nothing happens where its
 * client has gone.  The call goes on to live, without an exchange.  Always
 * false, which is what a handler returns then.
 */
bool	sqs_fail(struct sqs_call *, enum sqs_error, const char *detail, ...)
	    __attribute__((format(printf, 3, 4)));
/*
 * "Value VALUE for parameter NAME is invalid. Reason: WHY", with at most so
 * many bytes of the value.
 */
bool	sqs_fail_value(struct sqs_call *, const char *name, struct text value,
	    size_t shown, const char *why);
/* The same for what the client did not give. */
bool	sqs_fail_missing(struct sqs_call *, const char *parameter);
bool	sqs_fail_memory(struct sqs_call *);

/*
 * The one place where a status becomes an error: op's, which is not WQ_OK.
 * sqs_fault_status() tells it, sqs_fail_status() answers with it.
 */
void	sqs_fault_status(const struct sqs_call *, const struct op *,
	    struct sqs_fault *out);
bool	sqs_fail_status(struct sqs_call *, const struct op *);

#endif
