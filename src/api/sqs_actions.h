#ifndef WQ_API_SQS_ACTIONS_H
#define WQ_API_SQS_ACTIONS_H

#include "http/route.h"

struct sqs_action;

/* The action of that name; NULL: there is none. */
const struct sqs_action	*sqs_action_find(struct text name);

#endif
