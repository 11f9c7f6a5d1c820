#ifndef WQ_API_SQS_VALUE_H
#define WQ_API_SQS_VALUE_H

/* A message attribute of SQS, and the digests that clients check. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "http/route.h"

struct sqs_fault;

#define SQS_VALUES_MAX	10	/* of a message */
#define SQS_MD5_BYTES	32	/* as text, without a NUL */

/* All texts are borrowed from the JSON it was read from. */
struct sqs_value {
	struct text name, type;
	struct text value;	/* where it is binary, in base64 */
	bool is_binary;
};

/* Read one and check it by all rules.  -1: the fault says what is wrong. */
int	sqs_value_read(const char *name, const json_t *, struct sqs_value *,
	    struct sqs_fault *) WQ_MUST;
/* Read one that was checked before. */
void	sqs_value_get(const char *name, const json_t *, struct sqs_value *);
/* As the size of a message counts it. */
size_t	sqs_value_bytes(const struct sqs_value *);

/* Are all its characters such as SQS takes, those of XML 1.0?  It is UTF-8. */
bool	sqs_text_is_good(struct text);

void	sqs_md5_text(struct text, char out[SQS_MD5_BYTES]);
/* MD5OfMessageAttributes; the values are in the order of their names. */
void	sqs_md5_values(const struct sqs_value *, size_t count,
	    char out[SQS_MD5_BYTES]);

#endif
