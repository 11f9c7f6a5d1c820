#ifndef WQ_API_SQS_BATCH_H
#define WQ_API_SQS_BATCH_H

/*
 * Up to ten messages in one request, each with an op and a result of its own;
 * and what the actions of messages share, for api/sqs*.c alone.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "api/sqs_error.h"
#include "api/sqs_message.h"
#include "api/sqs_output.h"
#include "base/status.h"
#include "core/op.h"

struct sqs_call;

#define SQS_BATCH_MAX		10
#define SQS_SEQUENCE_BYTES	20

struct sqs_entry {
	struct op op;			/* first: an op is its entry */
	const json_t *in;		/* borrowed from the call's input */
	struct text id;			/* the same */
	bool has_failed;		/* fault says why */
	struct sqs_fault fault;
	struct sqs_message message;	/* of a send */
	struct op_body body;		/* of a send */
};

struct sqs_batch_kind {
	enum op_verb verb;
	const char *entry, *result;	/* the names of their structures */
	/* An op is done: -1 where it failed, and the fault says how. */
	int	(*settle)(const struct sqs_call *, struct sqs_entry *);
	/* Add to the result of one that has not, behind its id; may be NULL. */
	void	(*add)(struct sqs_out *, const struct sqs_entry *);
};

/* The state of a call. */
struct sqs_batch {
	const struct sqs_batch_kind *kind;
	size_t count;
	size_t pending;			/* ops that are not done */
	struct sqs_entry entries[];
};

/*
 * Make c's state a batch of the entries that it came with, with their ids.
 * False: it was answered.
 */
bool	sqs_batch_new(struct sqs_call *c, const struct sqs_batch_kind *)
	    WQ_MUST;
size_t	sqs_batch_bytes(const struct sqs_batch *);
/* Submit those that have not failed, and answer when all are done.  True. */
bool	sqs_batch_submit(struct sqs_call *);

/* Is the call's queue a FIFO queue? */
bool	sqs_is_fifo(const struct sqs_call *);
/* A message's SequenceNumber: 20 digits, of which the first is not 0. */
void	sqs_sequence(int64_t pushed_ns, char out[SQS_SEQUENCE_BYTES]);

#endif
