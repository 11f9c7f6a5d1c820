#ifndef WQ_API_SQS_H
#define WQ_API_SQS_H

#include <stdbool.h>

#include "base/status.h"
#include "http/route.h"

struct backend;
struct config;
struct exchange;
struct guard_head;
struct sqs;

/* The largest body of a request: a message of 1 MiB, all of it escaped. */
#define SQS_BODY_MAX_BYTES	(8 * 1024 * 1024)

/*
 * The protocols of AWS SQS, JSON 1.0 and Query: requests turned into ops and
 * their results into answers.  Both arguments are borrowed until sqs_free().
 * NULL: no memory.
 */
struct sqs	*sqs_new(struct backend *, const struct config *) WQ_MUST;
void		 sqs_free(struct sqs *);	/* NULL is fine */

/*
 * Take a request where it is one of SQS, on whatever page it came; then the
 * exchange is owed nothing more.  False: it is none, and nothing was done.
 */
bool	sqs_take(struct sqs *, struct exchange *) WQ_MUST;

/* May a request with that head have a body of SQS_BODY_MAX_BYTES? */
bool	sqs_is_large(const struct guard_head *, struct text head);

#endif
