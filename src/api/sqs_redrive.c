/* RedrivePolicy and RedriveAllowPolicy: JSON in the text of an attribute. */
#include "api/sqs_redrive.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_read.h"
#include "api/sqs_call.h"

#define RECEIVES_MAX	1000
#define RECEIVES_PRESET	10
#define SHOWN_BYTES	300

static bool
fail_policy(struct sqs_call *c, const char *name, struct text value,
    const char *why)
{
	return sqs_fail_value(c, name, value, SHOWN_BYTES, why);
}

/* The policy as an object; NULL: it was answered. */
static json_t *
load(struct sqs_call *c, const char *name, struct text value)
{
	bool no_memory;
	json_t *policy = json_read(value, &no_memory);

	if (json_is_object(policy))
		return policy;
	if (no_memory)
		sqs_fail_memory(c);
	else
		fail_policy(c, name, value, "Redrive policy is not a valid "
		    "JSON map.");
	json_decref(policy);
	return NULL;
}

/* An integer, or one in a string.  False: it is none of these in range. */
static bool
read_count(const json_t *count, int64_t *out)
{
	const char *text = json_string_value(count);
	char *end;

	if (count == NULL)
		return true;
	*out = json_integer_value(count);
	if (text != NULL) {
		errno = 0;
		*out = strtoll(text, &end, 10);
		if (*text == '\0' || *end != '\0' || errno != 0)
			return false;
	}
	return *out >= 1 && *out <= RECEIVES_MAX;
}

static bool
use_redrive(struct sqs_call *c, struct text value, const json_t *policy,
    struct op_configure *out)
{
	static const char name[] = "RedrivePolicy";
	struct text arn = sqs_text(policy, "deadLetterTargetArn");
	char target[QUEUE_NAME_BYTES + 1];

	if (arn.data == NULL)
		return fail_policy(c, name, value, "Redrive policy does not "
		    "contain mandatory attribute: deadLetterTargetArn.");
	if (!sqs_arn_queue(arn, target))
		return fail_policy(c, name, value, "Invalid value for "
		    "deadLetterTargetArn.");
	out->settings.max_receives = RECEIVES_PRESET;
	if (!read_count(json_object_get(policy, "maxReceiveCount"),
	    &out->settings.max_receives))
		return fail_policy(c, name, value, "Invalid value for "
		    "maxReceiveCount, valid values are from 1 to 1000 both "
		    "inclusive.");
	memcpy(out->dead_letter_queue, target, strlen(target) + 1);
	return true;
}

bool
sqs_redrive_read(struct sqs_call *c, struct text value,
    struct op_configure *out)
{
	json_t *policy;
	bool good;

	out->given |= SETTING_MAX_RECEIVES | SETTING_DEAD_LETTER_QUEUE;
	out->settings.max_receives = 0;
	out->dead_letter_queue[0] = '\0';
	if (value.bytes == 0)
		return true;
	if ((policy = load(c, "RedrivePolicy", value)) == NULL)
		return false;
	good = use_redrive(c, value, policy, out);
	json_decref(policy);
	return good;
}

/* The names of the queues in ARNs, with a space between two. */
static bool
use_sources(struct sqs_call *c, struct text value, const json_t *arns,
    char *sources)
{
	static const char name[] = "RedriveAllowPolicy";
	char queue[QUEUE_NAME_BYTES + 1];
	struct text arn;
	json_t *one;
	size_t i;

	if (json_array_size(arns) == 0)
		return fail_policy(c, name, value, "byQueue needs "
		    "sourceQueueArns.");
	if (json_array_size(arns) > SQS_SOURCES_MAX)
		return fail_policy(c, name, value, "sourceQueueArns can name "
		    "at most 10 queues.");
	json_array_foreach(arns, i, one) {
		arn.data = json_string_value(one);
		arn.bytes = json_string_length(one);
		if (!sqs_arn_queue(arn, queue) || strchr(queue, ' ') != NULL)
			return fail_policy(c, name, value, "Invalid value for "
			    "sourceQueueArns.");
		sources += sprintf(sources, "%s%s", i > 0 ? " " : "", queue);
	}
	return true;
}

static bool
use_allow(struct sqs_call *c, struct text value, const json_t *policy,
    struct op_configure *out, char *sources)
{
	static const char name[] = "RedriveAllowPolicy";
	struct text kind = sqs_text(policy, "redrivePermission");
	const json_t *arns = json_object_get(policy, "sourceQueueArns");

	if (kind.data != NULL && strcmp(kind.data, "byQueue") == 0) {
		out->settings.redrive_allow = REDRIVE_BY_QUEUE;
		return use_sources(c, value, arns, sources);
	}
	if (arns != NULL)
		return fail_policy(c, name, value, "sourceQueueArns is for "
		    "the redrivePermission byQueue alone.");
	if (kind.data != NULL && strcmp(kind.data, "denyAll") == 0) {
		out->settings.redrive_allow = REDRIVE_DENY_ALL;
		return true;
	}
	return (kind.data != NULL && strcmp(kind.data, "allowAll") == 0) ||
	    fail_policy(c, name, value, "redrivePermission must be allowAll, "
	    "denyAll or byQueue.");
}

bool
sqs_allow_read(struct sqs_call *c, struct text value,
    struct op_configure *out, char *sources)
{
	json_t *policy;
	bool good;

	out->given |= SETTING_REDRIVE_ALLOW | SETTING_SOURCES;
	out->settings.redrive_allow = REDRIVE_ALLOW_ALL;
	sources[0] = '\0';
	if (value.bytes == 0)
		return true;
	if ((policy = load(c, "RedriveAllowPolicy", value)) == NULL)
		return false;
	good = use_allow(c, value, policy, out, sources);
	json_decref(policy);
	return good;
}

const char *
sqs_redrive_format(const struct sqs_call *c, const struct queue_info *info,
    char *out)
{
	char arn[SQS_ARN_BYTES];

	snprintf(out, SQS_REDRIVE_BYTES, "{\"deadLetterTargetArn\":\"%s\","
	    "\"maxReceiveCount\":%" PRId64 "}", sqs_arn(c->sqs,
	    info->dead_letter_queue, arn), info->settings.max_receives);
	return out;
}
