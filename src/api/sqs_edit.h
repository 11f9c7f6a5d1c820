#ifndef WQ_API_SQS_EDIT_H
#define WQ_API_SQS_EDIT_H

/* Changes of what a queue has as text: read, changed and written back. */

#include <jansson.h>
#include <stdbool.h>

#include "core/op.h"

struct sqs_call;

/* What is to change; the texts in it are the edit's own, or NULL. */
struct sqs_edit {
	const struct queue_info *info;	/* borrowed: the queue as it is */
	struct op_configure *configure;	/* borrowed; all zero at first */
	char *text[QUEUE_TEXTS];	/* owned; those that are given */
};

/*
 * Say how the queue is to change, in edit->configure and edit->text; with
 * nothing given nothing changes.  It is called again where somebody else
 * changed the queue meanwhile.  False: it was answered.
 */
typedef bool (*sqs_edit_fn)(struct sqs_call *, struct sqs_edit *);

/* Edit the call's queue; the call's state is the edit's.  As a handler. */
bool	sqs_edit(struct sqs_call *, sqs_edit_fn);

/* A text of a queue as an object, empty where it has none; NULL: no memory. */
json_t	*sqs_shared_object(const struct shared *) WQ_MUST;

/*
 * JSON as text, by mem_alloc(), so mem_free() frees it; of an empty object it
 * is NULL.  False: no memory.
 */
bool	sqs_dump(const json_t *, char **out) WQ_MUST;

#endif
