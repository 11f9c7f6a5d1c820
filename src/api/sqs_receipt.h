#ifndef WQ_API_SQS_RECEIPT_H
#define WQ_API_SQS_RECEIPT_H

#include <stddef.h>

#include "base/status.h"
#include "core/op.h"

#define SQS_RECEIPT_BYTES	52	/* as text, without a NUL */

enum sqs_receipt {
	SQS_RECEIPT_GOOD,
	SQS_RECEIPT_BAD,	/* no server like this one gave it */
	SQS_RECEIPT_STRANGE	/* it is of another queue */
};

/*
 * A receipt handle: which receive of which message of which queue.  It is
 * text without any character that a URL, a form, XML or JSON would escape.
 */
void	sqs_receipt_format(const struct delivery *, const char *queue,
	    char out[SQS_RECEIPT_BYTES]);

/* What a handle that is given for a message of queue names. */
enum sqs_receipt	sqs_receipt_parse(const char *text, size_t bytes,
			    const char *queue, struct id *id,
			    struct op_receipt *) WQ_MUST;

#endif
