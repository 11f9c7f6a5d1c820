#ifndef WQ_API_SQS_REDRIVE_H
#define WQ_API_SQS_REDRIVE_H

#include <stdbool.h>

#include "core/op.h"
#include "http/route.h"

struct sqs_call;

/* RedriveAllowPolicy names at most so many queues. */
#define SQS_SOURCES_MAX		10
#define SQS_SOURCES_BYTES	(SQS_SOURCES_MAX * QUEUE_NAME_BYTES)

/*
 * Read a RedrivePolicy, or with an empty text none, into the settings and the
 * dead-letter queue.  False: it was answered.
 */
bool	sqs_redrive_read(struct sqs_call *, struct text,
	    struct op_configure *) WQ_MUST;
/* The same of a RedriveAllowPolicy; sources has SQS_SOURCES_BYTES. */
bool	sqs_allow_read(struct sqs_call *, struct text, struct op_configure *,
	    char *sources) WQ_MUST;

/* A RedrivePolicy as text, for out of SQS_REDRIVE_BYTES. */
#define SQS_REDRIVE_BYTES	512
const char	*sqs_redrive_format(const struct sqs_call *,
		    const struct queue_info *, char *out);

#endif
