#ifndef WQ_API_PARAMS_H
#define WQ_API_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

struct exchange;

#define PARAM_LOCK_MAX_MS	INT64_C(43200000)	/* 12 h, as SQS has it */
#define PARAM_DELAY_MAX_MS	INT64_C(2592000000)	/* 30 days */
#define PARAM_TTL_MAX_MS	INT64_C(315360000000)	/* 10 years */

/*
 * Parameters of the query.  Each function answers the exchange and returns
 * false where something is wrong; what is not given leaves *out as it was.
 */

/* None but those in names, which a NULL ends, and none twice. */
bool	params_known(struct exchange *, const char *const *names);
/* A decimal integer from min to max. */
bool	params_int(struct exchange *, const char *name, int64_t min,
	    int64_t max, int64_t *out);
/* true or false. */
bool	params_bool(struct exchange *, const char *name, bool *out);

#endif
