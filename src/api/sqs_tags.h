#ifndef WQ_API_SQS_TAGS_H
#define WQ_API_SQS_TAGS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"

struct sqs_call;

/* Tags that a queue may have; false: it was answered. */
bool	sqs_tags_check(struct sqs_call *, json_t *tags) WQ_MUST;

#endif
