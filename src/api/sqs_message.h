#ifndef WQ_API_SQS_MESSAGE_H
#define WQ_API_SQS_MESSAGE_H

/*
 * A message as SQS sends it, and what of it is kept beside its body.
 *
 * That is one JSON object without white space, which has of these members, in
 * this order, those that the message has:
 *
 *	"MessageDeduplicationId":"..."
 *	"AWSTraceHeader":"..."
 *	"MD5OfMessageAttributes":"32 hexadecimal digits"
 *	"MessageAttributes":{"NAME":{"DataType":"...","StringValue":"..."},..}
 *
 * Attributes are in the order of their names, a binary one has "BinaryValue"
 * in base64 in place of "StringValue".  So a receive of all attributes finds
 * them, and their digest, as they are to be sent.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/sqs_value.h"
#include "base/status.h"
#include "http/route.h"

struct buf;
struct sqs_fault;

#define SQS_MESSAGE_MAX_BYTES	1048576		/* also of a batch in all */

/* What a SendMessage, or an entry of a batch, asks for. */
struct sqs_message {
	struct text body;		/* borrowed from its JSON */
	struct text group, dedup;	/* the same; data NULL: none */
	int64_t delay_ms;		/* -1: the queue's */
	size_t sent_bytes;		/* of body and attributes */
	bool is_text;			/* the body is not JSON */
	bool has_values, has_system;	/* their digests are there */
	size_t kept_bytes;		/* of what is kept; 0: nothing */
	char body_md5[SQS_MD5_BYTES];
	char values_md5[SQS_MD5_BYTES];
	char system_md5[SQS_MD5_BYTES];
};

/*
 * Read in, an object of the types that SQS has, and check it by all rules but
 * those that only its queue knows.
 * traced  the trace header where in has none of its own; data NULL: none
 * kept    gets what is to be kept appended, and must be looked at for want of
 *         memory then
 * -1: the fault says what is wrong.
 */
int	sqs_message_read(const json_t *in, bool fifo, struct text traced,
	    struct sqs_message *, struct buf *kept, struct sqs_fault *)
	    WQ_MUST;

/* 1 to 128 alphanumeric characters and punctuation; -1 if not, unless NULL. */
int	sqs_message_id_check(const char *name, struct text,
	    struct sqs_fault *) WQ_MUST;

/*
 * What is kept, found again; data NULL: it has no such member.  Strings are
 * as JSON has them, without their quotes, and borrowed from text.
 */
struct sqs_kept {
	struct text dedup, trace, md5;
	struct text values;		/* an object */
};

void	sqs_kept_find(struct text, struct sqs_kept *);

#endif
