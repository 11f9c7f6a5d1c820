#ifndef WQ_API_SQS_ATTRIBUTES_H
#define WQ_API_SQS_ATTRIBUTES_H

/* The attributes of a queue: SQS's names and units, and the core's settings. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/sqs_redrive.h"
#include "core/op.h"

#define SQS_POLICY_MAX_BYTES	8192

struct sqs_call;
struct sqs_out;

/* What a request asks a queue to be. */
struct sqs_wish {
	struct op_configure *configure;	/* borrowed: settings and `given` */
	json_t *kept;		/* borrowed: an object of strings, which is to
				 * be the text QUEUE_ATTRIBUTES */
	char sources[SQS_SOURCES_BYTES];	/* the text QUEUE_SOURCES */
};

/* All that a queue made over SQS has where its maker says nothing. */
void	sqs_attributes_preset(struct op_configure *);

/*
 * Read attributes, by name as an object of strings, into a wish.
 * info     the queue as it is; NULL: it is to be made
 * False: it was answered.
 */
bool	sqs_attributes_read(struct sqs_call *, json_t *attributes,
	    const struct queue_info *info, struct sqs_wish *) WQ_MUST;

/*
 * The first of the attributes that a queue has otherwise than the wish that
 * was read from them; NULL: it is as it was wished.
 */
const char	*sqs_attributes_differ(const json_t *attributes,
		    const struct sqs_wish *, const struct queue_info *,
		    const json_t *kept);

/* A set of attributes, of their names; false: it was answered. */
bool	sqs_attributes_choose(struct sqs_call *, const json_t *names,
	    uint32_t *set) WQ_MUST;
/* Write those of the set that the queue has, as one map. */
void	sqs_attributes_write(struct sqs_out *, uint32_t set,
	    const struct queue_info *, const json_t *kept);

#endif
