#ifndef WQ_API_SQS_INPUT_H
#define WQ_API_SQS_INPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "http/route.h"

struct exchange;
struct sqs_call;

/* How a parameter is written, in JSON and in Query. */
enum sqs_kind {
	SQS_STRING,		/* "x"; Name=x */
	SQS_INTEGER,		/* 1; Name=1 */
	SQS_STRINGS,		/* ["x"]; Name.1=x */
	SQS_STRUCTURE,		/* {..}; Name.Member=x */
	SQS_STRUCTURES,		/* [{..}]; Name.1.Member=x */
	SQS_MAP			/* {"k": v}; Name.1.Key=k&Name.1.Value=v */
};

/* One member of an action's input, or of a structure in it. */
struct sqs_member {
	const char *name;	/* in JSON; NULL ends the table */
	enum sqs_kind kind;
	bool required;
	const char *query;	/* in Query; NULL: as in JSON */
	const struct sqs_member *members;	/* of a structure; of a map,
				 * its key and its value as Query has them */
};

/* A field of a query or of a form, decoded; both texts end in NUL. */
struct sqs_field {
	struct text name, value;	/* borrowed */
};

/*
 * Read a request's parameters into call->in, an object as the JSON protocol
 * has it and of the types that members tell, whichever protocol it came in.
 * Members that are null, or not known, are as if they were not there.  False:
 * it was answered with what is wrong, also where a required one is missing.
 */
bool	sqs_input_json(struct sqs_call *, struct text body,
	    const struct sqs_member *) WQ_MUST;
bool	sqs_input_query(struct sqs_call *, const struct sqs_field *,
	    size_t count, const struct sqs_member *) WQ_MUST;

/*
 * A string member of an object; data NULL: it has none.  It may have NULs in
 * it, but ends in one.
 */
struct text	sqs_text(const json_t *object, const char *name);
/* An integer member; false: it has none, and out is as it was. */
bool		sqs_integer(const json_t *object, const char *name,
		    int64_t *out);
/*
 * The same within limits, which SQS tells in its own words.  True: it is
 * good, or not there.  False: it was answered.
 */
bool		sqs_integer_within(struct sqs_call *, const char *name,
		    int64_t min, int64_t max, int64_t *out) WQ_MUST;

#endif
