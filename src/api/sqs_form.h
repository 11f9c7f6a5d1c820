#ifndef WQ_API_SQS_FORM_H
#define WQ_API_SQS_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "api/sqs_input.h"
#include "http/route.h"

struct exchange;
struct sqs_call;

/* Is a body a form with a field Action?  JSON that was sent as one is none. */
bool	sqs_form_has_action(struct text body);

/* The fields of a request's query, and then of its form. */
struct sqs_form {
	struct sqs_field *fields;	/* owned, with all their texts */
	size_t count;
};

/* False: it was answered, and there is nothing to free. */
bool	sqs_form_init(struct sqs_form *, struct sqs_call *, struct text body)
	    WQ_MUST;
void	sqs_form_fini(struct sqs_form *);
/* The last field of that name; data NULL: there is none. */
struct text	sqs_form_get(const struct sqs_form *, const char *name);

#endif
