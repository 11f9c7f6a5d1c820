#ifndef WQ_API_SQS_FAULT_H
#define WQ_API_SQS_FAULT_H

#include "api/sqs_error.h"
#include "base/status.h"
#include "http/route.h"

/* What a text of a message may be made of. */
#define SQS_CHARACTERS	"valid are #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to " \
	"#xFFFD and #x10000 to #x10FFFF."

/* Set what is wrong; always -1. */
int	sqs_fault_set(struct sqs_fault *, enum sqs_error, const char *detail,
	    ...) __attribute__((format(printf, 3, 4)));
/* "Value TEXT for parameter NAME is invalid. Reason: WHY."; -1. */
int	sqs_fault_value(struct sqs_fault *, const char *name,
	    struct text value, const char *why);
/* The parameter was not given; -1. */
int	sqs_fault_missing(struct sqs_fault *, const char *parameter);

/*
 * Text of a client's as a detail tells it: not all of a long one, and no
 * character in part.  For %.*s, as the int that comes before the text.
 */
int	sqs_clip(struct text) WQ_MUST;
/* The same, of at most so many bytes, which may end within a character. */
int	sqs_shown(struct text, size_t most) WQ_MUST;

#endif
