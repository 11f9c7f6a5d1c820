/* What is wrong with a message, an entry or a request of SQS, in words. */
#include "api/sqs_fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CLIP_BYTES	256

int
sqs_clip(struct text t)
{
	size_t n = t.data != NULL ? strnlen(t.data, t.bytes) : 0;

	if (n <= CLIP_BYTES)
		return (int)n;
	n = CLIP_BYTES;
	while (n > 0 && ((unsigned char)t.data[n] & 0xc0) == 0x80)
		n--;
	return (int)n;
}

int
sqs_shown(struct text t, size_t most)
{
	return (int)(t.bytes < most ? t.bytes : most);
}

int
sqs_fault_set(struct sqs_fault *f, enum sqs_error error, const char *detail,
    ...)
{
	va_list args;

	f->error = error;
	va_start(args, detail);
	vsnprintf(f->detail, sizeof(f->detail), detail, args);
	va_end(args);
	return -1;
}

int
sqs_fault_value(struct sqs_fault *f, const char *name, struct text value,
    const char *why)
{
	return sqs_fault_set(f, SQS_INVALID_PARAMETER, "Value %.*s for "
	    "parameter %s is invalid. Reason: %s.", sqs_clip(value),
	    value.data != NULL ? value.data : "", name, why);
}

int
sqs_fault_missing(struct sqs_fault *f, const char *parameter)
{
	return sqs_fault_set(f, SQS_MISSING_PARAMETER, "The request must "
	    "contain the parameter %s.", parameter);
}
